//! What an answer file is for: the edition, the way it is handed to Setup, the architecture.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Defines an enum whose words are known to people: parsed without regard to case, printed as spelt here.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$vmeta])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The one with this word, case not regarded.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word().eq_ignore_ascii_case(word))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                Self::from_word(word).ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|one| one.word()).collect();
                    format!("unknown `{word}`, expected one of {}", known.join(", "))
                })
            }
        }
    };
}

words! {
    /// A configuration pass, in the order in which Setup runs them.
    Pass {
        /// In Windows PE, before the image is applied.
        WindowsPe = "windowsPE",
        /// On the applied image, before its first boot.
        OfflineServicing = "offlineServicing",
        /// While `sysprep /generalize` runs.
        Generalize = "generalize",
        /// First boot: new SID and computer name; no user yet.
        Specialize = "specialize",
        /// Audit mode, before the log-on.
        AuditSystem = "auditSystem",
        /// Audit mode, after the log-on.
        AuditUser = "auditUser",
        /// First boot, before the welcome screens.
        OobeSystem = "oobeSystem",
    }
}

words! {
    /// A version of Windows that images are made of.
    Windows {
        /// Windows Server 2016.
        Server2016 = "server2016",
        /// Windows Server 2019.
        Server2019 = "server2019",
        /// Windows Server 2022.
        Server2022 = "server2022",
        /// Windows Server 2025.
        Server2025 = "server2025",
        /// Windows 10.
        Windows10 = "win10",
        /// Windows 11.
        Windows11 = "win11",
    }
}

impl Windows {
    /// Whether it is a server.
    pub const fn is_server(self) -> bool {
        matches!(
            self,
            Self::Server2016 | Self::Server2019 | Self::Server2022 | Self::Server2025
        )
    }

    /// The build number: a server's own, a client's newest.
    pub const fn build(self) -> u32 {
        match self {
            Self::Server2016 => 14393,
            Self::Server2019 => 17763,
            Self::Server2022 => 20348,
            Self::Server2025 | Self::Windows11 => 26100,
            Self::Windows10 => 19045,
        }
    }
}

words! {
    /// How the file comes to Setup. It decides which passes have an effect.
    Context {
        /// Guess from the passes that the file has.
        Auto = "auto",
        /// `sysprep /unattend:`; the passes before `generalize` are never run.
        Sysprep = "sysprep",
        /// Installation from media; all passes count.
        Setup = "setup",
        /// Applied to an image on disk by DISM.
        Offline = "offline",
    }
}

words! {
    /// The processor architecture of a component.
    Architecture {
        /// 64-bit.
        Amd64 = "amd64",
        /// 64-bit ARM.
        Arm64 = "arm64",
        /// 32-bit.
        X86 = "x86",
        /// The 32-bit half of a component on a 64-bit system.
        Wow64 = "wow64",
    }
}

/// What a file is checked or compiled for. Whatever is not known is `None` and then not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The edition.
    pub windows: Option<Windows>,
    /// The exact build, when the guest has told it; else that of `windows` counts.
    pub build: Option<u32>,
    /// The image's architecture.
    pub architecture: Option<Architecture>,
    /// How the file comes to Setup.
    pub context: Context,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            windows: None,
            build: None,
            architecture: None,
            context: Context::Auto,
        }
    }
}

impl Target {
    /// An answer file for sysprep on a 64-bit image.
    pub const fn sysprep(windows: Option<Windows>) -> Self {
        Self {
            windows,
            build: None,
            architecture: Some(Architecture::Amd64),
            context: Context::Sysprep,
        }
    }

    /// The build number, if anything tells it.
    pub fn build(&self) -> Option<u32> {
        self.build.or_else(|| self.windows.map(Windows::build))
    }
}
