//! What is said of a run of sysprep that ended badly: how it ended, and what helps where its log names no cause.

use reseal_guest::system::{Evidence, Status};

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing moved any more.
    Stalled(String),
    /// The wrapper stopped it at the limit of the spec.
    Limit,
    /// It ended by itself, with this exit code, and these proofs.
    NotGeneralized(Option<i64>, Evidence),
    /// `sysprep.exe` could not be started.
    NotStarted(String),
    /// Our own script failed.
    Wrapper(String),
    /// The task ended in this state, and nothing was written down.
    NoWord(String),
    /// The serial port says that it failed, and the guest does not answer.
    Unreachable(String),
}

/// The machine was sealed for its next start without being generalized.
const RESEALED_ONLY: [&str; 2] = [
    "IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE",
    "IMAGE_STATE_SPECIALIZE_RESEAL_TO_AUDIT",
];

impl End {
    /// By the wrapper's last word; `evidence` is what was seen besides.
    pub(super) fn of(status: Status, evidence: Evidence) -> Self {
        let error = status.error.unwrap_or_default();
        match status.reason.as_deref() {
            Some("timeout") => Self::Limit,
            Some("start_failed") => Self::NotStarted(error),
            Some("wrapper") => Self::Wrapper(error),
            _ => Self::NotGeneralized(status.exit_code, status.evidence.unwrap_or(evidence)),
        }
    }

    /// What happened, a lower-case fragment.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Stalled(quiet) => format!("sysprep did not end in time: its logs have said nothing new for {quiet}"),
            Self::Limit => {
                "sysprep did not end in time: it was stopped at the limit of `generalize.timeout`".to_owned()
            }
            Self::NotGeneralized(code, evidence) => {
                let code = code.map(|code| format!(" with exit code {code}")).unwrap_or_default();
                let missing = evidence.missing().join(", ");
                format!("sysprep ended{code}, and the machine is not generalized: these proofs are missing: {missing}")
            }
            Self::NotStarted(error) => format!("sysprep could not be started: {error}"),
            Self::Wrapper(error) => format!("the script that runs sysprep failed: {error}"),
            Self::NoWord(state) => format!("sysprep's task is {state} and left no word"),
            Self::Unreachable(error) => {
                format!("sysprep failed, and the guest does not answer any more: {error}")
            }
        }
    }

    /// What a person can do when nothing more is known.
    pub(super) fn cure(&self) -> &'static str {
        match self {
            Self::Stalled(_) => {
                "a window may wait for an answer that nobody sees: take out what was installed last, or install it with its \
                 silent switches, and build again; `reseal explain` on the run's logs shows where sysprep stood"
            }
            Self::Limit => {
                "it was still at work: raise `generalize.timeout`, or see with `reseal explain` on the run's logs what it was \
                 busy with"
            }
            Self::NotGeneralized(_, evidence) => unproved(&evidence.image_state),
            Self::NotStarted(_) => {
                "look for sysprep.exe in C:\\Windows\\System32\\Sysprep of the base image, and for a policy or an antivirus that \
                 keeps it from running"
            }
            Self::Wrapper(_) | Self::NoWord(_) => {
                "something kept Reseal's script from its work, such as a policy for scripts or an antivirus; build again, and if \
                 it happens twice, report it with the run's folder"
            }
            Self::Unreachable(_) => {
                "sysprep had taken down parts of the network; build with `-on-error=abort` and read \
                 C:\\Windows\\System32\\Sysprep\\Panther\\setuperr.log on the machine's console"
            }
        }
    }
}

/// What helps, by the state that Windows Setup was left in.
fn unproved(image_state: &str) -> &'static str {
    match image_state {
        state if RESEALED_ONLY.contains(&state) => {
            "something sealed this machine without generalizing it, as an image in audit mode is: begin again from an original \
             base image"
        }
        "IMAGE_STATE_UNDEPLOYABLE" => {
            "it stopped half-way, so this machine is good for nothing any more; run the build again, and if it stops at the same \
             line, take out what that line names"
        }
        _ => {
            "it ended before it changed anything, so something else may have stopped it, such as an antivirus or another run; \
             run the build again, and if it happens twice, keep the machine with `-on-error=abort` and run sysprep by hand"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(reason: &str, error: Option<&str>) -> Status {
        Status {
            phase: "failed".into(),
            utc: String::new(),
            pid: None,
            exit_code: Some(0),
            reason: Some(reason.into()),
            error: error.map(str::to_owned),
            evidence: None,
        }
    }

    #[test]
    fn the_wrappers_reasons_are_told_apart() {
        let evidence = Evidence::default;
        assert_eq!(End::of(failed("timeout", None), evidence()), End::Limit);
        let start = End::of(failed("start_failed", Some("access is denied")), evidence());
        assert!(start.message().ends_with("could not be started: access is denied"));
        let wrapper = End::of(failed("wrapper", Some("x")), evidence());
        assert_eq!(wrapper, End::Wrapper("x".into()));
        let unproved = End::of(failed("not_generalized", None), evidence());
        assert_eq!(
            unproved.message(),
            "sysprep ended with exit code 0, and the machine is not generalized: these proofs are missing: tag file, ImageState, \
             GeneralizationState, SetupType and CmdLine"
        );
    }

    #[test]
    fn the_state_of_the_image_tells_what_helps() {
        let at = |state: &str| {
            let image_state = state.to_owned();
            End::NotGeneralized(
                None,
                Evidence {
                    image_state,
                    ..Evidence::default()
                },
            )
            .cure()
        };
        assert!(at("IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE").contains("original base image"));
        assert!(at("IMAGE_STATE_UNDEPLOYABLE").contains("half-way"));
        assert!(at("IMAGE_STATE_COMPLETE").contains("changed anything"));
    }
}
