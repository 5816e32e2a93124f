//! Public KMS client keys.

use std::sync::OnceLock;

use super::load::rows;
use crate::target::Windows;

/// The public KMS client key of an edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsKey {
    /// How it is named in a spec, e.g. `server2022-standard`.
    pub edition: &'static str,
    /// The versions of Windows that it fits.
    pub windows: Vec<Windows>,
    /// The edition's name.
    pub name: &'static str,
    /// The key.
    pub key: &'static str,
}

/// All keys.
pub fn kms_keys() -> &'static [KmsKey] {
    static KEYS: OnceLock<Vec<KmsKey>> = OnceLock::new();
    KEYS.get_or_init(|| {
        rows(include_str!("../../data/kms-keys.tsv"))
            .skip(1)
            .map(|cells| KmsKey {
                edition: cells.get(0),
                windows: cells.get(1).split(',').filter_map(Windows::from_word).collect(),
                name: cells.get(2),
                key: cells.get(3),
            })
            .collect()
    })
}

/// The key of an edition.
pub fn kms_key(edition: &str) -> Option<&'static KmsKey> {
    let plain = edition.trim().replace(['_', ' '], "-");
    kms_keys().iter().find(|one| one.edition.eq_ignore_ascii_case(&plain))
}

/// The edition that a key belongs to, if it is a public one.
pub fn kms_owner(key: &str) -> Option<&'static KmsKey> {
    kms_keys().iter().find(|one| one.key.eq_ignore_ascii_case(key.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_one_and_knows_its_windows() {
        for key in kms_keys() {
            assert!(super::super::values::is_product_key(key.key), "{}", key.edition);
            assert!(!key.windows.is_empty(), "{}", key.edition);
            assert_eq!(kms_owner(key.key), Some(key));
        }
        assert_eq!(
            kms_key("Server2022_Standard").unwrap().name,
            "Windows Server 2022 Standard"
        );
    }
}
