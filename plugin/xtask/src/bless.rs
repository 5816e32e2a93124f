//! `bless`: accepts what the tests say as the new golden files. Read the difference before you commit it.

use crate::cargo::{Done, cargo, succeed};
use crate::schemas;

/// Runs all tests so that they write their golden files anew, then the schemas.
pub(crate) fn run() -> Done {
    let mut tests = cargo(["test", "--workspace", "--all-targets", "--locked", "--no-fail-fast"]);
    // Three kinds of golden files: insta's, snapbox's, and our own texts beside their inputs.
    tests
        .env("INSTA_UPDATE", "always")
        .env("SNAPSHOTS", "overwrite")
        .env("RESEAL_BLESS", "1");
    let first = succeed(&mut tests);
    schemas::write()?;
    println!("\nNow read `git diff`: a golden file that changed is a change of behaviour.");
    first
}
