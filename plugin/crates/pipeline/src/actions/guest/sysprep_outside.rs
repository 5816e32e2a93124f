//! What a run of sysprep looks like from outside: whether the machine is off, and what the guest said on its serial port.

use std::time::Duration;

use reseal_engine::{ActionError, Context, FailureClass, Verdict};
use reseal_guest::system::Evidence;
use reseal_machine::cloud::{Observed, ServerStatus};
use reseal_machine::{CommError, Communicator, Schedule, ServerId};

use crate::world::World;

/// What happened to a machine that is found off at the beginning.
pub(super) const ALONE: &str = "an earlier process had started sysprep; the guest shows its proofs for ten minutes and then shuts \
                                down, and nobody was there to see them: run the build again, and resume sooner";

/// What is said when the serial port has the proof.
pub(super) const BY_SERIAL: &str = "generalized: the guest said on its serial port that all proofs were there";

/// A cloud may learn of a guest's own shutdown only at its next look at the hypervisor, ten minutes later.
const LATE: Duration = Duration::from_mins(20);

/// What became of a guest that could not be reached.
pub(super) enum Found {
    /// It answers again.
    Answers,
    /// It is generalized.
    Proved(Evidence),
}

/// The word of the wrapper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// All four proofs were there.
    Generalized,
    /// One of them was not.
    Failed,
}

/// The machine from outside.
pub(super) struct Outside<'a> {
    pub(super) cx: &'a Context<'a>,
    pub(super) world: &'a World,
    /// `None` for a machine that is somebody else's: nobody can be asked about it.
    pub(super) server: Option<&'a ServerId>,
}

impl Outside<'_> {
    /// Whether the cloud says that the machine is off. A cloud that does not answer says nothing.
    pub(super) async fn is_off(&self) -> bool {
        let Some(server) = self.server else { return false };
        match self.world.cloud.server(server).await {
            Ok(Observed::Present(server)) => server.status == ServerStatus::Shutoff && server.task_state.is_none(),
            _ => false,
        }
    }

    /// What the wrapper of this build has said on the serial port, where the cloud keeps it.
    pub(super) async fn word(&self) -> Option<Word> {
        let console = self.world.cloud.console_output(self.server?).await.ok().flatten()?;
        word(&console, &self.cx.build().to_string())
    }

    /// The proof of a machine that is off.
    pub(super) async fn proved(&self, why: &str) -> Result<Evidence, ActionError> {
        if self.word().await == Some(Word::Generalized) {
            self.cx.note(BY_SERIAL);
            return Ok(by_serial());
        }
        let message = "the machine is off, and nothing proves that it was generalized";
        Err(ActionError::new(FailureClass::Sysprep, message).hint(why))
    }

    /// Waits until a guest that cannot be reached answers again, is off, or has said how it ended.
    pub(super) async fn found(&self, guest: &dyn Communicator) -> Result<Found, ActionError> {
        let look = || self.look(guest);
        let waited = self.cx.wait_until("the guest, or its end", Schedule::up_to(LATE), look);
        waited.await.map_err(|error| match error.class {
            // The limit, not what a look has found.
            FailureClass::Internal => error.class(FailureClass::Unreachable).hint(
                "if an earlier process had started sysprep, the guest has closed its door since: what is not proved is never \
                 captured",
            ),
            _ => error,
        })
    }

    async fn look(&self, guest: &dyn Communicator) -> Result<Verdict<Found>, ActionError> {
        match self.word().await {
            Some(Word::Generalized) => {
                self.cx.note(BY_SERIAL);
                return Ok(Verdict::Done(Found::Proved(by_serial())));
            }
            Some(Word::Failed) => {
                let message = "sysprep has failed, and the guest cannot be asked why: it does not answer any more";
                return Err(ActionError::new(FailureClass::Sysprep, message));
            }
            None if self.is_off().await => return self.proved(ALONE).await.map(Found::Proved).map(Verdict::Done),
            None => {}
        }
        match guest.probe().await {
            Ok(_) => Ok(Verdict::Done(Found::Answers)),
            Err(CommError::Cancelled) => Err(ActionError::cancelled()),
            Err(error) => Ok(Verdict::Waiting(error.to_string())),
        }
    }
}

/// The wrapper's lines are `RESEAL <build> <WORD> …`; the last of them counts.
fn word(console: &str, build: &str) -> Option<Word> {
    let mut said = console.lines().rev().filter_map(|line| {
        let mut parts = line.split_whitespace().skip_while(|part| *part != "RESEAL").skip(1);
        (parts.next() == Some(build)).then(|| parts.next())?
    });
    said.find_map(|word| match word {
        "GENERALIZED" => Some(Word::Generalized),
        "FAILED" => Some(Word::Failed),
        _ => None,
    })
}

/// The proofs as far as one line tells them: the wrapper says it only when all four are there.
pub(super) fn by_serial() -> Evidence {
    Evidence {
        good: true,
        ..Evidence::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_this_build_counts() {
        let console = "BdsDxe: starting\r\nRESEAL b1 FAILED\r\nRESEAL b2 GENERALIZED\r\nnoise RESEAL b1 GENERALIZED\r\n\
                       RESEAL b1 LEFT profile: x\r\n";
        assert_eq!(word(console, "b1"), Some(Word::Generalized));
        assert_eq!(word(console, "b2"), Some(Word::Generalized));
        assert_eq!(
            word("RESEAL b1 GENERALIZED\nRESEAL b1 FAILED wrapper", "b1"),
            Some(Word::Failed)
        );
        assert_eq!(word("RESEAL b1", "b1"), None);
        assert_eq!(word("RESEAL b10 GENERALIZED", "b1"), None);
        assert_eq!(word("", "b1"), None);
    }
}
