//! The resident runner on a real engine.

use reseal_machine::communicator::{Script, Silent};
use reseal_machine::{CommError, Communicator as _};
use reseal_winrm::WinRm;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, Kept, Served};

/// An operation with its own small prelude, as the operations of the guest crate have one.
macro_rules! operation {
    ($name:literal, $body:literal) => {
        Script {
            name: $name,
            text: concat!(
                "param([string]$InputJson)\n",
                "function Reply($value) {\n",
                "  $json = ConvertTo-Json -Compress -Depth 5 -InputObject $value\n",
                "  $bytes = [Text.Encoding]::UTF8.GetBytes($json)\n",
                "  $global:ResealAnswered = $true\n",
                "  [Console]::Out.WriteLine('##reseal:result:' + [Convert]::ToBase64String($bytes))\n",
                "}\n",
                $body
            ),
        }
    };
}

const ECHO: Script = operation!(
    "echo",
    "$in = $InputJson | ConvertFrom-Json\nif ($in.log) { Write-Output \"log $($in.text)\" }\nReply @{ ok = $true; result = @{ text = $in.text } }"
);
const BROKEN: Script = operation!("broken", "throw [InvalidOperationException] 'it is broken'");
const SILENT: Script = operation!("silent", "'only words'; break");
const LOUD: Script = operation!(
    "loud",
    "[Console]::Out.Write('half a line'); Write-Warning 'careful'; Write-Error 'wrong' -ErrorAction Continue\nReply @{ ok = $true; result = 1 }"
);
const DEADLY: Script = operation!("deadly", "[Environment]::Exit(3)");

async fn invoke(winrm: &WinRm, script: Script, input: &Value, kept: &Kept) -> Result<Value, CommError> {
    winrm
        .invoke(
            script,
            &SecretString::from(input.to_string()),
            kept,
            &CancellationToken::new(),
        )
        .await
}

#[tokio::test]
async fn an_operation_costs_a_send_and_a_receive() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk);
    let winrm = served.client();
    let kept = Kept::default();
    let mut input = json!({ "text": "경로 'a' \"b\" \n", "log": true });
    let expected = json!({ "ok": true, "result": { "text": "경로 'a' \"b\" \n" } });
    assert_eq!(invoke(&winrm, ECHO, &input, &kept).await.unwrap(), expected);
    assert!(kept.out().starts_with("log 경로"), "{}", kept.out());
    input["log"] = json!(false);
    let before = winrm.stats();
    for _ in 0..10 {
        assert_eq!(invoke(&winrm, ECHO, &input, &kept).await.unwrap(), expected);
    }
    let each = winrm.stats().requests - before.requests;
    assert!((20..=22).contains(&each), "{each} requests for ten operations");
    assert_eq!(served.desk.started.load(std::sync::atomic::Ordering::Relaxed), 1);
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test]
async fn failures_have_their_names() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk);
    let winrm = served.client();
    let kept = Kept::default();
    let broken = invoke(&winrm, BROKEN, &json!({}), &kept).await.unwrap();
    assert_eq!(broken.pointer("/error/kind"), Some(&json!("exception")));
    assert_eq!(broken.pointer("/error/message"), Some(&json!("it is broken")));
    let silent = invoke(&winrm, SILENT, &json!({}), &kept).await.unwrap_err();
    assert!(
        matches!(&silent, CommError::Script { script, tail, .. } if script == "silent" && tail.contains(&"only words".to_owned())),
        "{silent:?}"
    );
    let loud = Kept::default();
    assert_eq!(
        invoke(&winrm, LOUD, &json!({}), &loud).await.unwrap(),
        json!({ "ok": true, "result": 1 })
    );
    assert!(
        loud.out().contains("half a line") && loud.out().contains("WARNING: careful"),
        "{}",
        loud.out()
    );
    assert!(loud.err().contains("wrong"), "{}", loud.err());
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test]
async fn a_dead_runner_is_replaced_and_nothing_repeated() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk);
    let winrm = served.client();
    let kept = Kept::default();
    let error = invoke(&winrm, DEADLY, &json!({}), &kept).await.unwrap_err();
    assert!(matches!(error, CommError::Lost { started: true, .. }), "{error:?}");
    assert_eq!(served.desk.started.load(std::sync::atomic::Ordering::Relaxed), 1);
    let input = json!({ "text": "again", "log": false });
    assert!(invoke(&winrm, ECHO, &input, &kept).await.is_ok());
    assert_eq!(served.desk.started.load(std::sync::atomic::Ordering::Relaxed), 2);
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test]
async fn a_probe_tells_the_name() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk);
    let winrm = served.client();
    let first = winrm.probe().await.unwrap();
    assert!(!first.computer_name.is_empty());
    assert_eq!(winrm.probe().await.unwrap().computer_name, first.computer_name);
    winrm.disconnect().await;
    assert!(winrm.probe().await.is_ok(), "the next call opens everything again");
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test]
async fn a_runner_that_ended_is_replaced() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk);
    let winrm = served.client();
    let (kept, input) = (Kept::default(), json!({ "text": "x", "log": false }));
    let exit = Script { name: "exit", text: "" };
    assert!(matches!(
        invoke(&winrm, exit, &json!({}), &kept).await,
        Err(CommError::Script { .. })
    ));
    // Input for a process that has ended is refused, and nothing had begun; but it may still be about to end.
    if let Err(error) = invoke(&winrm, ECHO, &input, &kept).await {
        assert!(matches!(error, CommError::Lost { started: true, .. }), "{error:?}");
        invoke(&winrm, ECHO, &input, &kept).await.unwrap();
    }
    assert_eq!(served.desk.started.load(std::sync::atomic::Ordering::Relaxed), 2);
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test]
async fn a_reboot_is_survived() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk);
    let winrm = served.client();
    winrm.probe().await.unwrap();
    served.desk.reboot();
    // Whether the broken connection is noticed before or after the request is on it is a matter of luck.
    if let Err(error) = winrm.probe().await {
        assert!(
            matches!(error, CommError::Lost { .. } | CommError::Unreachable(_)),
            "{error:?}"
        );
        winrm.probe().await.unwrap();
    }
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test]
async fn cancelling_an_operation_ends_it() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk);
    let winrm = served.client();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let result = winrm.invoke(ECHO, &SecretString::from("{}"), &Silent, &cancel).await;
    assert!(matches!(result, Err(CommError::Cancelled)));
    winrm.disconnect().await;
    served.check_clean();
}
