//! Guests that hang, and guests that allow less than others.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reseal_machine::communicator::{Bytes, Script, Silent};
use reseal_machine::{Clock, CommError, Communicator as _};
use reseal_winrm::{AuthKind, Transport};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, Program, Served, client};
use crate::transfers::noise;

const POWERSHELL: &str = "powershell.exe";

/// A minute passes whenever somebody looks.
#[derive(Default)]
struct Hasty(AtomicI64);

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        let minutes = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    async fn sleep(&self, _duration: Duration) {}
}

/// A PowerShell that gets ready and then says nothing any more.
fn hanging() -> Program {
    Program {
        out: vec![b"##reseal:ready:e30=\n".to_vec()],
        ..Program::default()
    }
}

#[tokio::test]
async fn a_probe_of_a_guest_that_hangs_has_an_end() {
    let served = Served::new(Desk::new().program(POWERSHELL, hanging()));
    let winrm = client(served.address, Transport::Http, AuthKind::Negotiate, |config| {
        config.operation_timeout = Duration::from_millis(20);
        config.clock = Arc::new(Hasty::default());
    });
    let error = winrm.probe().await.unwrap_err();
    assert!(
        matches!(&error, CommError::Unreachable(why) if why.contains("`probe`") && why.contains("3m")),
        "{error:?}"
    );
    winrm.disconnect().await;
    served.check_clean();
}

/// The guest may read it yet: to send it to another PowerShell would do the work twice.
#[tokio::test]
async fn input_that_was_not_taken_in_time_is_not_sent_again() {
    let deaf = Program {
        deaf: true,
        ..hanging()
    };
    let served = Served::new(Desk::new().program(POWERSHELL, deaf));
    let winrm = served.client();
    let script = Script {
        name: "work",
        text: "param([string]$InputJson)",
    };
    let input = SecretString::from("{}");
    let error = winrm
        .invoke(script, &input, &Silent, &CancellationToken::new())
        .await
        .unwrap_err();
    assert!(matches!(error, CommError::Lost { started: true, .. }), "{error:?}");
    assert_eq!(served.desk.started.load(Ordering::Relaxed), 1);
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test]
async fn too_many_shells_are_explained() {
    let served = Served::new(Desk::new().policy(|policy| policy.max_shells = 0));
    let error = served.client().probe().await.unwrap_err();
    assert!(
        matches!(&error, CommError::Fault { code: 2_150_859_173, message } if message.contains("as many shells")),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_makes_do_with_the_shells_that_there_are() {
    for shells in [2, 3] {
        let Some(desk) = Desk::with_engine() else { return };
        let served = Served::new(desk.policy(|policy| policy.max_shells = shells));
        let winrm = served.client();
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("file");
        let bytes = noise(10 << 20);
        winrm
            .upload(
                &Bytes::new("x", bytes.clone()),
                to.to_str().unwrap(),
                &Silent,
                &CancellationToken::new(),
            )
            .await
            .unwrap();
        assert!(std::fs::read(&to).unwrap() == bytes, "{shells} shells");
        winrm.disconnect().await;
        served.check_clean();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_makes_do_with_short_envelopes() {
    for limit in [40, 8192] {
        let Some(desk) = Desk::with_engine() else { return };
        let served = Served::new(desk.policy(|policy| policy.max_envelope_kb = limit));
        let winrm = served.client();
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("file");
        for length in [60_000, 600_000] {
            winrm
                .upload(
                    &Bytes::new("x", noise(length)),
                    to.to_str().unwrap(),
                    &Silent,
                    &CancellationToken::new(),
                )
                .await
                .unwrap();
            assert!(std::fs::read(&to).unwrap() == noise(length), "{limit} KiB");
        }
        winrm.disconnect().await;
        served.check_clean();
    }
}
