//! Packages that bring their own tools: modules, capabilities, apps.

use std::collections::BTreeMap;

use reseal_guest::{CallContext, Delivered, parse_step};
use serde_json::{Value, json};

use super::wine::wine;
use super::{Batch, Platform, WINE, script};

/// Adds a step as a spec has it; its source, where it has one, is `file` in the batch's folder.
fn add(batch: &mut Batch, case: &str, step: &str, options: Value, file: Option<&str>) {
    let work = batch.folder.path().join("work");
    std::fs::create_dir_all(&work).unwrap();
    let step = parse_step(step, options).unwrap();
    let payloads: BTreeMap<String, Delivered> = step
        .payloads()
        .iter()
        .map(|payload| {
            let path = batch.path(file.unwrap_or_default());
            (payload.source.key(), Delivered { path, sha256: None })
        })
        .collect();
    let context = CallContext {
        work: batch.native(&work),
        payloads,
        ..CallContext::default()
    };
    let call = step.call(&context);
    batch.add(case, call.script, call.input);
}

#[test]
fn modules_capabilities_and_apps_are_there_once() {
    let _alone = WINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(winps) = wine("modules_capabilities_and_apps_are_there_once") else {
        return;
    };
    let mut batch = Batch::new(Platform::Wine);
    let source = batch.folder.path().join("source/Example");
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join("Example.psm1"), "function Get-Example { 'example' }\n").unwrap();
    std::fs::write(
        source.join("Example.psd1"),
        "@{ ModuleVersion = '1.2.3'; RootModule = 'Example.psm1'; FunctionsToExport = @('Get-Example') }\n",
    )
    .unwrap();
    std::fs::write(batch.folder.path().join("Example.App.msix"), "a package").unwrap();
    let pack = format!(
        "Compress-Archive -Path '{}' -DestinationPath '{}' -Force\n$true",
        batch.path("source\\Example"),
        batch.path("module.zip")
    );
    batch.add("pack", script("condition"), json!({ "script": pack }));
    let forget = "Get-AppxProvisionedPackage -Online | Where-Object { $_.DisplayName -eq 'Example.App' } | \
                  Remove-AppxProvisionedPackage -Online\n$true";
    batch.add("clear app", script("condition"), json!({ "script": forget }));
    let module = |state: &str, version: &str| json!({"module": "Example", "version": version, "source": {"file": "module.zip"}, "state": state});
    let capability = |state: &str| json!({"names": ["OpenSSH.Server~~~~0.0.1.0"], "state": state});
    let app = json!({"source": {"file": "Example.App.msix"}, "package": "Example.App"});
    let mut twice = |case: &str, step: &str, options: Value, file: Option<&str>| {
        add(&mut batch, case, step, options.clone(), file);
        add(&mut batch, &format!("{case} again"), step, options, file);
    };
    add_clear(&mut twice, &module("absent", "1.2.3"), &capability("absent"));
    twice(
        "module",
        "powershell_module",
        module("present", "1.2.3"),
        Some("module.zip"),
    );
    twice("no module", "powershell_module", module("absent", "1.2.3"), None);
    twice("capability", "capability", capability("present"), None);
    twice("no capability", "capability", capability("absent"), None);
    twice("app", "msix", app, Some("Example.App.msix"));
    let said = batch.run(&winps);
    for case in ["module", "no module", "capability", "no capability", "app"] {
        assert_eq!(said[case].result()["changed"], json!(true), "{case}");
        let again = said[&format!("{case} again")].result();
        assert_eq!(again["already"], json!(true), "{case}");
    }
    let state = |case: &str| said[case].result()["items"][0]["state"].clone();
    assert_eq!(
        (state("capability"), state("no capability")),
        (json!("installed"), json!("removed"))
    );
}

/// What an earlier run that was broken off may have left.
fn add_clear(twice: &mut impl FnMut(&str, &str, Value, Option<&str>), module: &Value, capability: &Value) {
    twice("clear module", "powershell_module", module.clone(), None);
    twice("clear capability", "capability", capability.clone(), None);
}
