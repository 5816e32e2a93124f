//! What can go wrong between us and the guest's WinRM service, and what a caller of the communicator sees of it.

use reseal_machine::CommError;
use thiserror::Error;

use crate::soap::{Fault, FaultKind};

/// A failed exchange. The question behind every variant: may the guest have acted on the request?
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// Nobody to talk to; nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// TLS refused the peer; nothing was sent.
    #[error("{0}")]
    Tls(String),
    /// The login was refused; nothing was carried out.
    #[error("{0}")]
    Auth(String),
    /// A connection from the pool proved dead before the request was on it, or its login was forgotten.
    #[error("the connection had ended: {0}")]
    NotSent(String),
    /// The request was sent, its answer never came.
    #[error("{0}")]
    Lost(String),
    /// The service answered with a fault.
    #[error("{0}")]
    Fault(Fault),
    /// No more shells or operations for this account; nothing was carried out.
    #[error(
        "the account has as many shells open in the guest as it may; those of a client that was killed are closed after \
         half an hour: {0}"
    )]
    Crowded(Fault),
    /// The message is longer than the service takes (HTTP 413).
    #[error("the message is longer than the guest's MaxEnvelopeSizekb")]
    TooLarge,
    /// The service is up and cannot work yet (HTTP 503, or a fault that says so); nothing was carried out.
    #[error("{0}")]
    NotReady(String),
    /// The answer breaks the protocol.
    #[error("{0}")]
    Protocol(String),
}

impl From<std::io::Error> for Error {
    /// Only for writing XML into memory, which cannot fail in practice.
    fn from(error: std::io::Error) -> Self {
        Self::Protocol(error.to_string())
    }
}

impl Error {
    /// Whether the guest may have acted on the request.
    pub(crate) fn perhaps_started(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Protocol(_))
    }

    /// Whether the shell or its process is no more, so that only a new one can help.
    pub(crate) fn shell_gone(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.kind() == FaultKind::ShellGone)
    }

    /// Whether a new shell on a new connection may help, once the guest is there again.
    pub(crate) fn is_loss(&self) -> bool {
        self.shell_gone()
            || matches!(
                self,
                Self::Lost(_) | Self::NotSent(_) | Self::NotReady(_) | Self::Unreachable(_)
            )
    }

    /// What the caller of the communicator is told about work that had not begun before this request.
    pub(crate) fn into_comm(self, doing: &str) -> CommError {
        let started = self.perhaps_started();
        self.into_comm_started(doing, started)
    }

    /// The same for work that had (perhaps) begun before.
    pub(crate) fn into_comm_started(self, doing: &str, started: bool) -> CommError {
        match self {
            Self::Unreachable(why) | Self::NotReady(why) if !started => CommError::Unreachable(why),
            Self::Tls(why) => CommError::Tls(why),
            Self::Auth(why) if !started => CommError::Auth(why),
            Self::Fault(fault) if !started && fault.kind() != FaultKind::ShellGone => CommError::Fault {
                code: fault.code,
                message: fault.message,
            },
            Self::Crowded(ref fault) if !started => CommError::Fault {
                code: fault.code,
                message: self.to_string(),
            },
            Self::TooLarge => CommError::Protocol(Self::TooLarge.to_string()),
            Self::Protocol(why) => CommError::Protocol(why),
            lost => CommError::Lost {
                started,
                doing: doing.to_owned(),
                source: Some(Box::new(lost)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: u32) -> Error {
        Error::Fault(Fault {
            code,
            subcode: String::new(),
            message: "no".to_owned(),
        })
    }

    #[test]
    fn before_the_work_an_error_is_what_it_is() {
        assert!(matches!(Error::Auth("x".to_owned()).into_comm("y"), CommError::Auth(_)));
        assert!(matches!(
            Error::NotReady("503".to_owned()).into_comm("y"),
            CommError::Unreachable(_)
        ));
        assert!(matches!(fault(2).into_comm("y"), CommError::Fault { code: 2, .. }));
        assert!(matches!(
            Error::Lost("x".to_owned()).into_comm("y"),
            CommError::Lost { started: true, .. }
        ));
        assert!(matches!(
            Error::NotSent("x".to_owned()).into_comm("y"),
            CommError::Lost { started: false, .. }
        ));
    }

    #[test]
    fn after_its_beginning_the_work_must_be_looked_up() {
        for error in [
            Error::Auth("early".to_owned()),
            Error::Unreachable("down".to_owned()),
            fault(2),
            fault(2_150_858_843),
        ] {
            let comm = error.into_comm_started("y", true);
            assert!(matches!(comm, CommError::Lost { started: true, .. }), "{comm:?}");
        }
    }
}
