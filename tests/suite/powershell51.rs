//! Guest scripts in a real Windows PowerShell 5.1, where `RESEAL_POWERSHELL51` names one (CI's Windows job does).
//!
//! Only operations that change nothing are run: they must be understood, end, and answer exactly once.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// Runs each script file that stands in a list with its input, as the resident runner does.
const DRIVER: &str = r"param([string] $ScriptFile, [string] $InputFile)
$text = [IO.File]::ReadAllText($ScriptFile)
& ([scriptblock]::Create($text)) ([IO.File]::ReadAllText($InputFile))
";

/// Reads script files with the engine's own parser and prints what it does not like.
const READER: &str = r"param([string] $Folder)
foreach ($file in Get-ChildItem -LiteralPath $Folder -Filter '*.ps1') {
    $tokens = $null
    $problems = $null
    [void][Management.Automation.Language.Parser]::ParseFile($file.FullName, [ref] $tokens, [ref] $problems)
    foreach ($problem in $problems) { '{0}:{1}: {2}' -f $file.Name, $problem.Extent.StartLineNumber, $problem.Message }
    $read++
}
'read {0}' -f $read
";

/// No operation that only looks takes longer.
const LIMIT: Duration = Duration::from_mins(3);

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn powershell(test: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the test's own switch")]
    let found = std::env::var("RESEAL_POWERSHELL51")
        .ok()
        .filter(|path| !path.is_empty());
    if found.is_none() {
        println!("SKIPPED {test}: RESEAL_POWERSHELL51 names no Windows PowerShell 5.1");
    }
    found
}

/// What a script file prints, standard error after standard output.
fn run(powershell: &str, file: &Path, arguments: &[&Path]) -> String {
    let mut command = Command::new(powershell);
    command
        .args(["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File"])
        .arg(file)
        .args(arguments);
    command.stdin(Stdio::null());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(command.output()));
    let output = receiver
        .recv_timeout(LIMIT)
        .unwrap_or_else(|_| panic!("{} did not end", file.display()))
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}", text(&output.stdout), text(&output.stderr))
}

/// The one answer among what an operation printed.
fn answer(printed: &str) -> Value {
    let mut answers = printed
        .lines()
        .filter_map(|line| line.trim_end().strip_prefix("##reseal:result:"));
    let first = answers.next().unwrap_or_else(|| panic!("no answer:\n{printed}"));
    assert_eq!(answers.next(), None, "more than one answer:\n{printed}");
    serde_json::from_slice(&BASE64_STANDARD.decode(first).unwrap()).unwrap()
}

#[test]
fn powershell51_reads_every_script() {
    let Some(powershell) = powershell("powershell51_reads_every_script") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let scripts = reseal_guest::catalogue::scripts();
    let texts = folder.path().join("scripts");
    std::fs::create_dir(&texts).unwrap();
    for script in &scripts {
        std::fs::write(texts.join(format!("{}.ps1", script.name)), script.text).unwrap();
    }
    let reader = folder.path().join("reader.ps1");
    std::fs::write(&reader, READER).unwrap();
    let printed = run(&powershell, &reader, &[&texts]);
    assert_eq!(printed.trim(), format!("read {}", scripts.len()));
}

#[test]
fn powershell51_runs_what_only_looks() {
    let Some(powershell) = powershell("powershell51_runs_what_only_looks") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let driver = folder.path().join("driver.ps1");
    std::fs::write(&driver, DRIVER).unwrap();
    let cases = [
        ("identity", json!({}), "ps_version"),
        ("pending_reboot", json!({}), "hard"),
        ("products", json!({}), "items"),
        ("preflight", json!({"appx": true, "license": true}), "problems"),
    ];
    for (name, input, member) in cases {
        let script = reseal_guest::catalogue::scripts()
            .into_iter()
            .find(|script| script.name == name)
            .unwrap();
        let (file, given) = (
            folder.path().join(format!("{name}.ps1")),
            folder.path().join(format!("{name}.json")),
        );
        std::fs::write(&file, script.text).unwrap();
        std::fs::write(&given, input.to_string()).unwrap();
        let answer = answer(&run(&powershell, &driver, &[&file, &given]));
        assert_eq!(answer["ok"], json!(true), "{name}: {answer:#}");
        assert!(
            answer["result"].get(member).is_some(),
            "{name} does not say `{member}`: {answer:#}"
        );
    }
}
