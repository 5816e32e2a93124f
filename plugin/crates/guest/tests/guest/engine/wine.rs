//! What needs Windows' own things: registry, processes, services, scheduled tasks.

use reseal_guest::preflight::{Options, judge};
use reseal_guest::system::{
    CleanupSelf, CloudbasePrepare, CollectLogs, Fixes, Hygiene, Identity, PendingReboot, Preflight, PreflightFix,
    Products, Query, TaskPoll, TaskRemove, TaskStart, UnattendFind, UnattendPush, VerifyFacts,
};
use reseal_guest::{RunAs, parse_step};
use serde_json::{Value, json};

use super::{Batch, Platform, WINE, prefix, script, winps};

/// The engine under Wine, with PowerShell at its usual place in the prefix; or a loud line.
pub(super) fn wine(test: &str) -> Option<std::path::PathBuf> {
    let winps = winps(test)?;
    let usable = ["/usr/bin/wine64", "/usr/bin/wine", "/usr/lib/wine/wine64"]
        .iter()
        .any(|path| std::path::Path::new(path).exists());
    if !usable {
        println!("SKIPPED {test}: there is no Wine");
        return None;
    }
    link_powershell(&winps);
    Some(winps)
}

fn link_powershell(winps: &std::path::Path) {
    let version = prefix().join("drive_c/windows/system32/WindowsPowerShell/v1.0");
    // Wine brings a program of that name that does nothing.
    if version.is_symlink() {
        return;
    }
    std::fs::create_dir_all(prefix()).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(winps);
        command
            .args(arguments)
            .env("WINEPREFIX", prefix())
            .env("WINEDEBUG", "-all")
            .stderr(std::process::Stdio::null());
        command
    };
    // The first start makes the prefix.
    assert!(
        run(&["--wine", "-NoProfile", "-Command", "1"])
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    let folder = String::from_utf8(run(&["--where", "win-x64"]).output().unwrap().stdout).unwrap();
    std::fs::create_dir_all(version.parent().unwrap()).unwrap();
    let _ = std::fs::remove_dir_all(&version);
    std::os::unix::fs::symlink(folder.trim(), &version).unwrap();
}

pub(super) fn add_step(batch: &mut Batch, case: &str, step: &str, options: Value) {
    let work = batch.folder.path().join("work");
    std::fs::create_dir_all(&work).unwrap();
    let step = parse_step(step, options).unwrap();
    let context = reseal_guest::CallContext {
        work: batch.native(&work),
        round: 1,
        ..reseal_guest::CallContext::default()
    };
    let call = step.call(&context);
    batch.add(case, call.script, call.input);
}

fn add<Q: Query>(batch: &mut Batch, case: &str, query: &Q) {
    batch.add(case, Q::SCRIPT, query.input());
}

const KEY: &str = r"HKLM\SOFTWARE\ResealTest";

#[test]
fn registry_and_environment() {
    let _alone = WINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(winps) = wine("registry_and_environment") else {
        return;
    };
    let mut batch = Batch::new(Platform::Wine);
    let values = json!({
        "Text": {"string": "a"}, "Path": {"expand_string": "%SystemRoot%\\x"}, "Mode": {"dword": 4_294_967_295_u32},
        "Big": {"qword": u64::MAX}, "List": {"multi_string": ["a", "b"]}, "Bytes": {"binary": "00ff10"}, "(Default)": {"string": "d"}
    });
    add_step(&mut batch, "clear", "registry", json!({"key": KEY, "state": "absent"}));
    for case in ["set", "set again"] {
        add_step(&mut batch, case, "registry", json!({"key": KEY, "values": values}));
    }
    add_step(
        &mut batch,
        "type only",
        "registry",
        json!({"key": KEY, "values": {"Text": {"expand_string": "a"}}}),
    );
    add_step(
        &mut batch,
        "take out",
        "registry",
        json!({"key": KEY, "values": {"Mode": {"absent": true}, "Never": {"absent": true}}}),
    );
    add_step(
        &mut batch,
        "hive",
        "registry",
        json!({"key": "HKLM\\SOFTWARE\\ResealTest\\Empty"}),
    );
    let look = format!(
        "$k = Get-Item 'Registry::HKEY_LOCAL_MACHINE\\SOFTWARE\\ResealTest'; \
         [Console]::Out.WriteLine(('see: ' + (@($k.GetValueNames() | Sort-Object | ForEach-Object {{ $_ + '=' + $k.GetValueKind($_) + ':' + \
         (@($k.GetValue($_, $null, 'DoNotExpandEnvironmentNames')) -join '+') }}) -join ' | ')))\n{}",
        "$true"
    );
    batch.add("look", script("condition"), json!({"script": look}));
    add_step(&mut batch, "absent", "registry", json!({"key": KEY, "state": "absent"}));
    add_step(
        &mut batch,
        "absent again",
        "registry",
        json!({"key": KEY, "state": "absent"}),
    );
    let change = json!({"set": {"RESEAL_T": "1", "RESEAL_E": "%SystemDrive%\\t"}, "path": {"prepend": ["C:\\reseal-first"], "append": ["C:\\reseal-last"]}});
    let back =
        json!({"remove": ["RESEAL_T", "RESEAL_E"], "path": {"remove": ["C:\\reseal-first\\", "c:\\RESEAL-LAST"]}});
    add_step(&mut batch, "environment back 0", "environment", back.clone());
    for (case, options) in [
        ("environment", &change),
        ("environment again", &change),
        ("environment back", &back),
        ("environment back again", &back),
    ] {
        add_step(&mut batch, case, "environment", options.clone());
    }
    let said = batch.run(&winps);

    assert_eq!(
        said["set"].result()["detail"],
        json!("7 changes in HKLM\\SOFTWARE\\ResealTest")
    );
    assert_eq!(said["type only"].result()["changed"], json!(true));
    assert_eq!(
        said["take out"].result()["detail"],
        json!("1 changes in HKLM\\SOFTWARE\\ResealTest")
    );
    let seen = said["look"].log.iter().find(|line| line.starts_with("see: ")).unwrap();
    assert_eq!(
        seen,
        "see: =String:d | Big=QWord:-1 | Bytes=Binary:0+255+16 | List=MultiString:a+b | Path=ExpandString:%SystemRoot%\\x | Text=ExpandString:a"
    );
    for case in ["set", "absent", "environment", "environment back"] {
        assert_eq!(said[case].result()["changed"], json!(true), "{case}");
        assert_eq!(
            said[&format!("{case} again")].result()["already"],
            json!(true),
            "{case}"
        );
    }
}

#[test]
// Long because one start of the engine serves many operations.
fn installers() {
    let _alone = WINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(winps) = wine("installers") else { return };
    let mut batch = Batch::new(Platform::Wine);
    let work = batch.path("work");
    std::fs::create_dir_all(batch.folder.path().join("work")).unwrap();
    let exe = json!({"path": "C:\\windows\\system32\\cmd.exe", "sha256": null, "publisher": null, "size": null});
    let marker = batch.path("work\\installed.txt").replace('/', "\\");
    let detect = json!({"kind": "file", "file": marker, "version": []});
    let input = |arguments: Value, detect: &Value| {
        json!({"work": work, "timeout_seconds": 30, "busy_seconds": 0, "family": "custom", "exe": exe, "response_file": null,
            "directory": null, "arguments": arguments, "log": null, "detect": detect,
            "codes": {"success": [0, 3010], "reboot": [3010], "already": [], "busy": [1618]}})
    };
    let install = script("install_exe");
    batch.add("fails", install, input(json!(["/c", "exit", "1603"]), &detect));
    batch.add(
        "negative",
        install,
        input(json!(["/c", "exit", "-2145124329"]), &Value::Null),
    );
    batch.add("busy", install, input(json!(["/c", "exit", "1618"]), &Value::Null));
    batch.add("lies", install, input(json!(["/c", "exit", "0"]), &detect));
    batch.add("reboot first", install, input(json!(["/c", "exit", "3010"]), &detect));
    batch.add(
        "installs",
        install,
        input(json!(["/c", "echo", "done", ">", marker]), &detect),
    );
    batch.add("already", install, input(json!(["/c", "exit", "1603"]), &detect));
    let mut late = input(json!(["/c", "ping -n 30 127.0.0.1"]), &Value::Null);
    late["timeout_seconds"] = json!(2);
    batch.add("late", install, late);
    let mut wrong = input(json!(["/c", "exit", "0"]), &Value::Null);
    wrong["exe"]["sha256"] = json!("0".repeat(64));
    batch.add("wrong hash", install, wrong);
    add_step(
        &mut batch,
        "cmd",
        "cmd",
        json!({"command": "echo hello %RESEAL_WHO%\nexit /b 3010", "environment": {"RESEAL_WHO": "world"}}),
    );
    add_step(&mut batch, "cmd fails", "cmd", json!({"command": "exit /b 5"}));
    let product = format!("{KEY}Product");
    let uninstall = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\ResealTest";
    let shown = json!({"DisplayName": {"string": "Reseal Test Agent"}, "DisplayVersion": {"string": "4.10.1"}, "WindowsInstaller": {"string": "odd"}});
    add_step(
        &mut batch,
        "register",
        "registry",
        json!({"key": uninstall, "values": shown}),
    );
    for (case, version, present) in [
        ("new enough", ">=4.2", true),
        ("too old", ">=4.11", false),
        ("in between", ">=4.2, <5", true),
    ] {
        let detect = reseal_guest::detect::Detect {
            product: Some("Reseal Test*".to_owned()),
            version: Some(reseal_guest::version::VersionReq::parse(version).unwrap()),
            ..Default::default()
        };
        let step = parse_step(
            "install_exe",
            json!({"source": {"file": "x.exe"}, "family": "custom", "arguments": ["x"], "detect": detect}),
        )
        .unwrap();
        let mut input = step.call(&reseal_guest::CallContext::default()).input;
        input["work"] = json!(work);
        batch.add(&format!("{case} {present}"), install, input);
    }
    add(&mut batch, "products", &Products {});
    add_step(
        &mut batch,
        "unregister",
        "registry",
        json!({"key": uninstall, "state": "absent"}),
    );
    add_step(
        &mut batch,
        "unregister product",
        "registry",
        json!({"key": product, "state": "absent"}),
    );
    let said = batch.run(&winps);

    assert_eq!(
        (said["fails"].kind(), &said["fails"].answer()["error"]["code"]),
        ("exit_code", &json!(1603))
    );
    assert_eq!(said["negative"].answer()["error"]["code"], json!(0x8024_0017_u32));
    assert_eq!(said["busy"].kind(), "busy");
    assert_eq!(said["lies"].kind(), "not_detected");
    let first = said["reboot first"].result();
    assert!(
        first["reboot_required"] == json!(true) && first["warnings"][0].as_str().unwrap().contains("restart"),
        "{first}"
    );
    let installed = said["installs"].result();
    assert_eq!(
        (
            &installed["changed"],
            &installed["before"]["present"],
            &installed["after"]["present"]
        ),
        (&json!(true), &json!(false), &json!(true))
    );
    assert_eq!(said["already"].result()["already"], json!(true));
    assert_eq!(said["late"].kind(), "timeout");
    assert_eq!(said["wrong hash"].kind(), "hash_mismatch");
    assert!(
        said["cmd"].log.iter().any(|line| line.trim() == "hello world"),
        "{:?}",
        said["cmd"]
    );
    assert_eq!(said["cmd"].result()["reboot_required"], json!(true));
    assert_eq!(said["cmd fails"].answer()["error"]["code"], json!(5));
    assert_eq!(said["new enough true"].result()["already"], json!(true));
    assert_eq!(said["in between true"].result()["before"]["version"], json!("4.10.1"));
    assert_eq!(
        said["too old false"].kind(),
        "missing_file",
        "it goes on to install, and there is nothing to install"
    );
    let products = Products::read(said["products"].answer()).unwrap();
    assert!(
        products
            .items
            .iter()
            .any(|item| item.name == "Reseal Test Agent" && !item.msi),
        "{products:?}"
    );
}

#[test]
// Long because one start of the engine serves many operations.
fn facts_and_preparations() {
    let _alone = WINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(winps) = wine("facts_and_preparations") else {
        return;
    };
    let mut batch = Batch::new(Platform::Wine);
    let cbs = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending";
    let session = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager";
    let answer = batch.path("sysprep\\reseal-unattend.xml");
    std::fs::write(batch.folder.path().join("old.xml"), "\u{feff}<unattend/>").unwrap();
    let old = batch.path("old.xml");
    add(&mut batch, "identity", &Identity {});
    add_step(&mut batch, "no cbs", "registry", json!({"key": cbs, "state": "absent"}));
    add_step(&mut batch, "make cbs", "registry", json!({"key": cbs}));
    let leftovers = json!({"PendingFileRenameOperations": {"multi_string": ["\\??\\C:\\old.dll", "", "\\??\\C:\\a.dll", "!\\??\\C:\\b.dll"]}});
    add_step(
        &mut batch,
        "make renames",
        "registry",
        json!({"key": session, "values": leftovers}),
    );
    add(&mut batch, "pending", &PendingReboot {});
    add_step(
        &mut batch,
        "clear cbs",
        "registry",
        json!({"key": cbs, "state": "absent"}),
    );
    add_step(
        &mut batch,
        "clear renames",
        "registry",
        json!({"key": session, "values": {"PendingFileRenameOperations": {"absent": true}}}),
    );
    add(&mut batch, "quiet", &PendingReboot {});
    add(
        &mut batch,
        "find",
        &UnattendFind {
            candidates: vec!["C:\\none.xml".to_owned(), old.clone()],
        },
    );
    add(&mut batch, "find none", &UnattendFind::default());
    let mut push = UnattendPush::new(
        "aGVsbG8=".to_owned(),
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".to_owned(),
    );
    push.path.clone_from(&answer);
    let stale = prefix().join("drive_c/unattend.xml");
    std::fs::write(&stale, "<unattend/>").unwrap();
    add(&mut batch, "push", &push);
    push.sha256 = "0".repeat(64);
    add(&mut batch, "push wrong", &push);
    add(&mut batch, "cloudbase", &CloudbasePrepare::default());
    add(
        &mut batch,
        "fix",
        &PreflightFix {
            timeout_seconds: 30,
            ..PreflightFix::new(vec![Fixes::Store, Fixes::AnswerFiles, Fixes::Services, Fixes::Appx])
        },
    );
    add(&mut batch, "preflight", &Preflight::default());
    add_step(
        &mut batch,
        "autologon",
        "registry",
        json!({"key": "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon", "values": {"DefaultPassword": {"string": "x"}}}),
    );
    let hygiene =
        json!({"categories": ["winlogon", "answer_files", "temp"], "keep": [batch.path("")], "timeout_seconds": 60});
    batch.add("hygiene", Hygiene::SCRIPT, hygiene);
    add(&mut batch, "verify", &VerifyFacts {});
    let extra = vec![batch.path("*.xml")];
    add(&mut batch, "logs", &CollectLogs { extra });
    let said = batch.run(&winps);

    let identity = Identity::read(said["identity"].answer()).unwrap();
    assert!(
        identity.user_sid.starts_with("S-1-5-") && identity.process_64bit && !identity.boot_utc.is_empty(),
        "{identity:?}"
    );
    let pending = PendingReboot::read(said["pending"].answer()).unwrap();
    assert!(
        pending.hard.iter().any(|signal| signal.signal == "cbs_reboot_pending"),
        "{pending:?}"
    );
    let renamed: Vec<&str> = pending
        .soft
        .iter()
        .filter(|s| s.signal == "file_rename")
        .map(|s| s.detail.as_str())
        .collect();
    assert_eq!(renamed, ["C:\\old.dll", "C:\\a.dll"]);
    let quiet = PendingReboot::read(said["quiet"].answer()).unwrap();
    assert!(
        !quiet.hard.iter().any(|signal| signal.signal.starts_with("cbs")) && quiet.soft.is_empty(),
        "{quiet:?}"
    );
    let found = UnattendFind::read(said["find"].answer()).unwrap();
    assert_eq!(
        (
            found.path.as_deref(),
            found.encoding.as_deref(),
            found.architecture.as_str()
        ),
        (Some(old.as_str()), Some("utf8_bom"), "amd64")
    );
    assert!(!UnattendFind::read(said["find none"].answer()).unwrap().found);
    let answer_written = UnattendPush::read(said["push"].answer()).unwrap();
    assert_eq!(
        (
            answer_written
                .removed
                .iter()
                .any(|path| path.eq_ignore_ascii_case("C:\\unattend.xml")),
            stale.exists()
        ),
        (true, false),
        "{:?}",
        answer_written.removed
    );
    let made: Vec<_> = std::fs::read_dir(batch.folder.path().join("sysprep"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(
        made.len(),
        1,
        "a file that did not arrive whole leaves nothing: {made:?}"
    );
    assert_eq!(
        std::fs::read_to_string(batch.folder.path().join("sysprep/reseal-unattend.xml")).unwrap(),
        "hello"
    );
    assert_eq!(said["push wrong"].kind(), "hash_mismatch");
    CloudbasePrepare::read(said["cloudbase"].answer()).unwrap();
    let fixes = PreflightFix::read(said["fix"].answer()).unwrap();
    assert!(fixes.fixes.iter().all(|fix| fix.done), "{fixes:?}");
    let facts = Preflight::read(said["preflight"].answer()).unwrap();
    assert_eq!(facts.language_mode.as_deref(), Some("FullLanguage"));
    assert_eq!(
        facts.store.and_then(|store| store.auto_download),
        Some(2),
        "the fix has set it"
    );
    assert!(
        facts.pending.is_some() && facts.free_bytes.is_some(),
        "{:?}",
        facts.problems
    );
    let _ = judge(&facts, &Options::default());
    let cleaned = Hygiene::read(said["hygiene"].answer()).unwrap();
    assert!(cleaned.categories.iter().all(|category| category.done), "{cleaned:?}");
    assert!(cleaned.categories[0].removed >= 1 && batch.folder.path().join("scripts").exists());
    assert!(
        !VerifyFacts::read(said["verify"].answer())
            .unwrap()
            .computer_name
            .is_empty()
    );
    CollectLogs::read(said["logs"].answer()).unwrap();
}

#[test]
fn detached_work() {
    let _alone = WINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(winps) = wine("detached_work") else { return };
    let mut batch = Batch::new(Platform::Wine);
    let work = batch.path("job");
    let task = "reseal-test-1".to_owned();
    let inner = reseal_guest::catalogue::scripts()
        .into_iter()
        .find(|script| script.name == "condition")
        .unwrap();
    let start = TaskStart {
        task: task.clone(),
        work: work.clone(),
        op: "condition".to_owned(),
        script: inner.text.to_owned(),
        input: json!({"script": "[Console]::Out.WriteLine('from the task'); $true"}),
        timeout_seconds: 60,
        run_as: RunAs::System,
    };
    add(
        &mut batch,
        "sweep",
        &TaskRemove {
            task: task.clone(),
            work: work.clone(),
        },
    );
    add(&mut batch, "start", &start);
    add(&mut batch, "start again", &start);
    let look = TaskPoll {
        task: task.clone(),
        work: work.clone(),
        offset: 0,
    };
    add(&mut batch, "before", &look);
    let said = batch.run(&winps);
    assert_eq!(said["start"].result()["started"], json!(true));
    assert_eq!(said["start again"].result()["started"], json!(false));
    let before = TaskPoll::read(said["before"].answer()).unwrap();
    assert_eq!(
        (before.state.as_str(), before.log.as_str()),
        ("running", ""),
        "{before:?}"
    );

    // Wine's scheduler never starts anything, so its part is played here: the same file, in a process of its own.
    let job = batch.folder.path().join("job");
    super::run_file(&winps, &batch.native(&job.join("run.ps1")));
    assert!(
        !job.join("input.json").exists(),
        "the input may hold secrets and goes at once"
    );
    let mut after = Batch::new(Platform::Wine);
    add(&mut after, "done", &look);
    let read_on = TaskPoll {
        offset: 5,
        ..look.clone()
    };
    add(&mut after, "read on", &read_on);
    add(
        &mut after,
        "remove",
        &TaskRemove {
            task: task.clone(),
            work: work.clone(),
        },
    );
    add(&mut after, "missing", &look);
    add(
        &mut after,
        "cleanup",
        &CleanupSelf {
            work: vec![work],
            task_prefix: "reseal-test".to_owned(),
        },
    );
    let said = after.run(&winps);
    let done = TaskPoll::read(said["done"].answer()).unwrap();
    assert_eq!(done.state, "done");
    assert_eq!(done.result, Some(json!({"ok": true, "result": {"value": true}})));
    assert_eq!(done.log.trim_end(), "from the task");
    assert_eq!(
        TaskPoll::read(said["read on"].answer()).unwrap().log.trim_end(),
        "the task"
    );
    assert_eq!(said["remove"].result(), &json!({}));
    assert_eq!(TaskPoll::read(said["missing"].answer()).unwrap().state, "missing");
    assert!(CleanupSelf::read(said["cleanup"].answer()).unwrap().left.is_empty());
    assert!(!job.exists());
}

/// What the made-up worlds only tell: a mutex that is really held, and the hives of accounts that are loaded.
#[test]
fn what_windows_itself_holds() {
    let _alone = WINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(winps) = wine("what_windows_itself_holds") else {
        return;
    };
    let mut batch = Batch::new(Platform::Wine);
    let mut ask = |name: &str, text: &str| batch.add(name, script("condition"), json!({"script": text}));
    ask(
        "hold",
        r"$global:ResealHeld = New-Object Threading.Mutex($true, 'Global\_MSIExecute'); $true",
    );
    let lists = r#"$user = @(Get-ChildItem 'Registry::HKEY_USERS' | Where-Object { $_.PSChildName -like 'S-1-5-21-*' })[0].PSChildName
$list = "Registry::HKEY_USERS\$user\SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\RunMRU"
"#;
    let typed = "if (-not (Test-Path -LiteralPath $list)) { $null = New-Item -Path $list -Force }
foreach ($name in 'a', 'MRUList') { $null = New-ItemProperty -LiteralPath $list -Name $name -Value 'a' -PropertyType String -Force }
";
    let count = "@((Get-Item -LiteralPath $list).GetValueNames()).Count";
    ask("typed", &format!("{lists}{typed}{count} -eq 2"));
    add(&mut batch, "busy", &PendingReboot {});
    let hygiene = json!({"categories": ["run_history"], "keep": [], "timeout_seconds": 60});
    batch.add("forget", Hygiene::SCRIPT, hygiene);
    let mut ask = |name: &str, text: &str| batch.add(name, script("condition"), json!({"script": text}));
    ask("forgotten", &format!("{lists}{count} -eq 0"));
    ask("release", "$global:ResealHeld.Dispose(); $true");
    add(&mut batch, "idle", &PendingReboot {});
    let said = batch.run(&winps);
    for case in ["hold", "typed", "forgotten", "release"] {
        assert_eq!(said[case].result()["value"], json!(true), "{case}: {:?}", said[case]);
    }
    let held = |case: &str| PendingReboot::read(said[case].answer()).unwrap().msi_mutex;
    assert_eq!((held("busy"), held("idle")), (true, false));
    let forgotten = Hygiene::read(said["forget"].answer()).unwrap().categories.remove(0);
    assert!(forgotten.done && forgotten.removed >= 2, "{forgotten:?}");
}
