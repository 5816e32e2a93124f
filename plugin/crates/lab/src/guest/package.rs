//! Installers that the lab can install.
//!
//! A package is a file whose first line is `reseal-lab-package` and whose rest is one JSON document ([`Package`]).
//! Anything else that is started as an installer ends with 1620, as `msiexec` answers for what is not a package.

use serde::{Deserialize, Serialize};

/// The first line.
pub const MARK: &str = "reseal-lab-package";

/// What a package does.
#[derive(Debug, Clone, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Package {
    /// What it installs.
    pub product: String,
    /// Its version.
    pub version: String,
    /// Whose it is: `Publisher` of the product and subject of the signature.
    pub publisher: Option<String>,
    /// `msi`, `inno`, `nsis`, …; only `msi` makes a product of Windows Installer.
    pub family: String,
    /// How the installer ends.
    pub exit_code: u32,
    /// Whether a reboot is due afterwards.
    pub reboot: bool,
    /// How long it takes.
    pub seconds: f64,
    /// Files that it leaves.
    pub files: Vec<String>,
    /// Services that it leaves, running.
    pub services: Vec<String>,
    /// Full name of a per-user package of the Store's kind that it leaves for the user who installs.
    pub appx: Option<String>,
    /// The id under `Uninstall`.
    pub product_code: Option<String>,
    /// The update that it is (`msu`, `cab`).
    pub kb: Option<String>,
    /// `valid`, `not_signed`, `hash_mismatch`, `not_trusted`; by default `valid` when there is a publisher.
    pub signature: Option<String>,
    /// Whether it says that it installs and does not.
    pub leaves_nothing: bool,
}

impl Default for Package {
    fn default() -> Self {
        Self {
            product: String::new(),
            version: "1.0.0".to_owned(),
            publisher: None,
            family: "msi".to_owned(),
            exit_code: 0,
            reboot: false,
            seconds: 20.0,
            files: Vec::new(),
            services: Vec::new(),
            appx: None,
            product_code: None,
            kb: None,
            signature: None,
            leaves_nothing: false,
        }
    }
}

impl Package {
    /// Reads a package from the beginning of a file.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MARK.as_bytes())?;
        let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n"))?;
        // What follows the document is ballast, so that packages can be large.
        serde_json::Deserializer::from_slice(rest).into_iter().next()?.ok()
    }

    /// The package as a file.
    pub fn bytes(&self) -> Vec<u8> {
        let document = serde_json::to_string(self).unwrap_or_default();
        format!("{MARK}\n{document}\n").into_bytes()
    }

    /// The state and subject of its signature.
    pub fn signed(&self) -> (&str, Option<&str>) {
        let usual = if self.publisher.is_some() {
            "valid"
        } else {
            "not_signed"
        };
        (self.signature.as_deref().unwrap_or(usual), self.publisher.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_reads_its_first_document() {
        let package = Package::read(b"reseal-lab-package\n{\"product\":\"A\",\"seconds\":1} ballast").unwrap();
        assert_eq!((package.product.as_str(), package.version.as_str()), ("A", "1.0.0"));
        assert_eq!(package.signed(), ("not_signed", None));
        assert_eq!(Package::read(&package.bytes()), Some(package));
        assert_eq!(Package::read(b"MZ"), None);
    }
}
