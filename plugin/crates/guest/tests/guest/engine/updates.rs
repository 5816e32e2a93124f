//! One round of updates against made-up ones: which are chosen, what becomes of each, and the limit of time.

use serde_json::{Value, json};

use super::world::World;
use super::{Batch, Platform, script, winps};

const SECURITY: &str = "0fa1201d-4330-4fa8-8ae9-b877473b6441";
const DRIVERS: &str = "ebfc1fc5-71a4-4f7b-9aca-3b9a503104a0";

fn update(kb: &str, category: &str) -> Value {
    json!({"Title": format!("Update {kb}"), "KBArticleIDs": [kb], "Categories": [{"CategoryID": category}], "Identity": {"UpdateID": kb},
        "InstallationBehavior": {"CanRequestUserInput": false}, "EulaAccepted": false, "IsDownloaded": false,
        "unloadable": false, "milliseconds": 1, "result": 2, "hresult": 0, "reboot": false})
}

fn input(changes: &[(&str, Value)]) -> Value {
    let mut input = json!({"round": 1, "rounds": 2, "categories": ["security"], "include": [], "exclude": [], "server": "default", "timeout_seconds": 60});
    for (name, value) in changes {
        input[*name] = value.clone();
    }
    input
}

fn with(mut update: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        update[*name] = value.clone();
    }
    update
}

fn states(result: &Value) -> Vec<(String, String)> {
    let items = result["items"].as_array().unwrap().iter();
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    items.map(|item| (text(item, "id"), text(item, "state"))).collect()
}

#[test]
fn updates_are_chosen_installed_and_bounded() {
    let Some(winps) = winps("updates_are_chosen_installed_and_bounded") else {
        return;
    };
    let mixed = json!([
        update("1", SECURITY),
        with(
            update("2", SECURITY),
            &[("result", json!(4)), ("hresult", json!(-2_145_124_318))]
        ),
        with(update("3", SECURITY), &[("reboot", json!(true))]),
        with(update("4", SECURITY), &[("unloadable", json!(true))]),
        update("5", DRIVERS),
        update("6", SECURITY),
    ]);
    let slow = json!([
        with(update("1", SECURITY), &[("milliseconds", json!(1100))]),
        update("2", SECURITY)
    ]);
    let broken = json!([with(
        update("1", SECURITY),
        &[("result", json!(4)), ("hresult", json!(-2_145_124_318))]
    )]);
    let world = |updates: &Value| World::healthy().list("updates", updates.clone());
    let mut batch = Batch::new(Platform::Linux);
    let op = script("windows_update");
    batch.add_in(&world(&mixed), "mixed", op, input(&[("exclude", json!(["KB6"]))]));
    batch.add_in(&world(&json!([])), "none", op, input(&[]));
    batch.add_in(&world(&slow), "slow", op, input(&[("timeout_seconds", json!(1))]));
    batch.add_in(
        &world(&slow),
        "too slow",
        op,
        input(&[("timeout_seconds", json!(1)), ("round", json!(2))]),
    );
    batch.add_in(&world(&broken), "broken", op, input(&[("round", json!(2))]));
    batch.add_in(&world(&mixed), "mixed to the end", op, input(&[("round", json!(2))]));
    let said = batch.run(&winps);
    let state = |id: &str, state: &str| (id.to_owned(), state.to_owned());
    let result = said["mixed"].result();
    let expected = [
        state("KB1", "installed"),
        state("KB2", "failed"),
        state("KB3", "installed"),
        state("KB4", "failed"),
        state("KB5", "skipped"),
        state("KB6", "skipped"),
    ];
    assert_eq!(states(result), expected);
    assert_eq!(
        (&result["reboot_required"], &result["more"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(result["warnings"].as_array().unwrap().len(), 2);
    assert_eq!(said["none"].result()["already"], json!(true));
    let slow = said["slow"].result();
    assert_eq!(
        states(slow),
        [state("KB1", "installed"), state("KB2", "skipped")],
        "the second was not begun"
    );
    assert_eq!(slow["more"], json!(true));
    assert_eq!(said["too slow"].kind(), "timeout");
    assert_eq!(said["broken"].kind(), "updates_failed");
    let ended = &said["mixed to the end"];
    assert_eq!(ended.kind(), "updates_failed", "what was asked for is not there");
    assert_eq!(states(&ended.answer()["error"])[..2], expected[..2]);
    let hint = ended.answer()["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("exclude: [KB2, KB4]"), "{hint}");
}
