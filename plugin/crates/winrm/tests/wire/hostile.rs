//! Servers that lie: nothing is ever sent to them, or believed of them, in clear text.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reseal_machine::communicator::Silent;
use reseal_machine::{CommError, Communicator as _};
use reseal_winrm::{AuthKind, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::desk::client;

/// Sign, seal, extended session security, 128 bits, Unicode, NTLM, target information, version, key exchange.
const FLAGS: u32 = 0x6288_8235;
const CLEAR: &str = include_str!("../../../../../tests/data/winrm/create.xml");

fn challenge(flags: u32) -> String {
    let mut token = b"NTLMSSP\0\x02\0\0\0\0\0\0\0\x38\0\0\0".to_vec();
    token.extend(flags.to_le_bytes());
    token.extend([1; 8]);
    token.extend([0; 8]);
    token.extend([4, 0, 4, 0, 56, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 15, 0, 0, 0, 0]);
    format!("WWW-Authenticate: Negotiate {}\r\n", STANDARD.encode(token))
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Gives these answers, one a request; keeps the requests.
async fn serve(answers: Vec<String>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for answer in answers {
            let mut request = Vec::new();
            while !complete(&request) {
                let mut buffer = vec![0; 65_536];
                let count = stream.read(&mut buffer).await.unwrap_or(0);
                if count == 0 {
                    return;
                }
                request.extend_from_slice(buffer.get(..count).unwrap_or_default());
            }
            keep.lock()
                .unwrap()
                .push(String::from_utf8_lossy(&request).into_owned());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, seen)
}

fn complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    request.len() >= head.len() + 4 + length.unwrap_or(0)
}

async fn run(answers: Vec<String>) -> (CommError, Vec<String>) {
    let (address, seen) = serve(answers).await;
    let winrm = client(address, Transport::Http, AuthKind::Negotiate, |_| {});
    let error = winrm
        .run("secret-command", &Silent, &CancellationToken::new())
        .await
        .unwrap_err();
    let seen = seen.lock().unwrap().clone();
    for request in &seen {
        assert!(!request.contains("Envelope"), "clear text on the wire: {request}");
    }
    (error, seen)
}

fn login() -> Vec<String> {
    vec![
        answer("401 Unauthorized", &challenge(FLAGS), ""),
        answer("200 OK", "", ""),
    ]
}

#[tokio::test]
async fn a_clear_answer_is_not_believed() {
    for status in ["200 OK", "500 Internal Server Error", "400 Bad Request"] {
        let mut answers = login();
        answers.push(answer(
            status,
            "Content-Type: application/soap+xml;charset=UTF-8\r\n",
            CLEAR,
        ));
        let (error, seen) = run(answers).await;
        assert!(
            matches!(&error, CommError::Protocol(why) if why.contains("not sealed")),
            "{status}: {error:?}"
        );
        assert_eq!(seen.len(), 3);
        assert!(seen.last().unwrap().contains("multipart/encrypted"));
    }
}

#[tokio::test]
async fn a_false_seal_is_not_believed() {
    let frame = concat!(
        "--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n",
        "\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=4\r\n--Encrypted Boundary\r\n",
        "\tContent-Type: application/octet-stream\r\n\x10\0\0\0\x01\0\0\0abcdefgh\0\0\0\0data--Encrypted Boundary--\r\n",
    );
    let kind = concat!(
        "Content-Type: multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";",
        "boundary=\"Encrypted Boundary\"\r\n"
    );
    let mut answers = login();
    answers.push(answer("200 OK", kind, frame));
    let (error, _) = run(answers).await;
    assert!(
        matches!(&error, CommError::Protocol(why) if why.contains("seal")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_will_not_seal_gets_nothing() {
    let weak = challenge(FLAGS & !0x20);
    let (error, seen) = run(vec![answer("401 Unauthorized", &weak, "")]).await;
    assert!(
        matches!(&error, CommError::Auth(why) if why.contains("sealing")),
        "{error:?}"
    );
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn a_server_that_offers_only_basic_gets_no_password() {
    let offer = answer("401 Unauthorized", "WWW-Authenticate: Basic realm=\"WSMAN\"\r\n", "");
    let (error, seen) = run(vec![offer]).await;
    assert!(
        matches!(&error, CommError::Auth(why) if why.contains("Basic")),
        "{error:?}"
    );
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn noise_is_an_error_and_no_panic() {
    for noise in ["garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"] {
        let (error, _) = run(vec![noise.to_owned()]).await;
        assert!(
            matches!(error, CommError::Unreachable(_) | CommError::Protocol(_)),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_given_up() {
    let mut answers = login();
    answers.push(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}",
        64 << 20,
        "x".repeat(33 << 20)
    ));
    let (error, seen) = run(answers).await;
    assert!(
        matches!(&error, CommError::Protocol(why) if why.contains("longer than 32 MiB")),
        "{error:?}"
    );
    assert_eq!(seen.len(), 3);
}
