//! Settings, hygiene and residue: as unforgiving as Windows is.

use std::sync::Arc;

use reseal_lab::room::Machine;
use serde_json::{Value, json};

use crate::support::{Raw, Runner};
use crate::world::World;

async fn guest() -> (World, Arc<dyn Machine>, Runner) {
    let world = World::new(&[]);
    let machine = world.build_machine("Windows 2022").await;
    let runner = world.runner(&machine).await;
    (world, machine, runner)
}

async fn kind(runner: &mut Runner, op: &str, input: &Value) -> String {
    let answer = runner.run(op, input).await.unwrap();
    answer["error"]["kind"].as_str().unwrap_or("good").to_owned()
}

fn key(key: &str, values: &Value) -> Value {
    json!({"key": key, "view": 64, "state": "present", "values": values})
}

fn text(name: &str, text: &str) -> Value {
    json!([{"name": name, "kind": "string", "data": text}])
}

fn cleaning(categories: &[&str]) -> Value {
    json!({"categories": categories, "keep": [], "timeout_seconds": 3600})
}

async fn write(runner: &mut Runner, path: &str) {
    let file = json!({"path": path, "state": "file", "content": "x", "encoding": "utf8", "payload": null});
    runner.good("file", &file).await;
}

#[tokio::test]
async fn each_word_of_hygiene_cleans_its_own_things_and_no_others() {
    let cases = [
        ("temp", "C:\\Windows\\Temp\\a\\b.txt"),
        ("crash_dumps", "C:\\Windows\\Minidump\\1.dmp"),
        ("recycle_bin", "C:\\$Recycle.Bin\\S-1\\x"),
        ("prefetch", "C:\\Windows\\Prefetch\\A.pf"),
        ("update_cache", "C:\\Windows\\SoftwareDistribution\\Download\\x.cab"),
        (
            "delivery_optimization",
            "C:\\Windows\\ServiceProfiles\\NetworkService\\AppData\\Local\\Microsoft\\Windows\\DeliveryOptimization\\Cache\\1",
        ),
        (
            "powershell_history",
            "C:\\Users\\Administrator\\AppData\\Roaming\\Microsoft\\Windows\\PowerShell\\PSReadLine\\ConsoleHost_history.txt",
        ),
        ("answer_files", "C:\\Windows\\Panther\\Unattend\\unattend.xml"),
        ("logs", "C:\\Windows\\Logs\\CBS\\CBS.log"),
        ("ssh_host_keys", "C:\\ProgramData\\ssh\\ssh_host_rsa_key"),
        ("windows_old", "C:\\Windows.old\\Windows\\x"),
    ];
    let (world, _machine, mut runner) = guest().await;
    for (_, path) in cases {
        write(&mut runner, path).await;
    }
    for (at, (category, path)) in cases.iter().enumerate() {
        let done = runner.good("hygiene", &cleaning(&[category])).await;
        assert_eq!(done["categories"][0]["done"], true, "{category}");
        assert!(done["categories"][0]["removed"].as_u64().unwrap() > 0, "{category}");
        let files = world.room.machines().remove(0).files;
        assert!(!files.contains(&(*path).to_owned()), "{category}");
        for (other, kept) in cases.iter().skip(at + 1) {
            assert!(
                files.contains(&(*kept).to_owned()),
                "{category} took what is of {other}"
            );
        }
    }
}

#[tokio::test]
async fn values_are_cleaned_and_unknown_words_are_refused() {
    let (world, _machine, mut runner) = guest().await;
    let winlogon = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon";
    let run = "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\RunMRU";
    runner
        .good("registry", &key(winlogon, &text("DefaultPassword", "x")))
        .await;
    runner
        .good("registry", &key(winlogon, &text("Shell", "explorer.exe")))
        .await;
    runner.good("registry", &key(run, &text("a", "cmd"))).await;
    let done = runner.good("hygiene", &cleaning(&["winlogon", "run_history"])).await;
    assert_eq!(
        (&done["categories"][0]["removed"], &done["categories"][1]["removed"]),
        (&json!(1), &json!(1))
    );
    let inspect = world.room.machines().remove(0);
    assert_eq!(inspect.registry(winlogon, "DefaultPassword"), None);
    assert_eq!(inspect.registry(winlogon, "Shell"), Some(&json!("explorer.exe")));
    assert_eq!(
        kind(&mut runner, "hygiene", &cleaning(&["dust"])).await,
        "invalid_input"
    );
}

#[tokio::test]
async fn secrets_are_found_in_every_kind_of_value() {
    let (_world, _machine, mut runner) = guest().await;
    let secret = "p\"a\\ss wörd-7";
    let hex = hex::encode(secret.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    let values = json!([
        {"name": "Text", "kind": "string", "data": format!("TOKEN={secret};")},
        {"name": "List", "kind": "multi_string", "data": ["x", secret]},
        {"name": "Bytes", "kind": "binary", "data": hex},
        {"name": "Other", "kind": "string", "data": "nothing"},
    ]);
    runner.good("registry", &key("HKLM\\SOFTWARE\\Example", &values)).await;
    let set = json!({"scope": "machine", "set": {"TOKEN": secret}, "remove": [], "path": {"prepend": [], "append": [], "remove": []}});
    runner.good("environment", &set).await;
    let search = json!({"secrets": [secret], "names": ["token"], "roots": null, "max_file_bytes": 1_000_000});
    let found = runner.good("residue", &search).await;
    let hits = found["hits"].as_array().unwrap().iter();
    let mut places: Vec<&str> = hits.map(|hit| hit["path"].as_str().unwrap()).collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment, TOKEN",
            "HKLM\\SOFTWARE\\Example, Bytes",
            "HKLM\\SOFTWARE\\Example, List",
            "HKLM\\SOFTWARE\\Example, Text",
        ]
    );
}

#[tokio::test]
async fn the_registry_compares_names_and_keeps_its_walls() {
    let (world, _machine, mut runner) = guest().await;
    let mode = |key_name: &str, name: &str| key(key_name, &text(name, "1"));
    assert_eq!(
        runner.good("registry", &mode("HKLM\\SOFTWARE\\A", "Mode")).await["changed"],
        true
    );
    assert_eq!(
        runner.good("registry", &mode("HKLM:\\software\\a", "MODE")).await["already"],
        true
    );
    let mut narrow = mode("HKLM\\SOFTWARE\\A", "Mode");
    narrow["view"] = json!(32);
    assert_eq!(runner.good("registry", &narrow).await["changed"], true, "another side");
    let inspect = world.room.machines().remove(0);
    assert!(inspect.registry("HKLM\\SOFTWARE\\WOW6432Node\\A", "Mode").is_some());
    let gone = key(
        "HKLM\\SOFTWARE\\Nowhere",
        &json!([{"name": "x", "kind": "absent", "data": null}]),
    );
    assert_eq!(runner.good("registry", &gone).await["already"], true);
    runner.good("registry", &mode("HKLM\\SOFTWARE\\A\\Below", "x")).await;
    let absent = json!({"key": "HKLM\\SOFTWARE\\A", "view": 64, "state": "absent", "values": []});
    assert_eq!(runner.good("registry", &absent).await["changed"], true);
    let inspect = world.room.machines().remove(0);
    assert_eq!(
        inspect.registry("HKLM\\SOFTWARE\\A\\Below", "x"),
        None,
        "a key goes with what is below it"
    );
    for (place, wanted) in [
        ("HKEY_LOCAL_MACHINE\\SOFTWARE\\A", "unknown_hive"),
        ("HKLM\\SECURITY\\Policy", "access_denied"),
        ("HKLM\\New", "unexpected"),
        ("HKLM\\SOFTWARE\\\\A", "unexpected"),
    ] {
        assert_eq!(
            kind(&mut runner, "registry", &mode(place, "x")).await,
            wanted,
            "{place}"
        );
    }
}

#[tokio::test]
async fn services_refuse_what_real_ones_refuse() {
    let (_world, machine, mut runner) = guest().await;
    let service =
        |id: &str, start: Value, state: Value| json!({"id": id, "start": start, "state": state, "wait_seconds": 60});
    let set = service("Spooler", json!("disabled"), json!("stopped"));
    assert_eq!(runner.good("service", &set).await["changed"], true);
    let cases = [
        ("Spooler", Value::Null, json!("running"), "unexpected"),
        ("Spooler", json!("manual"), json!("running"), "good"),
        ("Schedule", Value::Null, json!("stopped"), "unexpected"),
        ("mpssvc", Value::Null, json!("restarted"), "unexpected"),
        ("Nobody", Value::Null, json!("running"), "unknown_service"),
    ];
    for (id, start, state, wanted) in cases {
        assert_eq!(
            kind(&mut runner, "service", &service(id, start, state)).await,
            wanted,
            "{id}"
        );
    }
    let restart = service("WinRM", Value::Null, json!("restarted"));
    assert!(
        runner.run("service", &restart).await.is_none(),
        "the answer is lost with the connection"
    );
    assert!(Raw::connect(machine.address()).await.http("", b"").await.is_some());
}

#[tokio::test]
async fn environments_have_owners_and_names_without_case() {
    let (world, _machine, mut runner) = guest().await;
    let change = |scope: &str, set: Value, append: &[&str]| json!({"scope": scope, "set": set, "remove": [], "path": {"prepend": [], "append": append, "remove": []}});
    assert_eq!(
        runner
            .good("environment", &change("machine", json!({"A": "1"}), &[]))
            .await["changed"],
        true
    );
    assert_eq!(
        runner
            .good("environment", &change("machine", json!({"a": "1"}), &[]))
            .await["already"],
        true
    );
    let path = change("machine", json!({}), &["C:\\Windows\\"]);
    assert_eq!(
        runner.good("environment", &path).await["changed"],
        true,
        "it moves to the end"
    );
    assert_eq!(runner.good("environment", &path).await["already"], true);
    runner
        .good("environment", &change("user", json!({"MINE": "1"}), &[]))
        .await;
    let inspect = world.room.machines().remove(0);
    assert_eq!(inspect.registry("HKCU\\Environment", "MINE"), Some(&json!("1")));
}

fn rule(change: &Value) -> Value {
    let mut rule = json!({"rule": "Web", "direction": "inbound", "action": "allow", "protocol": "TCP", "local_ports": ["80"],
        "remote_ports": [], "remote_addresses": [], "program": null, "profiles": ["Any"], "enabled": true, "state": "present"});
    for (name, value) in change.as_object().unwrap() {
        rule[name] = value.clone();
    }
    rule
}

#[tokio::test]
async fn firewall_rules_are_checked_and_felt() {
    let (_world, machine, mut runner) = guest().await;
    assert_eq!(runner.good("firewall", &rule(&json!({}))).await["changed"], true);
    assert_eq!(runner.good("firewall", &rule(&json!({}))).await["already"], true);
    let refused = [
        json!({"protocol": "ICMPv4"}),
        json!({"protocol": "SCTPX", "local_ports": []}),
        json!({"local_ports": ["80-79"]}),
        json!({"local_ports": ["70000"]}),
        json!({"remote_addresses": ["10.0.0.0/8", "everybody"]}),
        json!({"profiles": ["Work"]}),
        json!({"program": "agent.exe"}),
    ];
    for change in refused {
        assert_eq!(
            kind(&mut runner, "firewall", &rule(&change)).await,
            "unexpected",
            "{change}"
        );
    }
    assert_eq!(
        runner
            .good("firewall", &rule(&json!({"rule": "web", "state": "absent"})))
            .await["changed"],
        true
    );
    let shut = json!({"rule": "Shut", "action": "block", "local_ports": ["5900-5990"]});
    let _ = runner.run("firewall", &rule(&shut)).await;
    assert!(
        Raw::connect(machine.address()).await.http("", b"").await.is_none(),
        "we shut ourselves out"
    );
}

fn account(change: &Value) -> Value {
    let mut account = json!({"account": "app", "password": "Passw0rd!x", "full_name": null, "description": null, "groups": [],
        "password_never_expires": true, "enabled": true, "state": "present"});
    for (name, value) in change.as_object().unwrap() {
        account[name] = value.clone();
    }
    account
}

#[tokio::test]
async fn accounts_are_made_as_windows_makes_them() {
    let (world, _machine, mut runner) = guest().await;
    let cases = [
        (json!({"account": "an-account-of-21-chars"}), "unexpected"),
        (json!({"account": "a/b"}), "unexpected"),
        (json!({"account": "builder"}), "unexpected"),
        (json!({"password": "short"}), "password_refused"),
        (json!({"password": null}), "invalid_input"),
        (json!({"account": "Administrator", "state": "absent"}), "unexpected"),
        (json!({"groups": ["S-1-5-32-999"]}), "unknown_group"),
        (json!({"groups": ["Nobodies"]}), "unknown_group"),
    ];
    for (change, wanted) in cases {
        assert_eq!(kind(&mut runner, "user", &account(&change)).await, wanted, "{change}");
    }
    assert!(
        world.room.machines().remove(0).accounts.contains(&"app".to_owned()),
        "the account is made before its groups are looked at"
    );
    let same = json!({"password": null});
    assert_eq!(runner.good("user", &account(&same)).await["already"], true);
    let admin = json!({"password": null, "groups": ["Administrators"], "full_name": "App"});
    assert_eq!(runner.good("user", &account(&admin)).await["changed"], true);
    assert_eq!(runner.good("user", &account(&admin)).await["already"], true);
    assert!(
        world
            .room
            .machines()
            .remove(0)
            .administrators
            .contains(&"app".to_owned())
    );
}
