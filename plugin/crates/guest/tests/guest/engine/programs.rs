//! Programs that talk without end, that do not read their input, and that leave nothing behind.

use reseal_guest::Script;
use serde_json::json;

use super::{Batch, Platform, winps};

/// An operation of this test: `body` with the libraries for running programs.
fn operation(body: &str) -> Script {
    let ops = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("ops/lib");
    let library = |name: &str| std::fs::read_to_string(ops.join(name)).unwrap();
    let text = [
        format!("param([string]$InputJson)\nfunction Invoke-Operation {{\nparam($In)\n{body}\n}}"),
        library("values.ps1"),
        library("process.ps1"),
        library("frame.ps1"),
    ]
    .join("\n");
    Script {
        name: "programs_under_test",
        text: String::leak(text),
    }
}

#[test]
fn no_program_escapes_its_deadline() {
    let Some(winps) = winps("no_program_escapes_its_deadline") else {
        return;
    };
    let run = operation(
        "$run = Invoke-Program -File $In.file -CommandLine $In.line -Seconds 2 -StandardInput (New-Object byte[] ([int]$In.bytes))\n\
         Send-Result ([ordered]@{ timed_out = $run.timed_out; code = $run.code; seconds = $run.seconds; lines = @($run.tail).Count })",
    );
    let mut batch = Batch::new(Platform::Linux);
    batch.add(
        "chatty",
        run,
        json!({"file": "/usr/bin/yes", "line": "on and on", "bytes": 0}),
    );
    batch.add(
        "deaf",
        run,
        json!({"file": "/bin/sleep", "line": "60", "bytes": 1_000_000}),
    );
    batch.add(
        "reads",
        run,
        json!({"file": "/usr/bin/wc", "line": "-c", "bytes": 300_000}),
    );
    batch.add(
        "leaves early",
        run,
        json!({"file": "/bin/true", "line": "", "bytes": 1_000_000}),
    );
    let said = batch.run(&winps);
    for case in ["chatty", "deaf"] {
        let result = said[case].result();
        assert_eq!(result["timed_out"], json!(true), "{case}");
        assert!(result["seconds"].as_u64().unwrap() < 20, "{case}: {result}");
    }
    assert_eq!(said["chatty"].result()["lines"], json!(40), "the end of it is kept");
    let read = &said["reads"];
    assert_eq!(
        (&read.result()["code"], &read.result()["lines"]),
        (&json!(0), &json!(1))
    );
    assert!(read.log.iter().any(|line| line.trim() == "300000"), "{:?}", read.log);
    assert_eq!(said["leaves early"].result()["code"], json!(0));
}
