//! Files into the guest and back, through a real engine.

use std::path::Path;
use std::sync::Mutex;

use reseal_machine::communicator::{Bytes, Progress, Silent};
use reseal_machine::{CommError, Communicator as _};
use reseal_winrm::WinRm;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, Served, client};
use reseal_winrm::{AuthKind, Transport};

/// Bytes without a pattern that a lost or doubled chunk could hide in.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    (0..length).map(next).collect()
}

#[derive(Default)]
struct Seen(Mutex<Vec<(u64, u64)>>);

impl Progress for Seen {
    fn progress(&self, done: u64, total: u64) {
        self.0.lock().unwrap().push((done, total));
    }
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

async fn upload(winrm: &WinRm, bytes: &[u8], to: &str) -> Result<reseal_machine::communicator::Transferred, CommError> {
    winrm
        .upload(&Bytes::new("local", bytes), to, &Silent, &CancellationToken::new())
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_mebibytes_there_and_back() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk);
    let winrm = served.client();
    let folder = tempfile::tempdir().unwrap();
    let to = path(folder.path(), "new folder/big.bin");
    let bytes = noise(10 << 20);
    let seen = Seen::default();
    let done = winrm
        .upload(&Bytes::new("big", bytes.clone()), &to, &seen, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!((done.sent, done.size, done.unchanged), (10 << 20, 10 << 20, false));
    assert_eq!(done.sha256, hex::encode(Sha256::digest(&bytes)));
    assert_eq!(std::fs::read(&to).unwrap(), bytes);
    assert!(!Path::new(&format!("{to}.partial")).exists());
    let steps = seen.0.lock().unwrap().clone();
    assert_eq!(steps.last(), Some(&(10 << 20, 10 << 20)));
    let stats = winrm.stats();
    assert!(stats.requests <= 65, "{} requests for 10 MiB", stats.requests);
    let wire = stats.bytes_in + stats.bytes_out;
    assert!(wire * 100 <= (10 << 20) * 136, "{wire} bytes on the wire");

    let mut back = Vec::new();
    let got = winrm
        .download(&to, &mut back, &Silent, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!((back == bytes, got.size), (true, 10 << 20));
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_share_a_receiver_and_equal_ones_are_not_sent() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk);
    let winrm = served.client();
    let folder = tempfile::tempdir().unwrap();
    for (name, length) in [("empty", 0), ("one", 1), ("two", 300), ("three", 400_000)] {
        let to = path(folder.path(), name);
        upload(&winrm, &noise(length), &to).await.unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), noise(length), "{name}");
        let again = upload(&winrm, &noise(length), &to).await.unwrap();
        assert_eq!((again.unchanged, again.sent), (true, 0));
    }
    let to = path(folder.path(), "two");
    upload(&winrm, b"another content", &to).await.unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), b"another content");
    // One runner, one receiver.
    assert_eq!(served.desk.started.load(std::sync::atomic::Ordering::Relaxed), 2);
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_copy_goes_on() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk);
    let winrm = served.client();
    let folder = tempfile::tempdir().unwrap();
    let to = path(folder.path(), "part.bin");
    let bytes = noise(9 << 20);
    let mut partial = vec![0; 9 << 20];
    partial[..6 << 20].copy_from_slice(&bytes[..6 << 20]);
    std::fs::write(format!("{to}.partial"), &partial).unwrap();
    let done = upload(&winrm, &bytes, &to).await.unwrap();
    assert!(done.sent < 6 << 20, "{} bytes were sent", done.sent);
    assert_eq!(std::fs::read(&to).unwrap(), bytes);
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_envelope_means_smaller_sends() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk.policy(|policy| policy.max_envelope_kb = 150));
    let winrm = client(served.address, Transport::Http, AuthKind::Negotiate, |config| {
        config.shells = 2;
    });
    let folder = tempfile::tempdir().unwrap();
    let to = path(folder.path(), "file");
    upload(&winrm, &noise(700_000), &to).await.unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), noise(700_000));
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_changes_bytes_gets_base64() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk.mangling());
    let winrm = client(served.address, Transport::Http, AuthKind::Negotiate, |config| {
        config.operation_timeout = std::time::Duration::from_secs(1);
    });
    let folder = tempfile::tempdir().unwrap();
    let to = path(folder.path(), "한글 file");
    let bytes = noise(1_000_000);
    upload(&winrm, &bytes, &to).await.unwrap();
    assert!(std::fs::read(&to).unwrap() == bytes);
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_guest_cannot_write_is_told() {
    let Some(desk) = Desk::with_engine() else { return };
    let served = Served::new(desk);
    let winrm = served.client();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), b"x").unwrap();
    let error = upload(&winrm, b"y", &path(folder.path(), "file/below"))
        .await
        .unwrap_err();
    assert!(matches!(error, CommError::Script { .. }), "{error:?}");
    let mut nothing = Vec::new();
    let missing = winrm
        .download(
            &path(folder.path(), "missing"),
            &mut nothing,
            &Silent,
            &CancellationToken::new(),
        )
        .await
        .unwrap_err();
    assert!(matches!(missing, CommError::Script { .. }), "{missing:?}");
    winrm.disconnect().await;
    served.check_clean();
}
