//! The sysprep wrapper and its bootstrap, with a stand-in for `sysprep.exe` that does nothing.

use std::path::{Path, PathBuf};

use reseal_guest::Script;
use reseal_guest::system::{Query as _, Status, SysprepPoll, SysprepSettings, SysprepStart};
use serde_json::{Value, json};

use super::wine::wine;
use super::{Batch, Platform, WINE, prefix, script};

const STATE: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State";
const STATUS: &str = r"HKLM\SYSTEM\Setup\Status\SysprepStatus";

fn registry(key: &str, values: &Value) -> (Script, Value) {
    let values: Vec<Value> = values
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, data)| json!({"name": name, "kind": if data.is_number() { "dword" } else { "string" }, "data": data}))
        .collect();
    (
        script("registry"),
        json!({"key": key, "view": 64, "state": "present", "values": values}),
    )
}

/// Puts the registry into a state of sysprep.
fn set(batch: &mut Batch, image: &str, generalization: u32, setup: u32, command: &str) {
    for (case, (script, input)) in [
        ("state", registry(STATE, &json!({"ImageState": image}))),
        (
            "status",
            registry(
                STATUS,
                &json!({"GeneralizationState": generalization, "CleanupState": 2}),
            ),
        ),
        (
            "setup",
            registry(r"HKLM\SYSTEM\Setup", &json!({"SetupType": setup, "CmdLine": command})),
        ),
    ] {
        batch.add(case, script, input);
    }
}

fn sysprep_folder() -> PathBuf {
    prefix().join("drive_c/windows/system32/Sysprep")
}

/// A program that ends at once takes sysprep's place.
fn place_stand_in() {
    let folder = sysprep_folder();
    std::fs::create_dir_all(folder.join("Panther")).unwrap();
    std::fs::copy(
        prefix().join("drive_c/windows/system32/hostname.exe"),
        folder.join("sysprep.exe"),
    )
    .unwrap();
}

/// Runs the wrapper in a folder of the batch; answers its last status, or `None` when it has removed its folder, and what
/// it told the serial port.
fn run_wrapper(winps: &Path, batch: &Batch, verify_seconds: u64) -> (Option<Status>, String) {
    let work = batch.folder.path().join("run");
    std::fs::create_dir_all(&work).unwrap();
    let settings = json!({"run": "test", "answer_file": batch.path("answer.xml"), "timeout_seconds": 20, "verify_seconds": verify_seconds,
        "linger_seconds": 0, "delete": [batch.path("deleted.txt")], "build_account": null, "undo_key": "HKLM:\\SOFTWARE\\ResealWrapperTest", "shutdown": false, "mode_vm": false});
    let job = json!({"task": "reseal-wrapper-test", "work": batch.native(&work), "settings": settings});
    std::fs::write(work.join("settings.json"), job.to_string()).unwrap();
    let start = SysprepStart::new("", "", SysprepSettings::new("test", 20));
    std::fs::write(work.join("sysprep_wrapper.ps1"), start.wrapper).unwrap();
    let serial = super::run_file(winps, &batch.native(&work.join("sysprep_wrapper.ps1")));
    let last = std::fs::read(work.join("status.json")).ok();
    (last.map(|last| serde_json::from_slice(&last).unwrap()), serial)
}

#[test]
fn without_proofs_nothing_is_removed() {
    let _alone = WINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(winps) = wine("without_proofs_nothing_is_removed") else {
        return;
    };
    place_stand_in();
    let mut batch = Batch::new(Platform::Wine);
    std::fs::write(batch.folder.path().join("answer.xml"), "<unattend/>").unwrap();
    std::fs::write(batch.folder.path().join("deleted.txt"), "x").unwrap();
    // An old tag of an earlier run, and everything in order otherwise: the tag must not be believed.
    std::fs::write(sysprep_folder().join("Sysprep_succeeded.tag"), "").unwrap();
    std::fs::write(
        sysprep_folder().join("Panther/setupact.log"),
        "2026-05-06 14:40:34, Info  SYSPRP line 1\r\nhalf a line",
    )
    .unwrap();
    set(
        &mut batch,
        "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE",
        4,
        2,
        r"oobe\windeploy.exe",
    );
    batch.run(&winps);
    let (status, serial) = run_wrapper(&winps, &batch, 1);
    let status = status.unwrap();
    assert!(serial.contains("RESEAL test FAILED"), "{serial}");
    assert_eq!(
        (status.phase.as_str(), status.reason.as_deref()),
        ("failed", Some("not_generalized")),
        "{status:?}"
    );
    assert_eq!(status.evidence.unwrap().missing(), ["tag file"]);
    assert!(batch.folder.path().join("answer.xml").exists() && batch.folder.path().join("deleted.txt").exists());

    let mut look = Batch::new(Platform::Wine);
    set(&mut look, "IMAGE_STATE_COMPLETE", 7, 0, "");
    let poll = SysprepPoll {
        task: "reseal-none".to_owned(),
        work: batch.path("run"),
        act_offset: 0,
        err_offset: 0,
        seen: false,
    };
    look.add("poll", SysprepPoll::SCRIPT, poll.input());
    let said = look.run(&winps);
    let polled = SysprepPoll::read(said["poll"].answer()).unwrap();
    assert_eq!(polled.status.unwrap().phase, "failed");
    assert_eq!(
        (polled.task_state.as_str(), polled.sysprep_running, polled.evidence.good),
        ("missing", 0, false)
    );
    assert_eq!(polled.evidence.missing().len(), 4);
    assert!(
        polled.act.text.ends_with("half a line"),
        "nothing more comes, so the rest is given too: {:?}",
        polled.act
    );
}

#[test]
fn with_all_proofs_every_trace_goes() {
    let _alone = WINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(winps) = wine("with_all_proofs_every_trace_goes") else {
        return;
    };
    place_stand_in();
    let mut batch = Batch::new(Platform::Wine);
    std::fs::write(batch.folder.path().join("answer.xml"), "<unattend/>").unwrap();
    std::fs::write(batch.folder.path().join("deleted.txt"), "x").unwrap();
    set(
        &mut batch,
        "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE",
        4,
        2,
        r"oobe\windeploy.exe",
    );
    // The bootstrap once set a value that was not there, and changed one that was.
    let undo = json!({
        "0000": json!({"kind": "value", "path": "HKLM:\\SOFTWARE\\ResealUndone", "name": "New", "existed": false, "data": null}).to_string(),
        "0001": json!({"kind": "value", "path": "HKLM:\\SOFTWARE\\ResealUndone", "name": "Old", "existed": true, "data": 7}).to_string(),
        // What cannot be taken back does not keep the rest from it.
        "0002": "no JSON",
        "0003": json!({"kind": "unheard of"}).to_string(),
        "0004": json!({"kind": "certificate", "thumbprint": "0000"}).to_string(),
    });
    let (registry_script, input) = registry(r"HKLM\SOFTWARE\ResealWrapperTest\Undo", &undo);
    batch.add("undo", registry_script, input);
    let (registry_script, input) = registry(r"HKLM\SOFTWARE\ResealUndone", &json!({"New": 1, "Old": 1}));
    batch.add("undone", registry_script, input);
    batch.run(&winps);
    // The tag appears while the wrapper waits for its proofs, as it does after a real run.
    let tag = sysprep_folder().join("Sysprep_succeeded.tag");
    let _ = std::fs::remove_file(&tag);
    let status_file = batch.folder.path().join("run/status.json");
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        // Until the wrapper has ended, twenty times a second at most.
        while is_over.recv_timeout(std::time::Duration::from_millis(50))
            == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
        {
            if std::fs::read_to_string(&status_file).is_ok_and(|text| text.contains("verifying")) && !tag.exists() {
                std::fs::write(&tag, "").unwrap();
            }
        }
    });
    let (status, serial) = run_wrapper(&winps, &batch, 30);
    over.send(()).unwrap();
    writer.join().unwrap();
    assert!(serial.contains("RESEAL test GENERALIZED"), "{serial}");
    assert!(
        serial.contains("LEFT change 0002") && serial.contains("LEFT change 0003"),
        "{serial}"
    );
    assert!(
        !serial.contains("LEFT change 0001") && !serial.contains("LEFT change 0004"),
        "{serial}"
    );
    assert_eq!(status, None, "the wrapper's folder is gone");
    for gone in ["answer.xml", "deleted.txt", "run"] {
        assert!(!batch.folder.path().join(gone).exists(), "{gone}");
    }
    let mut look = Batch::new(Platform::Wine);
    let see = "$k = Get-Item HKLM:\\SOFTWARE\\ResealUndone; [Console]::Out.WriteLine('see: ' + ($k.GetValueNames() -join '+') + ' ' + $k.GetValue('Old')); -not (Test-Path HKLM:\\SOFTWARE\\ResealWrapperTest)";
    look.add("look", script("condition"), json!({"script": see}));
    set(&mut look, "IMAGE_STATE_COMPLETE", 7, 0, "");
    let said = look.run(&winps);
    assert!(
        said["look"].log.contains(&"see: Old 7".to_owned()),
        "{:?}",
        said["look"]
    );
    assert_eq!(
        said["look"].result()["value"],
        json!(true),
        "the record of changes is gone"
    );
    let _ = std::fs::remove_file(sysprep_folder().join("Sysprep_succeeded.tag"));
}

/// Calls one function of the wrapper, without running the wrapper.
const CALL: &str = r"param([string]$File)
Set-StrictMode -Version 3.0
[Console]::Out.WriteLine('##case:arguments')
$wrapper = [Management.Automation.Language.Parser]::ParseFile($File, [ref]$null, [ref]$null)
$wanted = { param($node) $node -is [Management.Automation.Language.FunctionDefinitionAst] -and $node.Name -eq 'Get-SysprepArguments' }
. ([scriptblock]::Create($wrapper.Find($wanted, $true).Extent.Text))
foreach ($mode in $false, $true) {
    $settings = [pscustomobject]@{ answer_file = 'C:\a.xml'; mode_vm = $mode }
    [Console]::Out.WriteLine((Get-SysprepArguments))
}
";

#[test]
fn the_mode_stands_on_syspreps_command_line() {
    let Some(winps) = super::winps("the_mode_stands_on_syspreps_command_line") else {
        return;
    };
    let batch = Batch::new(Platform::Linux);
    let driver = batch.folder.path().join("call.ps1");
    std::fs::write(&driver, CALL).unwrap();
    let wrapper = Path::new(env!("CARGO_MANIFEST_DIR")).join("ops/sysprep_wrapper.ps1");
    let said = batch.execute(&winps, driver.to_str().unwrap(), wrapper.to_str().unwrap());
    let lines: Vec<&str> = said.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            r"/generalize /oobe /quit /quiet /unattend:C:\a.xml",
            r"/generalize /oobe /mode:vm /quit /quiet /unattend:C:\a.xml",
        ]
    );
}
