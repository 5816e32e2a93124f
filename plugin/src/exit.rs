//! Exit codes: documented constants, one for each class of failure.

use std::process::ExitCode;

use reseal_engine::FailureClass;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Ok,
    /// A bug of ours.
    Internal,
    /// The spec or the command line is wrong.
    Input,
    /// The cloud refused or is not well.
    Cloud,
    /// The guest cannot be reached.
    Unreachable,
    /// A step of the software failed.
    Install,
    /// Answer file, preflight or sysprep failed.
    Sysprep,
    /// The image could not be made.
    Capture,
    /// The image does not hold what it should.
    Verify,
    /// `plan -detailed-exitcode`: there is something to do.
    Changes,
    /// The image is there, but something temporary could not be removed.
    Leftovers,
    /// Interrupted and cleaned up.
    Interrupted,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Internal => 1,
            Self::Input => 2,
            Self::Cloud => 4,
            Self::Unreachable => 5,
            Self::Install => 6,
            Self::Sysprep => 7,
            Self::Capture => 8,
            Self::Verify => 9,
            Self::Changes => 10,
            Self::Leftovers => 11,
            Self::Interrupted => 130,
        }
    }

    /// The worse of two, for several builds: the first failure in the order of the codes.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Ok, other) => other,
            (this, _) => this,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<FailureClass> for Exit {
    fn from(class: FailureClass) -> Self {
        match class {
            FailureClass::Internal => Self::Internal,
            FailureClass::Input => Self::Input,
            FailureClass::Cloud => Self::Cloud,
            FailureClass::Unreachable => Self::Unreachable,
            FailureClass::Install => Self::Install,
            FailureClass::Sysprep => Self::Sysprep,
            FailureClass::Capture => Self::Capture,
            FailureClass::Verify => Self::Verify,
            FailureClass::Cancelled => Self::Interrupted,
        }
    }
}
