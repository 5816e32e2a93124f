//! How many answer files are linted in a second: `cargo run --release -p reseal-unattend --example lint_speed`.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that measures")]

use std::path::Path;
use std::time::Instant;

use reseal_unattend::{Target, decode, lint_text};

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data/unattend/good");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        files.push(decode(&std::fs::read(entry?.path())?).text);
    }
    let start = Instant::now();
    let mut findings = 0;
    for text in files.iter().cycle().take(2000) {
        findings += lint_text(text, &Target::default()).len();
    }
    let elapsed = start.elapsed();
    println!("2000 files, {findings} findings, {elapsed:?}, catalogue included");
    Ok(())
}
