//! Guest scripts as the binary carries them.

/// One guest script: the operation's name and the whole text, ready to be a script block with one parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Script {
    /// The operation's name, e.g. `install_msi`.
    pub name: &'static str,
    /// The body, the libraries it uses, and the frame that answers.
    pub text: &'static str,
}

/// Puts a script together: the body from `ops/`, the libraries it names from `ops/lib/`, and the frame last, because the
/// body begins with the help and the parameters and so keeps the line numbers of its own file.
macro_rules! script {
    ($name:literal $(, $library:literal)* $(,)?) => {
        $crate::script::Script {
            name: $name,
            text: concat!(
                include_str!(concat!("../../ops/", $name, ".ps1")),
                $("\n", include_str!(concat!("../../ops/lib/", $library, ".ps1")),)*
                "\n",
                include_str!("../../ops/lib/frame.ps1"),
            ),
        }
    };
}

/// The line of a script that runs by itself in whose place its libraries go: it calls them before its end.
pub(crate) const LIBRARIES_HERE: &str = "# reseal:libraries\n";

/// The texts of libraries, one after the other.
macro_rules! libraries {
    ($($library:literal),+ $(,)?) => {
        concat!($(include_str!(concat!("../../ops/lib/", $library, ".ps1")), "\n",)+)
    };
}

pub(crate) use {libraries, script};
