//! The scripts' logic in a PowerShell engine: many operations in one process, on Linux and under Wine.
//!
//! `RESEAL_WINPS` names the stand-in for Windows PowerShell; without it these tests say loudly that they did nothing.

mod categories;
mod first_boot;
mod hygiene;
mod linux;
mod msi;
mod packages;
mod preflight;
mod programs;
mod server;
mod services;
mod sysprep;
mod updates;
mod wine;
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reseal_guest::Script;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The stand-in, or a loud line.
pub(crate) fn winps(test: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the test's own switch")]
    let found = std::env::var("RESEAL_WINPS").ok().filter(|path| !path.is_empty());
    if found.is_none() {
        println!("SKIPPED {test}: RESEAL_WINPS does not name winps, so no script was run");
    }
    found.map(PathBuf::from)
}

/// Where the engine runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    Linux,
    Wine,
}

/// What one operation answered.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// The answers; a good operation has exactly one.
    pub(crate) answers: Vec<Value>,
    /// Everything else that it wrote.
    pub(crate) log: Vec<String>,
}

impl Said {
    /// The one answer.
    pub(crate) fn answer(&self) -> &Value {
        assert_eq!(self.answers.len(), 1, "one answer is wanted: {self:#?}");
        &self.answers[0]
    }

    /// Its result.
    pub(crate) fn result(&self) -> &Value {
        let answer = self.answer();
        assert_eq!(answer["ok"], json!(true), "{self:#?}");
        &answer["result"]
    }

    /// Its error's kind.
    pub(crate) fn kind(&self) -> &str {
        let answer = self.answer();
        assert_eq!(answer["ok"], json!(false), "{self:#?}");
        answer["error"]["kind"].as_str().unwrap()
    }
}

/// Operations to run one after the other in one engine process.
pub(crate) struct Batch {
    platform: Platform,
    cases: Vec<(String, Script, Value, Option<PathBuf>)>,
    pub(crate) folder: TempDir,
}

const DRIVER: &str = r"param([string]$CasesFile)
[Console]::OutputEncoding = New-Object Text.UTF8Encoding($false)
$cases = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($CasesFile))
foreach ($case in $cases) {
    [Console]::Out.WriteLine('##case:' + $case.name)
    if ($case.world) {
        . (Join-Path (Split-Path -Parent $CasesFile) 'world.ps1')
        Enter-World $case.world
    }
    $text = [IO.File]::ReadAllText($case.script)
    try {
        if ($case.world -and $global:World.data.language_mode -ne 'FullLanguage') { Invoke-Restricted $global:World.data.language_mode $text $case.input }
        else { & ([scriptblock]::Create($text)) $case.input }
    } catch { [Console]::Out.WriteLine('##threw:' + $_) }
}
";

impl Batch {
    pub(crate) fn new(platform: Platform) -> Self {
        Self {
            platform,
            cases: Vec::new(),
            folder: tempfile::Builder::new().prefix("reseal").tempdir().unwrap(),
        }
    }

    /// Adds an operation.
    pub(crate) fn add(&mut self, name: &str, script: Script, input: Value) {
        self.cases.push((name.to_owned(), script, input, None));
    }

    /// Adds an operation in a Windows of its own, whose root is a folder of this name. Only on Linux.
    fn add_in(&mut self, world: &world::World, name: &str, script: Script, input: Value) {
        let file = world.place(&self.root(name));
        self.cases.push((name.to_owned(), script, input, Some(file)));
    }

    /// The root of a case's own Windows.
    fn root(&self, name: &str) -> PathBuf {
        let safe: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        self.folder.path().join("worlds").join(safe)
    }

    /// What was done to a case's own Windows, in this order; `{root}` is its drive.
    fn calls(&self, name: &str) -> Vec<String> {
        let root = self.root(name);
        let calls = std::fs::read_to_string(root.join("Windows/System32/calls.txt")).unwrap_or_default();
        let drive = root.to_str().unwrap();
        calls.lines().map(|line| line.replace(drive, "{root}")).collect()
    }

    /// A path in the batch's folder, as the engine writes it.
    pub(crate) fn path(&self, name: &str) -> String {
        self.native(&self.folder.path().join(name))
    }

    /// A path of this machine as the engine writes it.
    pub(crate) fn native(&self, path: &Path) -> String {
        let text = path.to_str().unwrap();
        match self.platform {
            Platform::Linux => text.to_owned(),
            Platform::Wine => format!("Z:{}", text.replace('/', "\\")),
        }
    }

    /// Runs everything.
    pub(crate) fn run(&self, winps: &Path) -> BTreeMap<String, Said> {
        let scripts = self.folder.path().join("scripts");
        std::fs::create_dir_all(&scripts).unwrap();
        let mut list = Vec::new();
        for (name, script, input, world) in &self.cases {
            let file = scripts.join(format!("{}.ps1", script.name));
            std::fs::write(&file, script.text).unwrap();
            list.push(
                json!({"name": name, "script": self.native(&file), "input": input.to_string(),
                "world": world.as_ref().map(|file| self.native(file))}),
            );
        }
        std::fs::write(scripts.join("world.ps1"), world::SCRIPT).unwrap();
        std::fs::write(scripts.join("cases.json"), Value::Array(list).to_string()).unwrap();
        std::fs::write(scripts.join("driver.ps1"), DRIVER).unwrap();
        let said = self.execute(
            winps,
            &self.native(&scripts.join("driver.ps1")),
            &self.native(&scripts.join("cases.json")),
        );
        sort(&said)
    }

    /// Output goes into files, because Wine's server lives on and would hold a pipe open; `timeout` bounds the wait.
    fn execute(&self, winps: &Path, driver: &str, cases: &str) -> String {
        let mut command = Command::new("timeout");
        command.args(["-k", "5", "150"]).arg(winps);
        if self.platform == Platform::Wine {
            command
                .arg("--wine")
                .env("WINEPREFIX", prefix())
                .env("WINEDEBUG", "-all");
        }
        let (out, err) = (self.folder.path().join("out.txt"), self.folder.path().join("err.txt"));
        command
            .args(["-NoProfile", "-File", driver, cases])
            .stdin(std::process::Stdio::null());
        command
            .stdout(std::fs::File::create(&out).unwrap())
            .stderr(std::fs::File::create(&err).unwrap());
        let status = command.status().unwrap();
        let said = String::from_utf8_lossy(&std::fs::read(out).unwrap()).into_owned();
        let complaint = String::from_utf8_lossy(&std::fs::read(err).unwrap()).into_owned();
        assert!(
            status.success(),
            "the engine hangs or dies ({status}) after {:?}\n{complaint}",
            said.lines().last()
        );
        assert!(said.contains("##case:"), "{said}\n{complaint}");
        said
    }
}

/// One Wine test at a time: they share a registry.
pub(crate) static WINE: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// The one Wine prefix of these tests.
pub(crate) fn prefix() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("guest-wine")
}

/// Runs one script file under Wine to its end, with a limit; answers what it wrote. Its output goes into a file, because
/// Wine's server would hold a pipe open.
pub(crate) fn run_file(winps: &Path, file: &str) -> String {
    use std::process::Stdio;
    let out = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("timeout");
    command
        .args(["-k", "5", "90"])
        .arg(winps)
        .args(["--wine", "-NoProfile", "-File", file]);
    command.env("WINEPREFIX", prefix()).env("WINEDEBUG", "-all");
    let status = command
        .stdin(Stdio::null())
        .stdout(out.reopen().unwrap())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    // `timeout` answers 124, or is itself ended with 137 when the file must be killed.
    assert!(!matches!(status.code(), None | Some(124 | 137)), "{file} hangs");
    String::from_utf8_lossy(&std::fs::read(out.path()).unwrap()).into_owned()
}

/// Sorts the engine's lines by operation.
fn sort(output: &str) -> BTreeMap<String, Said> {
    let mut all: BTreeMap<String, Said> = BTreeMap::new();
    let mut name = String::new();
    for line in output.lines() {
        if let Some(next) = line.strip_prefix("##case:") {
            next.clone_into(&mut name);
        }
        let said = all.entry(name.clone()).or_default();
        if let Some(encoded) = line.strip_prefix("##reseal:result:") {
            said.answers
                .push(serde_json::from_slice(&BASE64_STANDARD.decode(encoded).unwrap()).unwrap());
        } else {
            said.log.push(line.to_owned());
        }
    }
    all
}

/// The script of an operation.
pub(crate) fn script(name: &str) -> Script {
    reseal_guest::catalogue::scripts()
        .into_iter()
        .find(|script| script.name == name)
        .unwrap()
}
