//! Operations by name and JSON: steps, transfers, updates.

use serde_json::{Value, json};

use crate::support::Runner;
use crate::world::World;

async fn guest(faults: &[&str]) -> (World, std::sync::Arc<dyn reseal_lab::room::Machine>, Runner) {
    let world = World::new(faults);
    let machine = world.build_machine("Windows 2022").await;
    let runner = world.runner(&machine).await;
    (world, machine, runner)
}

fn exe(path: &str, code_success: &[u32]) -> Value {
    json!({"work": "C:\\w", "timeout_seconds": 600, "busy_seconds": 60, "family": "inno",
        "exe": {"path": path, "sha256": null, "publisher": null, "size": null}, "response_file": null, "directory": null,
        "arguments": ["/VERYSILENT"], "log": null,
        "codes": {"success": code_success, "reboot": [3010], "already": [], "busy": [1618]}, "detect": null})
}

#[tokio::test]
async fn installers_are_known_by_their_content() {
    let (_world, _machine, mut runner) = guest(&["msi-busy*1"]).await;
    runner.put("C:\\w\\junk.exe", b"MZ and nothing else").await;
    let answer = runner.run("install_exe", &exe("C:\\w\\junk.exe", &[0])).await.unwrap();
    assert_eq!(
        (&answer["error"]["kind"], &answer["error"]["code"]),
        (&json!("exit_code"), &json!(1620))
    );
    runner
        .put(
            "C:\\w\\good.exe",
            b"reseal-lab-package\n{\"product\":\"Tool\",\"exit_code\":3010,\"seconds\":5}",
        )
        .await;
    let done = runner.good("install_exe", &exe("C:\\w\\good.exe", &[0, 3010])).await;
    assert_eq!(
        (&done["changed"], &done["reboot_required"], &done["exit_code"]),
        (&json!(true), &json!(true), &json!(3010))
    );
    let pending = runner.good("pending_reboot", &json!({})).await;
    assert_eq!(pending["hard"][0]["signal"], "cbs_reboot_pending");
    let products = runner.good("products", &json!({})).await;
    assert_eq!(products["items"][0]["name"], "Tool");
}

#[tokio::test]
async fn payloads_are_checked_before_they_run() {
    let (_world, _machine, mut runner) = guest(&[]).await;
    runner
        .put(
            "C:\\w\\a.exe",
            b"reseal-lab-package\n{\"product\":\"A\",\"publisher\":\"CN=Other\"}",
        )
        .await;
    let mut input = exe("C:\\w\\a.exe", &[0]);
    input["exe"]["publisher"] = "CN=Example Corp".into();
    assert_eq!(
        runner.run("install_exe", &input).await.unwrap()["error"]["kind"],
        "wrong_publisher"
    );
    input["exe"]["sha256"] = "00".repeat(32).into();
    assert_eq!(
        runner.run("install_exe", &input).await.unwrap()["error"]["kind"],
        "hash_mismatch"
    );
    input["exe"]["path"] = "C:\\w\\none.exe".into();
    assert_eq!(
        runner.run("install_exe", &input).await.unwrap()["error"]["kind"],
        "missing_file"
    );
}

#[tokio::test]
async fn a_transfer_resumes_and_reads_back() {
    let (_world, _machine, mut runner) = guest(&[]).await;
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let sha256 = reseal_lab::guest::files::hash(&bytes);
    let wanted = json!({"path": "C:\\data\\x.bin", "sha256": sha256, "size": bytes.len()});
    let state = runner.good("transfer_state", &wanted).await;
    assert_eq!(
        (&state["equal"], &state["size"], &state["partial"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    runner.put("C:\\data\\x.bin", &bytes).await;
    assert_eq!(runner.good("transfer_state", &wanted).await["equal"], true);
    let read = runner
        .good(
            "transfer_read",
            &json!({"path": "C:\\data\\x.bin", "offset": 299_990, "length": 100}),
        )
        .await;
    assert_eq!((&read["size"], &read["sha256"]), (&json!(300_000), &json!(sha256)));
    let list = runner.good("transfer_list", &json!({"path": "C:\\data"})).await;
    assert_eq!(list["entries"][0]["path"], "C:\\data\\x.bin");
}

#[tokio::test]
async fn downloads_reach_what_is_offered() {
    let (world, _machine, mut runner) = guest(&[]).await;
    world.room.offer("https://example.com/a.msi", b"reseal-lab-package\n{}");
    let fetch = |url: &str, sha256: Option<&str>| json!({"url": url, "path": "C:\\d\\a.msi", "sha256": sha256, "size": null, "pin": null, "timeout_seconds": 60});
    assert_eq!(
        runner
            .good("fetch_url", &fetch("https://example.com/a.msi", None))
            .await["downloaded"],
        21
    );
    assert_eq!(
        runner
            .good("fetch_url", &fetch("https://example.com/a.msi", None))
            .await["already"],
        true
    );
    let other = runner
        .run("fetch_url", &fetch("https://example.com/a.msi", Some("00")))
        .await
        .unwrap();
    assert_eq!(other["error"]["kind"], "hash_mismatch");
    let none = runner
        .run("fetch_url", &fetch("https://example.com/b.msi", None))
        .await
        .unwrap();
    assert_eq!(none["error"]["kind"], "network");
}

#[tokio::test]
async fn settings_tell_whether_they_changed_anything() {
    let (_world, _machine, mut runner) = guest(&[]).await;
    let feature = json!({"names": ["Web-Server"], "include_management_tools": true, "include_all_sub_features": false, "source": null, "state": "present"});
    assert_eq!(runner.good("windows_feature", &feature).await["changed"], true);
    assert_eq!(runner.good("windows_feature", &feature).await["already"], true);
    let service = json!({"id": "W3SVC", "start": "manual", "state": "running", "wait_seconds": 60});
    assert_eq!(runner.good("service", &service).await["changed"], true);
    let registry = json!({"key": "HKLM\\SOFTWARE\\Example", "view": 64, "state": "present", "values": [{"name": "Mode", "kind": "dword", "data": 1}]});
    assert_eq!(runner.good("registry", &registry).await["changed"], true);
    assert_eq!(runner.good("registry", &registry).await["already"], true);
    let unknown = json!({"names": ["Web-Srever"], "include_management_tools": false, "include_all_sub_features": false, "source": null, "state": "present"});
    assert_eq!(
        runner.run("windows_feature", &unknown).await.unwrap()["error"]["kind"],
        "unknown_feature"
    );
}

#[tokio::test]
async fn updates_come_in_rounds() {
    let (world, machine, mut runner) = guest(&[]).await;
    let round = |round: u32| {
        json!({"round": round, "rounds": 3, "categories": ["security"], "include": [], "exclude": ["KB5034439"],
            "server": "default", "timeout_seconds": 7200})
    };
    let refused = runner.run("windows_update", &round(1)).await.unwrap();
    assert_eq!(
        refused["error"]["kind"], "access_denied",
        "a network logon cannot update"
    );
    let start = |n: u32| {
        json!({"task": format!("t{n}"), "work": "C:\\w", "op": "windows_update", "script": "x", "input": round(n),
            "timeout_seconds": 7200, "run_as": "system"})
    };
    runner.good("task_start", &start(1)).await;
    world.wait(1200).await;
    let done = runner
        .good("task_poll", &json!({"task": "t1", "work": "C:\\w", "offset": 0}))
        .await;
    let result = &done["result"]["result"];
    assert_eq!(
        (&result["more"], &result["reboot_required"], &result["items"][1]["id"]),
        (&json!(true), &json!(true), &json!("KB5034770"))
    );
    assert!(
        runner
            .run("reboot_request", &json!({"reason": "", "delay_seconds": 0}))
            .await
            .is_none()
    );
    world.wait(120).await;
    let mut runner = world.runner(&machine).await;
    runner.good("task_start", &start(2)).await;
    world.wait(600).await;
    let done = runner
        .good("task_poll", &json!({"task": "t2", "work": "C:\\w", "offset": 0}))
        .await;
    let result = &done["result"]["result"];
    assert_eq!(
        (&result["more"], &result["items"][0]["id"]),
        (&json!(true), &json!("KB5034614")),
        "only a round that finds nothing is the last"
    );
}

#[tokio::test]
async fn a_task_dies_with_the_machine() {
    let (world, machine, mut runner) = guest(&[]).await;
    let input = json!({"work": "C:\\w", "timeout_seconds": 900, "inline": "# reseal-lab: seconds 600", "file": null, "arguments": {},
        "environment": {}, "folder": null, "codes": {"success": [0], "reboot": [], "already": [], "busy": []}});
    let start = json!({"task": "t", "work": "C:\\w", "op": "powershell", "script": "x", "input": input, "timeout_seconds": 900, "run_as": "user"});
    runner.good("task_start", &start).await;
    assert!(
        runner
            .run("reboot_request", &json!({"reason": "", "delay_seconds": 0}))
            .await
            .is_none()
    );
    world.wait(900).await;
    let mut runner = world.runner(&machine).await;
    let polled = runner
        .good("task_poll", &json!({"task": "t", "work": "C:\\w", "offset": 0}))
        .await;
    assert_eq!(polled["state"], "died");
}
