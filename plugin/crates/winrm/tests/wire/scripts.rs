//! The guest scripts by themselves: clean for 5.1, and right on a real engine fed through its pipes.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::desk::engine;
use crate::transfers::noise;

const BOOTSTRAP: &str = include_str!("../../scripts/bootstrap.ps1");
const RUNNER: &str = include_str!("../../scripts/runner.ps1");
const RECEIVER: &str = include_str!("../../scripts/receiver.ps1");

#[test]
fn scripts_are_ascii_and_named() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(text.is_ascii() && !text.contains('\r'), "{name}");
        assert!(text.starts_with(&format!("# reseal:{name}/1\n")), "{name}");
    }
}

#[test]
fn scripts_pass_the_checker() {
    let Some(engine) = engine() else { return };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts");
    let output = Command::new(engine)
        .args(["check", "--strict", "--target", "server2016", folder])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn block(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_le_bytes()[..], bytes].concat()
}

/// What a script says to `input`, and how it ends.
fn talk(script: &str, input: &[u8]) -> Option<(String, Option<i32>)> {
    let utf16: Vec<u8> = BOOTSTRAP.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut child = Command::new(engine()?)
        .args([
            "-NoProfile",
            "-NonInteractive",
            "-ExecutionPolicy",
            "Bypass",
            "-InputFormat",
            "None",
        ])
        .args(["-OutputFormat", "Text", "-EncodedCommand", &STANDARD.encode(utf16)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let all = [block(script.as_bytes()), input.to_vec()].concat();
    let feed = std::thread::spawn(move || drop(stdin.write_all(&all)));
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    feed.join().unwrap();
    Some((said, child.wait().unwrap().code()))
}

fn marks(said: &str, kind: &str) -> Vec<Value> {
    let prefix = format!("##reseal:{kind}:");
    let decode = |text: &str| serde_json::from_slice(&STANDARD.decode(text).unwrap()).unwrap();
    said.lines()
        .filter_map(|line| line.strip_prefix(&prefix))
        .map(decode)
        .collect()
}

fn ends(said: &str) -> Vec<&str> {
    said.lines()
        .filter_map(|line| line.strip_prefix("##reseal:end:"))
        .collect()
}

fn frame(header: &Value, body: &[u8]) -> Vec<u8> {
    [block(header.to_string().as_bytes()), body.to_vec()].concat()
}

#[test]
fn the_receiver_takes_every_byte_value_in_both_modes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sub").join("file.partial");
    let every: Vec<u8> = (0..=255).collect();
    let big = noise(3_000_001);
    let lines: String = every
        .chunks(100)
        .map(|line| STANDARD.encode(line) + "\n")
        .collect::<String>()
        + "\n";
    let at = |id, offset: u64, bytes: &[u8], mode| json!({"id": id, "path": path.to_str().unwrap(), "offset": offset, "length": bytes.len(), "mode": mode});
    let input = [
        frame(
            &json!({"id": 1, "path": "", "offset": 0, "length": 256, "mode": "self_test"}),
            &every,
        ),
        frame(&at(2, 1000, &big, "raw"), &big),
        frame(&at(3, 0, &every, "base64"), lines.as_bytes()),
        frame(&json!({"id": 4, "op": "exit"}), b""),
    ]
    .concat();
    let Some((said, code)) = talk(RECEIVER, &input) else {
        return;
    };
    assert_eq!(ends(&said), ["1", "2", "3", "4"], "{said}");
    assert_eq!(code, Some(0));
    let hashes: Vec<_> = marks(&said, "result")
        .iter()
        .map(|answer| answer["result"]["sha256"].clone())
        .collect();
    let expected = [&every, &big, &every].map(|bytes| json!(hex::encode(Sha256::digest(bytes))));
    assert_eq!(hashes, expected);
    let file = std::fs::read(&path).unwrap();
    assert_eq!((&file[..256], &file[1000..]), (&every[..], &big[..]));
}

#[test]
fn the_receiver_goes_on_after_a_file_it_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "x").unwrap();
    let bad = folder.path().join("file").join("below");
    let good = folder.path().join("good");
    let put =
        |id, path: &Path| json!({"id": id, "path": path.to_str().unwrap(), "offset": 0, "length": 5, "mode": "raw"});
    let input = [frame(&put(1, &bad), b"12345"), frame(&put(2, &good), b"abcde")].concat();
    let Some((said, code)) = talk(RECEIVER, &input) else {
        return;
    };
    let results = marks(&said, "result");
    assert_eq!(results[0]["error"]["kind"], "io", "{said}");
    assert_eq!(results[1]["ok"], true);
    assert_eq!(std::fs::read(good).unwrap(), b"abcde");
    assert_eq!(code, Some(64), "the end of its input ends it");
}

#[test]
fn bad_frames_end_with_a_reason() {
    for script in [RECEIVER, RUNNER] {
        for input in [
            block(b"no json"),
            vec![255, 255, 255, 127, 1],
            block(b"{}"),
            block(b"[]"),
        ] {
            let Some((said, code)) = talk(script, &input) else {
                return;
            };
            let results = marks(&said, "result");
            assert_eq!(results.last().unwrap()["error"]["kind"], "bad_frame", "{said}");
            assert_eq!(code, Some(65));
        }
    }
}

#[test]
fn the_runner_keeps_its_promises() {
    let text = "param([string]$InputJson)\n$global:ResealAnswered = $true\n[Console]::Out.WriteLine('##reseal:result:' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes('{\"ok\":true,\"result\":' + $InputJson + '}')))";
    let sha = hex::encode(Sha256::digest(text));
    let call = |id: u64, sha: &str, script: &str, input: &str| {
        let header = json!({"id": id, "op": "x", "sha256": sha, "script": script.len(), "input": input.len()});
        frame(&header, &[script.as_bytes(), input.as_bytes()].concat())
    };
    let input = [
        call(1, &sha, "", "1"),
        call(2, &sha, text, "2"),
        call(3, &sha, "", "\"가\""),
        call(4, "00", text, "4"),
        frame(
            &json!({"id": 5, "op": "sync", "sha256": "", "script": 0, "input": 0}),
            b"",
        ),
        frame(
            &json!({"id": 6, "op": "exit", "sha256": "", "script": 0, "input": 0}),
            b"",
        ),
    ]
    .concat();
    let Some((said, code)) = talk(RUNNER, &input) else {
        return;
    };
    assert_eq!(ends(&said), ["1", "2", "3", "4", "5", "6"], "{said}");
    assert_eq!(code, Some(0));
    let ready = marks(&said, "ready");
    assert_eq!(
        (&ready[0]["process"], &ready[0]["version"]),
        (&json!("runner"), &json!(1))
    );
    assert_eq!(ready[0]["language_mode"], "FullLanguage");
    let results = marks(&said, "result");
    assert_eq!(results[0]["error"]["kind"], "unknown_script");
    assert_eq!(results[1], json!({"ok": true, "result": 2}));
    assert_eq!(results[2]["result"], "가");
    assert_eq!(results[3]["error"]["kind"], "exception");
    assert_eq!(results.len(), 4);
}
