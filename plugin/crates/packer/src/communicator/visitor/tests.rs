//! The bridge against a machine that is not there, and the script against a real engine where there is one.

use std::collections::BTreeMap;

use reseal_machine::communicator::Bytes;
use tokio::io::AsyncReadExt as _;

use super::*;
use crate::communicator::{Reader, Writer};
use crate::msgpack::Text;

/// Another builder's machine: files, and an answer for every request.
#[derive(Default)]
struct Other {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    lines: Mutex<Vec<String>>,
    /// How often somebody cleans up before a script is found.
    cleaned: AtomicU64,
}

impl Other {
    fn answer(&self, words: &[&str]) -> Json {
        let value = |name: &str| words.iter().skip_while(|word| **word != name).nth(1).copied();
        let input = value("-InputFile").and_then(|path| self.files.lock().unwrap().remove(path));
        let input: Json = serde_json::from_slice(&input.unwrap_or_default()).unwrap_or_default();
        let path = input["path"].as_str().unwrap_or_default();
        let good = |result: Json| json!({ "ok": true, "result": result });
        let mut files = self.files.lock().unwrap();
        match value("-Do").unwrap() {
            "look" => good(json!({ "boot_time": "2026-11-22T03:00:00Z", "boot_id": 7, "computer_name": "OTHER" })),
            "run" if input["refuse"] == true => {
                json!({ "ok": false, "error": { "kind": "exit_code", "message": "no" } })
            }
            "run" => good(json!({ "script": value("-Name"), "known": files.contains_key(value("-Script").unwrap()) })),
            "state" => good(json!({ "equal": files.get(path).is_some_and(|bytes| is(bytes, &input)) })),
            "finish" => {
                let part = files.remove(&format!("{path}.partial")).unwrap_or_default();
                let equal = is(&part, &input);
                files.insert(path.to_owned(), part);
                good(json!({ "equal": equal, "sha256": "other" }))
            }
            other => panic!("{other}"),
        }
    }
}

fn is(bytes: &[u8], input: &Json) -> bool {
    input["sha256"] == hex::encode(Sha256::digest(bytes)) && input["size"] == bytes.len()
}

#[async_trait]
impl Communicator for Other {
    async fn run(&self, command: &Text, mut pipes: Pipes, _cancel: &CancellationToken) -> Result<i64, BoxError> {
        let line = command.to_string();
        self.lines.lock().unwrap().push(line.clone());
        if line.contains("lose") {
            return Err("the machine is gone".into());
        }
        if !line.contains("visitor.ps1") {
            return Ok(0xC000_0005);
        }
        if self
            .cleaned
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .is_ok()
        {
            self.files.lock().unwrap().clear();
            return Ok(0xFFFD_0000);
        }
        let answer = self.answer(&line.split(' ').collect::<Vec<&str>>());
        let said = format!(
            "a line\r\n\r\n##reseal:result:{}\r\n",
            BASE64_STANDARD.encode(answer.to_string())
        );
        pipes.stdout.as_mut().unwrap().write_all(said.as_bytes()).await?;
        Ok(0)
    }

    async fn upload(
        &self,
        to: &str,
        mut from: Reader,
        _info: Option<FileInfo>,
        _cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).await?;
        self.files.lock().unwrap().insert(to.to_owned(), bytes);
        Ok(())
    }

    async fn upload_folder(
        &self,
        _to: &str,
        _from: &str,
        _exclude: &[String],
        _cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        Err("no folders".into())
    }

    async fn download(&self, from: &str, mut to: Writer, _cancel: &CancellationToken) -> Result<(), BoxError> {
        let bytes = self.files.lock().unwrap().get(from).cloned();
        to.write_all(&bytes.ok_or("no such file")?).await?;
        Ok(())
    }

    async fn download_folder(
        &self,
        _from: &str,
        _to: &str,
        _exclude: &[String],
        _cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        Err("no folders".into())
    }
}

const SCRIPT: Script = Script {
    name: "registry",
    text: "param([string]$InputJson)",
};

fn visitor() -> (Arc<Other>, Visitor) {
    let other = Arc::new(Other::default());
    let remote: Arc<dyn Communicator> = Arc::<Other>::clone(&other);
    (other, Visitor::new(remote, r"C:\Windows\Temp\reseal-visit"))
}

async fn invoke(visitor: &Visitor, input: &str) -> Result<Json, CommError> {
    visitor
        .invoke(SCRIPT, &SecretString::from(input), &Silent, &CancellationToken::new())
        .await
}

#[tokio::test]
async fn an_operation_goes_as_a_file_once_and_its_input_stays_nowhere() {
    let (other, visitor) = visitor();
    for _ in 0..2 {
        let answer = invoke(&visitor, "{\"secret\":\"canary\"}").await.unwrap();
        assert_eq!(answer["result"], json!({ "script": "registry", "known": true }));
    }
    let refused = invoke(&visitor, "{\"refuse\":true}").await.unwrap();
    assert_eq!(refused["error"]["kind"], "exit_code", "a refusal is an answer");
    let files = other.files.lock().unwrap();
    assert_eq!(files.len(), 2, "{:?}", files.keys());
    assert!(
        !files
            .values()
            .any(|bytes| String::from_utf8_lossy(bytes).contains("canary"))
    );
    assert!(!other.lines.lock().unwrap().iter().any(|line| line.contains("canary")));
}

#[tokio::test]
async fn what_somebody_cleaned_away_is_brought_again() {
    let (other, visitor) = visitor();
    invoke(&visitor, "{}").await.unwrap();
    other.cleaned.store(1, Ordering::Relaxed);
    assert_eq!(invoke(&visitor, "{}").await.unwrap()["result"]["known"], true);
    other.cleaned.store(9, Ordering::Relaxed);
    let error = invoke(&visitor, "{}").await.unwrap_err();
    assert!(matches!(error, CommError::Script { .. }), "{error}");
}

#[tokio::test]
async fn files_are_sent_when_they_are_not_there_and_checked() {
    let (other, visitor) = visitor();
    let cancel = CancellationToken::new();
    let blob = Bytes::new("x", vec![7; 200_000]);
    let first = visitor.upload(&blob, r"C:\x.bin", &Silent, &cancel).await.unwrap();
    assert_eq!((first.sent, first.unchanged), (200_000, false));
    let second = visitor.upload(&blob, r"C:\x.bin", &Silent, &cancel).await.unwrap();
    assert_eq!((second.sent, second.unchanged), (0, true));
    let mut back = Vec::new();
    visitor
        .download(r"C:\x.bin", &mut back, &Silent, &cancel)
        .await
        .unwrap();
    assert_eq!(back, vec![7; 200_000]);
    assert!(visitor.download(r"C:\none", &mut back, &Silent, &cancel).await.is_err());
    assert!(!other.files.lock().unwrap().contains_key(r"C:\x.bin.partial"));
}

#[tokio::test]
async fn looks_codes_and_losses() {
    let (_, visitor) = visitor();
    let probe = visitor.probe().await.unwrap();
    assert_eq!((probe.computer_name.as_str(), probe.boot_id), ("OTHER", Some(7)));
    let cancel = CancellationToken::new();
    let exit = visitor.run("crash", &Silent, &cancel).await.unwrap();
    assert_eq!(exit.code, -1_073_741_819, "an unsigned code is the same 32 bits");
    let lost = visitor.run("lose", &Silent, &cancel).await.unwrap_err();
    assert!(matches!(lost, CommError::Unreachable(_)), "{lost}");
    cancel.cancel();
    let stopped = visitor.run("echo", &Silent, &cancel).await.unwrap_err();
    assert!(matches!(stopped, CommError::Cancelled), "{stopped}");
}

#[tokio::test]
async fn no_output_is_taken_for_an_answer_that_is_none() {
    let heard = |text: &'static str| async move { listen(text.as_bytes(), Stream::Out, &Silent).await.answer("x") };
    for text in [
        "",
        "no mark",
        "##reseal:result:",
        "##reseal:result:!!!",
        "##reseal:result:bm8=",
        "\u{0}\r\n\r\n",
    ] {
        assert!(heard(text).await.is_err(), "{text}");
    }
    let cut = "noise##reseal:result:e30=\n##reseal:result:eyJvayI6dHJ1ZX0=";
    assert_eq!(heard(cut).await.unwrap(), json!({ "ok": true }));
}

/// The script itself, where a stand-in for Windows PowerShell is at hand.
mod engine {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn winps(test: &str) -> Option<String> {
        #[expect(clippy::disallowed_methods, reason = "the test's own switch")]
        let found = std::env::var("RESEAL_WINPS").ok().filter(|path| !path.is_empty());
        if found.is_none() {
            println!("SKIPPED {test}: RESEAL_WINPS names no stand-in for Windows PowerShell");
        }
        found
    }

    fn ask(winps: &str, folder: &Path, what: &str, script: &str, input: &str) -> Json {
        let path = |name: &str| folder.join(name).display().to_string();
        std::fs::write(path("visitor.ps1"), VISITOR).unwrap();
        std::fs::write(path("op.ps1"), script).unwrap();
        std::fs::write(path("input.json"), input).unwrap();
        let (visitor, op, request) = (path("visitor.ps1"), path("op.ps1"), path("input.json"));
        let arguments = [
            "-NoProfile",
            "-NonInteractive",
            "-File",
            &visitor,
            "-Do",
            what,
            "-Name",
            "op",
        ];
        let output = Command::new(winps)
            .args(arguments)
            .args(["-Script", &op, "-InputFile", &request])
            .output()
            .unwrap();
        assert!(!Path::new(&request).exists(), "the input is gone");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let answers: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix(MARK)).collect();
        assert_eq!(answers.len(), 1, "{said}{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&BASE64_STANDARD.decode(answers.first().unwrap().trim()).unwrap()).unwrap()
    }

    #[test]
    fn the_visitor_answers_once_whatever_happens() {
        let Some(winps) = winps("the_visitor_answers_once_whatever_happens") else {
            return;
        };
        let checked = Command::new(&winps)
            .arg("check")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/visitor.ps1"))
            .status();
        assert!(checked.unwrap().success());
        let folder = tempfile::tempdir().unwrap();
        let send = "param([string] $InputJson)\n'log'\n$global:ResealAnswered = $true\n$b = [Text.Encoding]::UTF8.GetBytes('{\"ok\":true,\"result\":' + $InputJson + '}')\n[Console]::Out.WriteLine('##reseal:result:' + [Convert]::ToBase64String($b))\n";
        assert_eq!(
            ask(&winps, folder.path(), "run", send, "{\"a\":\"가\"}")["result"]["a"],
            "가"
        );
        let none = ask(
            &winps,
            folder.path(),
            "run",
            "param([string] $InputJson)\n'log only'\n",
            "{}",
        );
        assert_eq!(none["error"]["kind"], "no_result");
        let thrown = ask(
            &winps,
            folder.path(),
            "run",
            "param([string] $InputJson)\nthrow 'broken'\n",
            "{}",
        );
        assert_eq!(
            (&thrown["error"]["kind"], &thrown["error"]["message"]),
            (&json!("exception"), &json!("broken"))
        );
        let file = folder.path().join("x.bin");
        std::fs::write(folder.path().join("x.bin.partial"), b"abc").unwrap();
        let request = |sum: &str| json!({ "path": file.display().to_string(), "size": 3, "sha256": sum }).to_string();
        let good = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let equal =
            |what: &str, sum: &str| ask(&winps, folder.path(), what, "", &request(sum))["result"]["equal"].clone();
        assert_eq!(equal("state", good), false);
        assert_eq!(equal("finish", "00"), false);
        assert_eq!(equal("finish", good), true);
        assert_eq!(equal("state", good), true);
        let look = ask(&winps, folder.path(), "look", "", "{}");
        assert_eq!(look["ok"], true, "{look}");
        assert!(look["result"]["boot_time"].as_str().unwrap().ends_with('Z'), "{look}");
    }
}
