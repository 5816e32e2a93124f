//! Calls over a pipe.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::msgpack::Text;

/// Answers in several ways.
#[derive(Default)]
struct Odd {
    release: Notify,
}

#[async_trait]
impl Service for Odd {
    async fn call(&self, method: &str, argument: &Value, calls: &Calls) -> Option<Result<Value, String>> {
        match method {
            "Odd.Echo" => Some(Ok(argument.clone())),
            "Odd.Fail" => Some(Err("failed".to_owned())),
            "Odd.Panic" => panic!("on purpose, in tests"),
            "Odd.Wait" => {
                self.release.notified().await;
                Some(Ok("waited".into()))
            }
            "Odd.Release" => {
                self.release.notify_one();
                Some(Ok(Value::Nil))
            }
            "Odd.Gone" => {
                calls.gone.cancelled().await;
                Some(Ok(Value::Nil))
            }
            _ => None,
        }
    }
}

fn odd() -> Client {
    let (ours, theirs) = tokio::io::duplex(100);
    tokio::spawn(serve(theirs, vec![Arc::new(Odd::default())], CancellationToken::new()));
    Client::new(ours)
}

#[tokio::test]
async fn answers_find_their_calls() {
    let client = odd();
    let (waited, released) = tokio::join!(
        client.call("Odd.Wait", &Value::Nil),
        client.call("Odd.Release", &Value::Nil)
    );
    assert_eq!(waited.unwrap(), "waited".into());
    released.unwrap();
    let long = Value::Str(Text::from_bytes(vec![0xff; 100_000]));
    assert_eq!(client.call("Odd.Echo", &long).await.unwrap(), long);
}

#[tokio::test]
async fn failures_are_answers() {
    let client = odd();
    let error = |result: Result<Value, CallError>| result.unwrap_err().to_string();
    assert_eq!(error(client.call("Odd.Fail", &Value::Nil).await), "failed");
    assert_eq!(
        error(client.call("Odd.None", &Value::Nil).await),
        "rpc: can't find method Odd.None"
    );
    let panicked = error(client.call("Odd.Panic", &Value::Nil).await);
    assert_eq!(panicked, "the plugin failed in Odd.Panic; its log says more");
    assert_eq!(client.call("Odd.Echo", &Value::Int(1)).await.unwrap(), Value::Int(1));
}

#[tokio::test]
async fn a_flood_of_calls_is_refused() {
    let client = odd();
    let calls: Vec<_> = (0..200)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { timeout(Duration::from_secs(1), client.call("Odd.Gone", &Value::Nil)).await })
        })
        .collect();
    let mut refused = 0;
    for call in calls {
        if let Ok(Err(error)) = call.await.unwrap() {
            assert_eq!(error.to_string(), "too many calls at once");
            refused += 1;
        }
    }
    assert_eq!(refused, 200 - 64);
}

#[tokio::test]
async fn callers_hear_when_the_other_side_is_gone_or_mad() {
    for bytes in [&b""[..], &[0xc1], &[0x83, 0xa3], b"\x81\xa3Seq\x09\xc0\xc1"] {
        let (ours, mut theirs) = tokio::io::duplex(100);
        let client = Client::new(ours);
        let call = client.call("A.B", &Value::Nil);
        let answer = async {
            theirs.write_all(bytes).await.unwrap();
            theirs.shutdown().await.unwrap();
            let mut rest = Vec::new();
            let _ = timeout(Duration::from_millis(50), theirs.read_to_end(&mut rest)).await;
        };
        let (result, ()) = tokio::join!(call, answer);
        assert!(matches!(result, Err(CallError::Gone)), "{bytes:x?}");
        assert!(matches!(client.call("A.B", &Value::Nil).await, Err(CallError::Gone)));
    }
}

#[tokio::test]
async fn calls_that_run_are_answered_before_the_end() {
    let (ours, theirs) = tokio::io::duplex(1000);
    let serving = tokio::spawn(serve(theirs, vec![Arc::new(Odd::default())], CancellationToken::new()));
    let (mut reader, mut writer) = tokio::io::split(ours);
    let mut request = Value::record([("ServiceMethod", "Odd.Gone".into()), ("Seq", Value::Int(5))]).to_bytes();
    request.push(0xc0);
    writer.write_all(&request).await.unwrap();
    writer.shutdown().await.unwrap();
    let mut answer = Vec::new();
    reader.read_to_end(&mut answer).await.unwrap();
    let mut expected = Value::record([
        ("ServiceMethod", "Odd.Gone".into()),
        ("Seq", Value::Int(5)),
        ("Error", "".into()),
    ])
    .to_bytes();
    expected.push(0xc0);
    assert_eq!(answer, expected);
    serving.await.unwrap();
}

#[test]
fn a_message_has_its_causes_once_and_is_never_empty() {
    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);
    let outer = Outer(std::io::Error::other("inner"));
    assert_eq!(message(&outer), "outer: inner");
    assert_eq!(message(&std::io::Error::other("")), "failed without saying why");
}
