//! The user data that open the way in: a one-time account and an HTTPS listener with our certificate.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use super::generalize::UNDO_KEY;
use crate::script::{LIBRARIES_HERE, libraries};

const TEMPLATE: &str = include_str!("../../ops/bootstrap_user_data.ps1");
const PLACEHOLDER: &str = "@@RESEAL_VALUES@@";
const LIBRARIES: &str = libraries!("values", "undo", "accounts", "services");

/// What the bootstrap puts into the guest. Serialised only into the user data; never printed.
#[derive(Clone, Serialize)]
pub struct BootstrapValues {
    /// The build.
    pub run: String,
    /// Which of the build's machines it is.
    pub role: Role,
    /// The one-time administrator's name.
    pub account: String,
    /// Its password.
    pub password: String,
    /// The listener's certificate and key as PFX, base64.
    pub pfx: String,
    /// The PFX's password.
    pub pfx_password: String,
    /// The certificate's SHA-1 thumbprint, upper-case hex: how Windows names it.
    pub thumbprint: String,
    /// The HTTPS listener's port, usually 5986.
    pub port: u16,
    /// The port that the firewall lets in: the listener's, or 5985 for the listener over http that Windows has anyway.
    pub open_port: u16,
    /// Addresses that may connect, e.g. `198.51.100.7/32`; empty means any.
    pub remote_addresses: Vec<String>,
    /// Hours after which the machine turns itself off, in case nobody is left to remove it; 0 for never.
    pub dead_man_hours: u32,
}

/// Which of a build's machines. What the way into the verifying machine leaves there must not be taken for what the build
/// machine left in the image, so it has other names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The one that becomes the image.
    Build,
    /// The one that is made of it.
    Verify,
}

impl Role {
    /// How names of tasks and firewall rules begin.
    fn prefix(self) -> &'static str {
        match self {
            Self::Build => "reseal",
            Self::Verify => "verify",
        }
    }

    /// The folder below `ProgramData`.
    fn home(self) -> &'static str {
        match self {
            Self::Build => "Reseal",
            Self::Verify => "Reseal-verify",
        }
    }
}

impl std::fmt::Debug for BootstrapValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BootstrapValues")
            .field("run", &self.run)
            .field("account", &self.account)
            .field("thumbprint", &self.thumbprint)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Where the user's own script goes: after the way in, so that it cannot block it.
const LAST: &str = "# Neither restart nor run again.";

/// The user data for Cloudbase-Init: the template with the values in its one placeholder, as one base64 block, and the
/// user's own script at its end.
pub fn user_data(values: &BootstrapValues, script: Option<&str>) -> String {
    let mut json = serde_json::to_value(values).unwrap_or_default();
    json["prefix"] = values.role.prefix().into();
    json["home"] = values.role.home().into();
    json["undo_key"] = match values.role {
        Role::Build => UNDO_KEY.into(),
        Role::Verify => format!("{UNDO_KEY}-verify").into(),
    };
    let text = TEMPLATE.replacen(LIBRARIES_HERE, LIBRARIES, 1).replacen(
        PLACEHOLDER,
        &BASE64_STANDARD.encode(json.to_string()),
        1,
    );
    match script {
        None => text,
        Some(script) => {
            let own = format!("Set-StrictMode -Off\n$ErrorActionPreference = 'Continue'\n& {{\n{script}\n}}\n{LAST}");
            text.replacen(LAST, &own, 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_one_placeholder_and_the_right_first_line() {
        assert_eq!(TEMPLATE.matches(PLACEHOLDER).count(), 1);
        assert!(TEMPLATE.starts_with("#ps1_sysnative\n"));
        assert!(TEMPLATE.is_ascii());
        assert_eq!(TEMPLATE.matches(LAST).count(), 1);
        assert_eq!(TEMPLATE.matches(LIBRARIES_HERE).count(), 1);
        assert!(LIBRARIES.is_ascii() && !LIBRARIES.contains(PLACEHOLDER));
    }
}
