//! Services that start, stop, depend on each other, and do not come: no wait is without an end.

use serde_json::{Value, json};

use super::world::{World, service};
use super::{Batch, Platform, script, winps};

fn input(id: &str, state: &str) -> Value {
    json!({"id": id, "start": null, "state": state, "wait_seconds": 2})
}

#[test]
fn a_service_is_waited_for_and_no_longer() {
    let Some(winps) = winps("a_service_is_waited_for_and_no_longer") else {
        return;
    };
    let depended =
        json!({"name": "Base", "status": "Running", "start": "Automatic", "dependents": ["Above"], "stuck": false});
    let stuck = |status: &str| json!({"name": "Stuck", "status": status, "start": "Automatic", "dependents": [], "stuck": true});
    let one = |name: &str, status: &str| World::healthy().list("services", json!([service(name, status)]));
    let both = || World::healthy().list("services", json!([depended, service("Above", "Running")]));
    let mut batch = Batch::new(Platform::Linux);
    for (case, world, id, state) in [
        ("start", one("A", "Stopped"), "A", "running"),
        ("started", one("A", "Running"), "A", "running"),
        ("stop", one("A", "Running"), "A", "stopped"),
        ("stopped", one("A", "Stopped"), "A", "stopped"),
        ("restart", both(), "Base", "restarted"),
        ("restart stopped", one("A", "Stopped"), "A", "restarted"),
        (
            "stuck start",
            World::healthy().list("services", json!([stuck("Stopped")])),
            "Stuck",
            "running",
        ),
        (
            "stuck stop",
            World::healthy().list("services", json!([stuck("Running")])),
            "Stuck",
            "stopped",
        ),
    ] {
        batch.add_in(&world, case, script("service"), input(id, state));
    }
    batch.add_in(&both(), "depended", script("service"), input("Base", "restarted"));
    let said = batch.run(&winps);
    for (case, changed) in [
        ("start", true),
        ("started", false),
        ("stop", true),
        ("stopped", false),
        ("restart", true),
        ("restart stopped", true),
    ] {
        assert_eq!(said[case].result()["changed"], json!(changed), "{case}");
    }
    for case in ["stuck start", "stuck stop"] {
        assert_eq!(said[case].kind(), "timeout", "{case}");
    }
    let order = ["stop Above", "stop Base", "start Base", "start Above"];
    assert_eq!(batch.calls("depended"), order);
}
