//! `install_msi` with a real package and a real Windows Installer: Wine's.

use std::path::Path;

use reseal_guest::{CallContext, parse_step};
use serde_json::{Value, json};

use super::wine::wine;
use super::{Batch, Platform, WINE, script};

/// The package's product code; see `agent.wxs` beside the package.
const PRODUCT: &str = "{6C2BF0C1-3C5B-4E0B-9F36-9C7F6C7C8D11}";

/// A value that a command line may break. Wine loses quotes inside, which Windows Installer takes doubled.
const TOKEN: &str = r"C:\Program Files\한국어 & %TEMP%; d\";

/// Adds the step as a spec has it.
fn add(batch: &mut Batch, case: &str, package: &str, options: &Value) {
    let mut wanted = json!({"source": {"file": "agent.msi"}});
    wanted
        .as_object_mut()
        .unwrap()
        .extend(options.as_object().unwrap().clone());
    let mut input = parse_step("install_msi", wanted)
        .unwrap()
        .call(&CallContext::default())
        .input;
    let work = batch.folder.path().join("work");
    std::fs::create_dir_all(&work).unwrap();
    input["work"] = json!(batch.native(&work));
    input["msi"]["path"] = json!(package);
    input["timeout_seconds"] = json!(90);
    batch.add(case, script("install_msi"), input);
}

/// Adds a look that prints `see: …`.
fn look(batch: &mut Batch, case: &str, expression: &str) {
    let text = format!("[Console]::Out.WriteLine(('see: ' + ({expression})))\n$true");
    batch.add(case, script("condition"), json!({ "script": text }));
}

#[test]
// Long because one start of the engine serves many operations.
fn a_package_is_installed_once_and_its_failure_is_told() {
    let _alone = WINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(winps) = wine("a_package_is_installed_once_and_its_failure_is_told") else {
        return;
    };
    let mut batch = Batch::new(Platform::Wine);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data/guest/msi");
    let package = batch.native(&data.join("agent-4.2.1.msi").canonicalize().unwrap());
    std::fs::write(batch.folder.path().join("none.msi"), "no package at all").unwrap();
    let none = batch.path("none.msi");
    let remove = json!({"command": format!("msiexec /x {PRODUCT} /qn")});
    let key = "'HKLM:\\SOFTWARE\\ResealTestMsi'";

    super::wine::add_step(&mut batch, "clear", "cmd", remove.clone());
    add(&mut batch, "refuses", &package, &json!({"properties": {"REFUSE": "1"}}));
    add(
        &mut batch,
        "installs",
        &package,
        &json!({"properties": {"TOKEN": TOKEN}}),
    );
    look(&mut batch, "token", &format!("(Get-ItemProperty -Path {key}).Token"));
    add(&mut batch, "again", &package, &json!({}));
    let detect = |version: &str| json!({"detect": {"product": "Reseal Test MSI", "version": version}});
    // With a detection of its own: the engine under Wine does not survive a package that cannot be opened.
    let other = json!({"detect": {"product": "Reseal Test Nothing"}});
    add(&mut batch, "no package", &none, &other);
    add(&mut batch, "named", &package, &detect(">=4.2"));
    super::wine::add_step(&mut batch, "remove", "cmd", remove);
    look(&mut batch, "gone", &format!("-not (Test-Path {key})"));
    let said = batch.run(&winps);

    let error = |case: &str| {
        (
            said[case].kind().to_owned(),
            said[case].answer()["error"]["code"].clone(),
        )
    };
    // 1620 from Windows, 1627 from Wine.
    let (kind, code) = error("no package");
    assert!(
        kind == "exit_code" && [1620, 1627].map(Value::from).contains(&code),
        "{kind} {code}"
    );
    assert_eq!(error("refuses"), ("exit_code".to_owned(), json!(1603)));
    assert_eq!(said["refuses"].answer()["error"]["logs"].as_array().unwrap().len(), 1);
    let installed = said["installs"].result();
    assert_eq!(
        (
            &installed["changed"],
            &installed["exit_code"],
            &installed["after"]["present"]
        ),
        (&json!(true), &json!(0), &json!(true)),
        "the package's own product code was found before and after: {installed}"
    );
    let seen = |case: &str| {
        said[case]
            .log
            .iter()
            .find_map(|line| line.strip_prefix("see: "))
            .unwrap()
    };
    assert_eq!(seen("token"), TOKEN);
    for case in ["again", "named"] {
        assert_eq!(said[case].result()["already"], json!(true), "{case}");
    }
    assert_eq!(said["remove"].result()["exit_code"], json!(0));
    assert_eq!(seen("gone"), "True");
}
