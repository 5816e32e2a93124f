//! Command lines: output as it comes, exit codes, cancelling, limits of the guest.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reseal_machine::communicator::Silent;
use reseal_machine::{CommError, Communicator as _};
use reseal_winrm::{AuthKind, Transport};
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, Kept, Program, Served, client};

#[tokio::test]
async fn output_is_streamed_and_decoded() {
    let hangul = "설치".as_bytes();
    let (first, second) = hangul.split_at(4);
    let clixml = "#< CLIXML\r\n<Objs Version=\"1.1.0.1\"><Obj S=\"progress\"/><S S=\"Error\">no_x000A_</S></Objs>";
    let (half, rest) = clixml.as_bytes().split_at(30);
    let served = Served::new(Desk::new().program(
        "setup.exe /q & echo \"done\"",
        Program {
            out: vec![first.to_vec(), second.to_vec(), b" ok\r\n".to_vec()],
            err: vec![half.to_vec(), rest.to_vec()],
            exit: Some(-1_073_741_819),
            ..Program::default()
        },
    ));
    let kept = Kept::default();
    let exit = served
        .client()
        .run("setup.exe /q & echo \"done\"", &kept, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(exit.code, -1_073_741_819);
    assert_eq!(kept.out(), "설치 ok\r\n");
    assert_eq!(kept.err(), "no\n");
    served.check_clean();
}

#[tokio::test]
async fn an_unknown_program_is_a_fault() {
    let served = Served::new(Desk::new());
    let winrm = served.client();
    let error = winrm
        .run("nothing", &Silent, &CancellationToken::new())
        .await
        .unwrap_err();
    assert!(matches!(error, CommError::Fault { code: 2, .. }), "{error:?}");
    winrm.disconnect().await;
    served.check_clean();
}

#[tokio::test]
async fn cancelling_ends_the_process() {
    let served = Served::new(Desk::new().program("forever", Program::default()));
    let cancel = CancellationToken::new();
    let (winrm, kept) = (served.client(), Kept::default());
    let run = winrm.run("forever", &kept, &cancel);
    let stop = async {
        while served.desk.started.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(run, stop);
    assert!(matches!(result, Err(CommError::Cancelled)));
    served.check_clean();
    assert_eq!(served.desk.terminated.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn silence_is_no_failure() {
    let served = Served::new(Desk::new().program(
        "quiet",
        Program {
            out: vec![Vec::new(), Vec::new()],
            exit: Some(3),
            ..Program::default()
        },
    ));
    let winrm = client(served.address, Transport::Http, AuthKind::Negotiate, |config| {
        config.operation_timeout = Duration::from_millis(50);
    });
    let exit = winrm.run("quiet", &Silent, &CancellationToken::new()).await.unwrap();
    assert_eq!(exit.code, 3);
}

#[tokio::test]
async fn many_commands_do_not_use_up_the_guest() {
    let served = Served::new(
        Desk::new()
            .policy(|policy| {
                policy.max_operations = 12;
                policy.max_shells = 2;
            })
            .program(
                "x",
                Program {
                    exit: Some(0),
                    ..Program::default()
                },
            ),
    );
    let winrm = served.client();
    for _ in 0..20 {
        winrm.run("x", &Silent, &CancellationToken::new()).await.unwrap();
    }
    served.check_clean();
    assert_eq!(winrm.stats().logins, 1);
}

#[tokio::test]
async fn a_full_guest_says_so() {
    let served = Served::new(
        Desk::new()
            .policy(|policy| policy.max_shells = 0)
            .program("x", Program::default()),
    );
    let error = served
        .client()
        .run("x", &Silent, &CancellationToken::new())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            CommError::Fault {
                code: 2_150_859_173,
                ..
            }
        ),
        "{error:?}"
    );
}
