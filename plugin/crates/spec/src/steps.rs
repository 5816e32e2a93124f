//! Steps in map form, with those of other files in place.

/// What to do in the guest.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Step {
    /// The operation, e.g. `install_msi`.
    pub operation: String,
    /// Its options.
    pub options: serde_json::Value,
}
