//! What needs no Windows: files, archives, downloads, the user's scripts, features, accounts, rules.

use reseal_guest::system::{FetchUrl, Query as _, Residue, Signature};
use reseal_guest::{CallContext, Delivered, Step, parse_step};
use serde_json::{Value, json};

use super::{Batch, Platform, script, server, winps};

const SHA256_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn add(batch: &mut Batch, case: &str, step: &str, options: Value) {
    let step: Step = parse_step(step, options).unwrap();
    let work = batch.folder.path().join("work");
    std::fs::create_dir_all(&work).unwrap();
    // Payloads lie in the batch's folder under their own names.
    let payloads = step.payloads().into_iter().map(|payload| {
        let path = batch.path(payload.source.file.as_deref().unwrap_or_default());
        (payload.source.key(), Delivered { path, sha256: None })
    });
    let context = CallContext {
        work: batch.native(&work),
        payloads: payloads.collect(),
        timeout: None,
        round: 1,
    };
    let call = step.call(&context);
    batch.add(case, call.script, call.input);
}

#[test]
// Long because one start of the engine serves many operations.
fn files_and_archives() {
    let Some(winps) = winps("files_and_archives") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    let folder = batch.folder.path().to_owned();
    std::fs::write(folder.join("empty.bin"), "").unwrap();
    std::fs::write(folder.join("no.zip"), "this is no zip file").unwrap();
    std::fs::write(folder.join("evil.zip"), evil_zip()).unwrap();
    let raw = |path: &str, more: Value| {
        let mut input = json!({"path": path, "state": "file", "content": null, "encoding": "utf8", "payload": null});
        for (key, value) in more.as_object().unwrap() {
            input[key] = value.clone();
        }
        input
    };
    let text = batch.path("a/b/text.txt");
    let content = "한글\r\nline 2";
    batch.add(
        "write",
        script("file"),
        raw(&text, json!({"content": content, "encoding": "utf8_bom"})),
    );
    batch.add(
        "again",
        script("file"),
        raw(&text, json!({"content": content, "encoding": "utf8_bom"})),
    );
    let copied = batch.path("a/b/copied.bin");
    let payload = |batch: &Batch, hash: &str| json!({"path": batch.path("empty.bin"), "sha256": hash, "publisher": null, "size": 0});
    let good = payload(&batch, SHA256_OF_NOTHING);
    let bad = payload(&batch, &"0".repeat(64));
    batch.add("copy", script("file"), raw(&copied, json!({"payload": good})));
    batch.add(
        "wrong hash",
        script("file"),
        raw(&batch.path("a/b/never.bin"), json!({"payload": bad})),
    );
    let missing = json!({"path": batch.path("gone.bin"), "sha256": null, "publisher": null, "size": null});
    batch.add(
        "missing",
        script("file"),
        raw(&batch.path("a/b/never.bin"), json!({"payload": missing})),
    );
    let unsigned = json!({"path": batch.path("empty.bin"), "sha256": null, "publisher": "CN=Example", "size": null});
    batch.add(
        "unsigned",
        script("file"),
        raw(&batch.path("a/b/never.bin"), json!({"payload": unsigned})),
    );
    batch.add(
        "signature",
        Signature::SCRIPT,
        Signature {
            path: batch.path("no.zip"),
        }
        .input(),
    );
    batch.add(
        "folder",
        script("file"),
        raw(&batch.path("made"), json!({"state": "folder"})),
    );
    batch.add(
        "folder again",
        script("file"),
        raw(&batch.path("made"), json!({"state": "folder"})),
    );
    batch.add(
        "absent",
        script("file"),
        raw(&batch.path("made"), json!({"state": "absent"})),
    );
    batch.add(
        "zip",
        script("zip"),
        json!({"from": batch.path("a"), "to": batch.path("out/a.zip")}),
    );
    let out = batch.path("out/a.zip");
    let archive = |path: String| json!({"path": path, "sha256": null, "publisher": null, "size": null});
    let detect =
        json!({"kind": "script", "script": format!("Test-Path -LiteralPath '{}'", batch.path("unpacked/b/text.txt"))});
    let unzip = |archive: Value, to: String| json!({"archive": archive, "to": to, "detect": detect});
    batch.add(
        "unzip",
        script("unzip"),
        unzip(archive(out.clone()), batch.path("unpacked")),
    );
    batch.add(
        "unzip again",
        script("unzip"),
        unzip(archive(out), batch.path("unpacked")),
    );
    let mut evil = unzip(archive(batch.path("evil.zip")), batch.path("unpacked/evil"));
    evil["detect"] = Value::Null;
    batch.add("unzip evil", script("unzip"), evil.clone());
    evil["archive"] = archive(batch.path("no.zip"));
    batch.add("unzip none", script("unzip"), evil);
    batch.add("strange input", script("file"), json!({"path": 1}));
    let said = batch.run(&winps);

    assert_eq!(
        std::fs::read(folder.join("a/b/text.txt")).unwrap(),
        [b"\xef\xbb\xbf", content.as_bytes()].concat()
    );
    assert_eq!(said["write"].result()["changed"], json!(true));
    assert_eq!(said["again"].result()["already"], json!(true));
    assert_eq!(said["copy"].result()["changed"], json!(true));
    assert!(folder.join("a/b/copied.bin").exists() && !folder.join("a/b/never.bin").exists());
    assert_eq!(said["wrong hash"].kind(), "hash_mismatch");
    assert_eq!(said["missing"].kind(), "missing_file");
    assert!(["not_signed", "signature_invalid"].contains(&said["unsigned"].kind()));
    assert_ne!(said["signature"].result()["status"], json!("valid"));
    assert_eq!(said["folder"].result()["changed"], json!(true));
    assert_eq!(said["folder again"].result()["already"], json!(true));
    assert!(said["absent"].result()["changed"] == json!(true) && !folder.join("made").exists());
    assert_eq!(
        said["unzip"].result()["after"]["present"],
        json!(true),
        "{:?}",
        said["zip"]
    );
    assert_eq!(
        std::fs::read(folder.join("unpacked/b/text.txt")).unwrap(),
        std::fs::read(folder.join("a/b/text.txt")).unwrap()
    );
    assert_eq!(said["unzip again"].result()["already"], json!(true));
    assert_eq!(said["unzip evil"].kind(), "unsafe_entry");
    assert!(!folder.join("evil.txt").exists() && !folder.join("unpacked/evil.txt").exists());
    assert_eq!(said["unzip none"].kind(), "bad_archive");
    assert_eq!(said["strange input"].kind(), "unexpected");
}

/// A stored zip with one entry, `../evil.txt`.
fn evil_zip() -> Vec<u8> {
    let name = b"../evil.txt";
    let length = u8::try_from(name.len()).unwrap();
    let fixed = |signature: &[u8]| {
        [
            signature,
            &[
                20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, length, 0, 0, 0,
            ][..],
        ]
        .concat()
    };
    let local = [fixed(b"PK\x03\x04"), name.to_vec()].concat();
    let mut central = [b"PK\x01\x02".to_vec(), vec![20, 0], fixed(b"")].concat();
    central.extend([0; 14]);
    central.extend(name);
    let size = u8::try_from(central.len()).unwrap();
    let at = u8::try_from(local.len()).unwrap();
    let end = [
        &b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..],
        &[size, 0, 0, 0, at, 0, 0, 0, 0, 0],
    ]
    .concat();
    [local, central, end].concat()
}

#[test]
fn scripts_of_the_user() {
    let Some(winps) = winps("scripts_of_the_user") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    std::fs::write(
        batch.folder.path().join("args.ps1"),
        "param([string]$Name, [int[]]$Ports)\n\"$Name has $($Ports -join '+') $env:COLOUR\"\nexit 42\n",
    )
    .unwrap();
    add(
        &mut batch,
        "file",
        "powershell",
        json!({"file": "args.ps1", "arguments": {"Name": "a \"b\" $c", "Ports": [80, 443]}, "environment": {"COLOUR": "grün"}, "reboot_codes": [42]}),
    );
    add(
        &mut batch,
        "inline",
        "powershell",
        json!({"inline": "Write-Output 'from inline'"}),
    );
    add(
        &mut batch,
        "code",
        "powershell",
        json!({"inline": "'last words'; exit 7"}),
    );
    add(
        &mut batch,
        "own code",
        "powershell",
        json!({"inline": "exit 7", "success_codes": [7]}),
    );
    add(
        &mut batch,
        "throws",
        "powershell",
        json!({"inline": "throw 'no such luck'"}),
    );
    add(&mut batch, "says nothing", "powershell", json!({"inline": "exit 0"}));
    let mut late = parse_step("powershell", json!({"inline": "'begun'; Start-Sleep -Seconds 60"}))
        .unwrap()
        .call(&CallContext::default());
    late.input["work"] = json!(batch.native(&batch.folder.path().join("work")));
    late.input["timeout_seconds"] = json!(2);
    batch.add("late", late.script, late.input);
    batch.add("holds", script("condition"), json!({"script": "1 -eq 1"}));
    batch.add(
        "does not hold",
        script("condition"),
        json!({"script": "1 -eq 1; 1 -eq 2"}),
    );
    batch.add("silent", script("condition"), json!({"script": "$null = 1"}));
    batch.add("wrong", script("condition"), json!({"script": "throw 'no such thing'"}));
    let said = batch.run(&winps);

    let file = said["file"].result();
    assert!(
        said["file"].log.iter().any(|line| line == "a \"b\" $c has 80+443 grün"),
        "{:?}",
        said["file"]
    );
    assert_eq!(
        (&file["exit_code"], &file["reboot_required"]),
        (&json!(42), &json!(true))
    );
    assert!(
        said["inline"].log.iter().any(|line| line == "from inline"),
        "{:?}",
        said["inline"]
    );
    assert_eq!(said["code"].kind(), "exit_code");
    assert_eq!(said["code"].answer()["error"]["code"], json!(7));
    assert!(
        said["code"].answer()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("last words")
    );
    assert_eq!(said["own code"].result()["exit_code"], json!(7));
    assert_eq!(said["throws"].kind(), "exit_code");
    assert!(
        said["throws"].log.iter().any(|line| line.contains("no such luck")),
        "{:?}",
        said["throws"]
    );
    assert_eq!(said["late"].kind(), "timeout");
    assert_eq!(said["says nothing"].result()["exit_code"], json!(0));
    assert_eq!(said["holds"].result()["value"], json!(true));
    for case in ["does not hold", "silent"] {
        assert_eq!(said[case].result()["value"], json!(false), "{case}");
    }
    assert_eq!(said["wrong"].kind(), "condition_failed");
}

#[test]
fn downloads() {
    let Some(winps) = winps("downloads") else { return };
    let body: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).take(3_000_001).collect();
    let url = server::serve(body.clone());
    let mut batch = Batch::new(Platform::Linux);
    std::fs::write(batch.folder.path().join("resumed.bin.partial"), &body[..1_000_000]).unwrap();
    std::fs::write(batch.folder.path().join("ignored.bin.partial"), &body[..1_000_000]).unwrap();
    std::fs::write(batch.folder.path().join("whole.bin.partial"), &body).unwrap();
    std::fs::write(batch.folder.path().join("body"), &body).unwrap();
    let hash = sha256(&batch.folder.path().join("body"));
    let fetch = |path: String, page: &str, hash: Option<&str>| {
        let url = format!("{url}{page}");
        FetchUrl {
            url,
            path,
            sha256: hash.map(str::to_owned),
            size: None,
            pin: None,
            timeout_seconds: 60,
        }
        .input()
    };
    for (case, name, page, hash) in [
        ("fresh", "fresh.bin", "/a", Some(hash.as_str())),
        ("again", "fresh.bin", "/a", Some(hash.as_str())),
        ("resumed", "resumed.bin", "/a", Some(hash.as_str())),
        ("ignored range", "ignored.bin", "/norange", Some(hash.as_str())),
        ("range too far", "whole.bin", "/a", Some(hash.as_str())),
        ("wrong hash", "wrong.bin", "/a", Some(SHA256_OF_NOTHING)),
        ("missing", "missing.bin", "/missing", None),
    ] {
        batch.add(case, FetchUrl::SCRIPT, fetch(batch.path(name), page, hash));
    }
    let nowhere = FetchUrl {
        url: "http://127.0.0.1:9/x".to_owned(),
        path: batch.path("n.bin"),
        sha256: None,
        size: None,
        pin: None,
        timeout_seconds: 5,
    };
    batch.add("nowhere", FetchUrl::SCRIPT, nowhere.input());
    let said = batch.run(&winps);

    let fetched = |case: &str| FetchUrl::read(said[case].answer()).unwrap();
    assert_eq!(
        (fetched("fresh").downloaded, fetched("fresh").sha256),
        (3_000_001, hash.clone())
    );
    assert!(fetched("again").already && fetched("again").downloaded == 0);
    assert!(fetched("resumed").resumed && fetched("resumed").downloaded == 2_000_001);
    assert!(!fetched("ignored range").resumed && fetched("ignored range").downloaded == 3_000_001);
    assert_eq!(fetched("range too far").sha256, hash);
    assert_eq!(said["wrong hash"].kind(), "hash_mismatch");
    assert!(!batch.folder.path().join("wrong.bin.partial").exists());
    assert_eq!(
        (said["missing"].kind(), &said["missing"].answer()["error"]["code"]),
        ("http_status", &json!(404))
    );
    assert_eq!(said["nowhere"].kind(), "network");
}

/// With the machine's own tool, so that nothing here shares the scripts' idea of a hash.
fn sha256(path: &std::path::Path) -> String {
    let output = std::process::Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn windows_in_pretence() {
    let Some(winps) = winps("windows_in_pretence") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    // The engine keeps its pretended features from run to run.
    add(
        &mut batch,
        "before",
        "optional_feature",
        json!({"names": ["TelnetClient"], "state": "absent"}),
    );
    add(
        &mut batch,
        "before 2",
        "windows_feature",
        json!({"names": ["DHCP"], "state": "absent"}),
    );
    let mut twice = |case: &str, step: &str, options: Value| {
        add(&mut batch, case, step, options.clone());
        add(&mut batch, &format!("{case} again"), step, options);
    };
    twice("feature", "windows_feature", json!({"names": ["DHCP"]}));
    twice(
        "no feature",
        "windows_feature",
        json!({"names": ["DHCP"], "state": "absent"}),
    );
    twice("optional", "optional_feature", json!({"names": ["TelnetClient"]}));
    twice(
        "rule",
        "firewall",
        json!({"rule": "Reseal test", "local_ports": ["8443"], "remote_addresses": ["10.0.0.0/8"]}),
    );
    twice("no rule", "firewall", json!({"rule": "Reseal test", "state": "absent"}));
    twice(
        "account",
        "user",
        json!({"account": "resealtest", "password": "Aa1!aaaaaaaa", "groups": ["administrators"]}),
    );
    twice(
        "no account",
        "user",
        json!({"account": "resealtest", "state": "absent"}),
    );
    add(
        &mut batch,
        "unknown feature",
        "windows_feature",
        json!({"names": ["No-Such-Feature"]}),
    );
    add(
        &mut batch,
        "unknown group",
        "user",
        json!({"account": "resealtest2", "password": "Aa1!aaaaaaaa", "groups": ["S-1-5-32-999"]}),
    );
    add(
        &mut batch,
        "unknown group, cleared",
        "user",
        json!({"account": "resealtest2", "state": "absent"}),
    );
    add(
        &mut batch,
        "unknown service",
        "service",
        json!({"id": "NoSuchService", "state": "running"}),
    );
    let said = batch.run(&winps);

    for case in [
        "feature",
        "no feature",
        "optional",
        "rule",
        "no rule",
        "account",
        "no account",
    ] {
        assert_eq!(said[case].result()["changed"], json!(true), "{case}");
        let again = said[&format!("{case} again")].result();
        // Whether a password is another cannot be read, so an account with one always counts as changed.
        assert_eq!(again["already"], json!(case != "account"), "{case}");
    }
    assert_eq!(said["unknown feature"].kind(), "unknown_feature");
    assert_eq!(said["unknown group"].kind(), "unknown_group");
    // The account was made before its group was looked for, so there is one to take away.
    let cleared = said["unknown group, cleared"].result();
    assert_eq!(cleared["changed"], json!(true), "{cleared}");
    assert_eq!(said["unknown service"].kind(), "unknown_service");
    assert!(!format!("{said:?}").contains("Aa1!aaaaaaaa"), "a password was shown");
}

#[test]
fn residue_is_found_in_every_spelling_and_never_repeated() {
    let Some(winps) = winps("residue_is_found_in_every_spelling_and_never_repeated") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    let folder = batch.folder.path().join("searched");
    std::fs::create_dir_all(folder.join("deep")).unwrap();
    let secret = "S3cret-Kanarie";
    let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(folder.join("plain.txt"), format!("x {secret} y {secret}")).unwrap();
    std::fs::write(folder.join("wide.txt"), &wide).unwrap();
    let encoded = base64::Engine::encode(
        &base64::prelude::BASE64_STANDARD,
        [wide, "Password".encode_utf16().flat_map(u16::to_le_bytes).collect()].concat(),
    );
    std::fs::write(folder.join("deep/unattend.xml"), format!("<Value>{encoded}</Value>")).unwrap();
    std::fs::write(folder.join("clean.txt"), "nothing here").unwrap();
    let residue = Residue {
        secrets: vec![secret.to_owned(), "another-secret".to_owned()],
        names: vec!["canary".to_owned(), "other".to_owned()],
        roots: Some(vec![batch.native(&folder)]),
        max_file_bytes: 1_000_000,
    };
    batch.add("search", Residue::SCRIPT, residue.input());
    let said = batch.run(&winps);
    let result = Residue::read(said["search"].answer()).unwrap();
    let mut hits: Vec<(String, u64)> = result
        .hits
        .iter()
        .map(|hit| (hit.path.rsplit('/').next().unwrap().to_owned(), hit.count))
        .collect();
    hits.sort();
    assert_eq!(
        hits,
        [
            ("plain.txt".to_owned(), 2),
            ("unattend.xml".to_owned(), 1),
            ("wide.txt".to_owned(), 1)
        ]
    );
    assert!(result.hits.iter().all(|hit| hit.name == "canary") && result.scanned_files == 4);
    assert!(!format!("{said:?}").contains(secret));
}
