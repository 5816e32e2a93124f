//! Errors and warnings that good runs write too.

/// In small letters. Each stands in logs of runs that ended well.
const HARMLESS: [&[&str]; 20] = [
    &["mrtgeneralize", "error"],
    &["failed to re-enable compat-gentel"],
    &["bcd: biupdateefientry failed"],
    &["bcd: biexportbcdobjects failed"],
    &["bcd: biexportstorealterationstoefi failed"],
    &["bcd: failed to export alterations to firmware"],
    &["bcd: bideleteefientry failed"],
    &["sppnp: failed to queue enumerated driver packages"],
    &["unable to uninstall device root\\"],
    &["unable to uninstall device acpi"],
    &["unable to uninstall device swd\\"],
    &["failed to uninstall device root\\"],
    &["could not re-arm region selection"],
    &["setupdigetclassdevs failed with error 0"],
    &["failed with error 0x0."],
    &["file operations pending"],
    &["shim considered"],
    &["status_object_name_not_found"],
    &["status_object_path_not_found"],
    &["unloadstore", "error_access_denied"],
];

/// Whether good runs have this line, in small letters, too.
pub(super) fn is_harmless(text: &str) -> bool {
    HARMLESS
        .iter()
        .any(|words| words.iter().all(|word| text.contains(word)))
}
