//! Packer: the plugin as a release has it, and the tests by HashiCorp's own code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cargo::{Done, cargo, output, root, sibling, succeed};

/// `packer-package`: the binary that is handed out, under Packer's name, with its checksum, in `target/packer`.
pub(crate) fn package() -> Done {
    let profile = ["--profile", "dist", "--locked", "--package", "reseal"];
    succeed(cargo(["build"]).args(profile))?;
    let folder = target()?.join("packer");
    let mut command = Command::new(built("dist", "reseal")?);
    command.args(["packer", "install", "--to"]).arg(&folder);
    print!("{}", output(&mut command)?);
    Ok(())
}

/// A binary of the release profile.
pub(crate) fn release(name: &str) -> Done<PathBuf> {
    built("release", name)
}

/// A binary of a profile, which stands in a folder of that name.
fn built(profile: &str, name: &str) -> Done<PathBuf> {
    let debug = sibling(name)?;
    Ok(target()?.join(profile).join(debug.file_name().unwrap_or_default()))
}

fn target() -> Done<PathBuf> {
    let me = sibling("reseal")?;
    let target = me.ancestors().nth(2).map(Path::to_owned);
    target.ok_or_else(|| "this binary stands in no target folder".to_owned())
}

/// Whether the tests by HashiCorp's code can run here: Go is there, and its modules can be had.
pub(crate) fn can_test() -> bool {
    let quiet = |arguments: &[&str]| {
        let mut command = go(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    quiet(&["version"]) && quiet(&["mod", "download"])
}

/// Drives the product's binary and the example plugin by HashiCorp's SDK, in both generations of the protocol.
pub(crate) fn test() -> Done {
    // Examples among the targets: with the tests' dependencies, the features are the tests' too, and nothing is built
    // again. `cargo test` itself makes no program of an example that it tests.
    let targets = ["build", "--workspace", "--bins", "--examples", "--locked"];
    succeed(&mut cargo(targets))?;
    let product = sibling("reseal")?;
    let hello = product
        .with_file_name("examples")
        .join(sibling("hello")?.file_name().unwrap_or_default());
    for (what, plugin) in [("the product", product), ("the example", hello)] {
        let mut command = go(&["test", "-count=1", "-v", "./..."]);
        command.env("RESEAL_PACKER_PLUGIN", plugin).stderr(Stdio::null());
        let ran = command
            .output()
            .map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let said = String::from_utf8_lossy(&ran.stdout);
        let count = count(&said);
        println!("HashiCorp's SDK and {what}: {}", told(&count));
        if !ran.status.success() {
            let failed: Vec<&str> = said
                .lines()
                .filter(|line| !line.contains("[INFO]") && !line.contains("[DEBUG]"))
                .collect();
            println!("{}", failed.join("\n"));
            return Err(format!("the tests of {what} ended with {}", ran.status));
        }
        if !count.contains_key("PASS") {
            return Err(format!("no test of {what} ran"));
        }
    }
    Ok(())
}

fn go(arguments: &[&str]) -> Command {
    let mut command = Command::new("go");
    command.args(arguments).current_dir(root().join("tests/packer-host"));
    command
}

/// How many tests ended how, those within others included.
fn count(said: &str) -> BTreeMap<&str, usize> {
    let mut count = BTreeMap::new();
    let words = said
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--- ")?.split(':').next());
    for word in words {
        *count.entry(word).or_insert(0) += 1;
    }
    count
}

fn told(count: &BTreeMap<&str, usize>) -> String {
    let of = |word: &str| count.get(word).copied().unwrap_or(0);
    format!(
        "{} tests passed, {} failed, {} skipped",
        of("PASS"),
        of("FAIL"),
        of("SKIP")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_with_those_within_them() {
        let said = "=== RUN   TestA\n--- PASS: TestA (0.1s)\n    --- PASS: TestA/gob (0.0s)\n--- SKIP: TestB (0.0s)\n--- FAIL: TestC\n";
        assert_eq!(told(&count(said)), "2 tests passed, 1 failed, 1 skipped");
    }
}
