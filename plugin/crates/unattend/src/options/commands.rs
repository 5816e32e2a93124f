//! Commands that run at first boot or at the first log-on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A command of the specialize pass. It runs as SYSTEM and without a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupCommand {
    /// The command line, at most 259 characters; write `cmd.exe /c "…"` for what needs a shell.
    #[schemars(extend("contentMediaType" = "application/x-bat"))]
    pub command: String,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its place among the commands, from 1 to 500. Without it the command comes after those that are there. With the
    /// number of a command in the base file it takes that one's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub order: Option<u16>,
    /// Whether Windows restarts after it. Not for commands that nobody waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub will_reboot: Option<WillReboot>,
}

/// Whether Windows restarts after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WillReboot {
    /// It never does; failures are logged and forgotten.
    Never,
    /// It always does.
    Always,
    /// Exit code 1 restarts and goes on, 2 restarts and repeats, anything but 0, 1 and 2 stops the first boot.
    OnRequest,
}

impl WillReboot {
    /// The word in the answer file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Never => "Never",
            Self::Always => "Always",
            Self::OnRequest => "OnRequest",
        }
    }
}

/// A command that runs when somebody logs on for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstLogonCommand {
    /// The command line, at most 1024 characters.
    #[schemars(extend("contentMediaType" = "application/x-bat"))]
    pub command: String,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its place among the commands, from 1 to 500; without it, after those that are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub order: Option<u16>,
    /// Whether it waits for the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_user_input: Option<bool>,
}
