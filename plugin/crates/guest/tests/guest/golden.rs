//! What Windows will be asked, for every step with sample options.

use std::collections::BTreeMap;

use reseal_guest::{CallContext, Mode, STEP_NAMES, Step, parse_step};
use serde_json::{Value, json};

use crate::data;

/// The sample options of every step.
pub(crate) fn samples() -> BTreeMap<String, Value> {
    serde_json::from_str(&std::fs::read_to_string(data("samples.json")).unwrap()).unwrap()
}

#[test]
fn every_step_is_called_as_its_golden_says() {
    let samples = samples();
    for &name in STEP_NAMES {
        let step = parse_step(name, samples[name].clone()).unwrap();
        let shown = serde_json::to_string_pretty(&rendering(&step)).unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(data("golden"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, shown));
    }
    assert_eq!(samples.len(), STEP_NAMES.len());
}

fn rendering(step: &Step) -> Value {
    let context = CallContext {
        work: r"C:\Windows\Temp\reseal-4f2a\3".to_owned(),
        round: 1,
        ..CallContext::default()
    };
    let call = step.call(&context);
    let mode = match call.mode {
        Mode::Inline => json!("inline"),
        Mode::Detached { run_as, timeout } => json!({"run_as": run_as, "seconds": timeout.as_secs()}),
    };
    let payloads: Vec<Value> = step
        .payloads()
        .iter()
        .map(|payload| json!({"key": payload.source.key(), "file_name": payload.file_name}))
        .collect();
    json!({
        "summary": step.summary(),
        "operation": call.script.name,
        "mode": mode,
        "input": call.input,
        "payloads": payloads,
        "may_reboot": step.may_reboot(),
        "rounds": step.rounds(),
    })
}

#[test]
fn steps_survive_the_journal() {
    for (name, value) in samples() {
        let step = parse_step(&name, value).unwrap();
        let text = serde_json::to_string(&step).unwrap();
        assert_eq!(serde_json::from_str::<Step>(&text).unwrap(), step, "{name}");
    }
}

#[test]
fn answers_are_read_with_their_meaning() {
    let step = parse_step("install_msi", samples()["install_msi"].clone()).unwrap();
    let answer = json!({"ok": true, "result": {"changed": true, "already": false, "reboot_required": true, "exit_code": 3010,
        "detail": "Example Agent 4.2.1", "logs": ["C:\\x.log"], "after": {"present": true, "version": "4.2.1", "detail": "d"}}});
    let outcome = step.read(&answer).unwrap();
    assert!(outcome.changed && outcome.reboot_required);
    assert_eq!(outcome.exit_meaning.as_deref(), Some("success, a restart is required"));
    assert_eq!(outcome.after.unwrap().version.as_deref(), Some("4.2.1"));

    let failed = json!({"ok": false, "error": {"kind": "exit_code", "message": "ended with 1603", "code": -2_147_023_293_i64, "logs": ["C:\\x.log"]}});
    let failure = step.read(&failed).unwrap_err();
    assert_eq!((failure.kind.as_str(), failure.code), ("exit_code", Some(0x8007_0643)));
    assert!(failure.message.contains("fatal error during installation"), "{failure}");
    assert!(failure.hint.unwrap().contains("Return value 3"));
    assert_eq!(step.read(&json!({"ok": false})).unwrap_err().kind, "unexpected");
    assert_eq!(step.read(&json!([1, 2])).unwrap_err().kind, "unexpected");
}

#[test]
fn an_update_that_does_not_apply_is_a_warning_where_allowed() {
    let answer = json!({"ok": false, "error": {"kind": "not_applicable", "message": "does not apply", "code": 2_149_842_967_u32}});
    let source = json!({"file": "x.msu"});
    let lenient = parse_step("msu", json!({"source": source})).unwrap();
    assert_eq!(lenient.read(&answer).unwrap().warnings.len(), 1);
    let strict = parse_step("msu", json!({"source": source, "must_apply": true})).unwrap();
    assert_eq!(strict.read(&answer).unwrap_err().kind, "not_applicable");
}

#[test]
fn a_restart_is_asked_for_only_when_wanted() {
    let quiet = json!({"ok": true, "result": {"hard": [], "soft": [], "busy": [], "msi_mutex": false}});
    let asking = json!({"ok": true, "result": {"hard": [{"signal": "wu_reboot_required", "detail": ""}]}});
    let pending = parse_step("reboot", json!({})).unwrap();
    assert!(!pending.read(&quiet).unwrap().reboot_required);
    assert!(pending.read(&asking).unwrap().reboot_required);
    assert!(
        parse_step("reboot", json!({"when": "always"}))
            .unwrap()
            .read(&quiet)
            .unwrap()
            .reboot_required
    );
}
