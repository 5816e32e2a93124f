//! The user data that open the way in: a one-time account and an HTTPS listener with our certificate.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use super::generalize::UNDO_KEY;

const TEMPLATE: &str = include_str!("../../ops/bootstrap_user_data.ps1");
const PLACEHOLDER: &str = "@@RESEAL_VALUES@@";

/// What the bootstrap puts into the guest. Serialised only into the user data; never printed.
#[derive(Clone, Serialize)]
pub struct BootstrapValues {
    /// The build.
    pub run: String,
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
    /// The listener's port, usually 5986.
    pub port: u16,
    /// Addresses that may connect, e.g. `198.51.100.7/32`; empty means any.
    pub remote_addresses: Vec<String>,
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

/// The user data for Cloudbase-Init: the template with the values in its one placeholder, as one base64 block.
pub fn user_data(values: &BootstrapValues) -> String {
    let mut json = serde_json::to_value(values).unwrap_or_default();
    json["undo_key"] = UNDO_KEY.into();
    TEMPLATE.replacen(PLACEHOLDER, &BASE64_STANDARD.encode(json.to_string()), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_one_placeholder_and_the_right_first_line() {
        assert_eq!(TEMPLATE.matches(PLACEHOLDER).count(), 1);
        assert!(TEMPLATE.starts_with("#ps1_sysnative\n"));
        assert!(TEMPLATE.is_ascii());
    }
}
