//! Connections that break at every possible place.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reseal_machine::communicator::{Bytes, Script, Silent};
use reseal_machine::{CommError, Communicator as _};
use reseal_winrm::{AuthKind, Transport};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, Program, Served, client};
use crate::proxy::Wire;
use crate::transfers::noise;

fn desk() -> Desk {
    let out = (0..4_u8).map(|number| vec![b'0' + number, b'\n']).collect();
    Desk::new().program(
        "work",
        Program {
            out,
            exit: Some(0),
            ..Program::default()
        },
    )
}

/// A command never runs twice, whichever answer is lost.
#[tokio::test]
async fn a_command_is_never_repeated() {
    for number in 1..=12 {
        let served = Served::new(desk());
        let wire = Wire::to(served.address).await;
        let winrm = client(wire.address, Transport::Http, AuthKind::Negotiate, |_| {});
        wire.cut_at_answer(number);
        let result = winrm.run("work", &Silent, &CancellationToken::new()).await;
        let started = served.desk.started.load(Ordering::Relaxed);
        assert!(started <= 1, "answer {number}: started {started} times");
        match &result {
            Ok(exit) => assert_eq!(exit.code, 0),
            Err(CommError::Lost { started: may, .. }) => assert!(*may || started == 0, "answer {number}"),
            Err(CommError::Unreachable(_)) => assert_eq!(started, 0, "answer {number}"),
            Err(other) => panic!("answer {number}: {other:?}"),
        }
        winrm.disconnect().await;
        assert!(
            served.endpoint.open_shells() <= 1,
            "only a shell whose birth was not seen may stay"
        );
        assert_eq!(served.desk.violations(), Vec::<String>::new());
    }
}

/// An operation of a caller never runs twice, whichever answer is lost; and what is lost is told.
#[tokio::test]
async fn an_operation_is_never_repeated() {
    const COUNT: Script = Script {
        name: "count",
        text: concat!(
            "param([string]$InputJson)\n",
            "[IO.File]::AppendAllText(($InputJson | ConvertFrom-Json).path, 'x')\n",
            "$global:ResealAnswered = $true\n",
            "[Console]::Out.WriteLine('##reseal:result:eyJvayI6dHJ1ZX0=')\n",
        ),
    };
    for number in 1..=7 {
        let Some(desk) = Desk::with_engine() else { return };
        let served = Served::new(desk);
        let wire = Wire::to(served.address).await;
        let winrm = client(wire.address, Transport::Http, AuthKind::Negotiate, |config| {
            config.operation_timeout = Duration::from_secs(2);
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("count");
        let input = SecretString::from(serde_json::json!({ "path": path.to_str().unwrap() }).to_string());
        wire.cut_at_answer(number);
        let result = winrm.invoke(COUNT, &input, &Silent, &CancellationToken::new()).await;
        let runs = std::fs::read(&path).unwrap_or_default().len();
        assert!(runs <= 1, "answer {number}: {runs} runs");
        match &result {
            Ok(answer) => assert_eq!((answer, runs), (&serde_json::json!({ "ok": true }), 1)),
            Err(CommError::Lost { started, .. }) => assert!(*started || runs == 0, "answer {number}"),
            Err(CommError::Unreachable(_)) => assert_eq!(runs, 0, "answer {number}"),
            Err(other) => panic!("answer {number}: {other:?}"),
        }
        assert!(wire.was_cut(), "answer {number} was never given");
        let again = winrm.invoke(COUNT, &input, &Silent, &CancellationToken::new()).await;
        assert!(again.is_ok(), "answer {number}: {again:?}");
        winrm.disconnect().await;
        assert_eq!(served.desk.violations(), Vec::<String>::new());
    }
}

/// A copy arrives whole, whichever answer is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_survives_a_loss() {
    for number in [4, 14, 17, 20, 24] {
        let Some(desk) = Desk::with_engine() else { return };
        let served = Served::new(desk);
        let wire = Wire::to(served.address).await;
        let winrm = client(wire.address, Transport::Http, AuthKind::Negotiate, |config| {
            config.operation_timeout = Duration::from_secs(2);
        });
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("file").to_str().unwrap().to_owned();
        let bytes = noise(2 << 20);
        wire.cut_at_answer(number);
        let done = winrm
            .upload(&Bytes::new("x", bytes.clone()), &to, &Silent, &CancellationToken::new())
            .await;
        assert!(done.is_ok(), "answer {number}: {done:?}");
        assert_eq!(std::fs::read(&to).unwrap(), bytes, "answer {number}");
        winrm.disconnect().await;
        assert_eq!(served.desk.violations(), Vec::<String>::new());
        assert!(wire.was_cut() || number > 20, "answer {number} was never given");
    }
}
