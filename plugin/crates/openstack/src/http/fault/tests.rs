//! Refusals in every form, and in none.

use proptest::prelude::*;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::*;

const FAULTS: &str = include_str!("../../../../../../tests/data/openstack/faults.json");

fn read(status: u16, body: &[u8]) -> Fault {
    Fault::read(&Reply {
        operation: "test",
        status,
        headers: HeaderMap::new(),
        body: body.to_vec(),
    })
}

#[test]
fn every_service_is_understood() {
    let cases: Vec<Value> = serde_json::from_str(FAULTS).unwrap();
    assert!(cases.len() > 20);
    for case in &cases {
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let fault = read(status, case["body"].as_str().unwrap().as_bytes());
        let kind: CloudErrorKind = serde_json::from_value(case["kind"].clone()).unwrap();
        assert_eq!(fault.kind, kind, "{case}");
        assert!(
            fault.message.contains(case["says"].as_str().unwrap()),
            "{case}\n{fault:?}"
        );
        assert!(
            !fault.message.contains('<') && !fault.message.ends_with('.'),
            "{fault:?}"
        );
    }
}

#[test]
fn long_pages_are_quoted_in_part() {
    let page = format!("<html><body>{}</body></html>", "busy ".repeat(500));
    assert_eq!(read(503, page.as_bytes()).message.chars().count(), QUOTED);
}

#[test]
fn a_rate_limit_tells_its_pause_in_the_body() {
    assert_eq!(
        read(429, br#"{"overLimit":{"retryAfter":"7"}}"#).retry_after.as_deref(),
        Some("7")
    );
    assert_eq!(
        read(429, br#"{"overLimit":{"retryAfter":7}}"#).retry_after.as_deref(),
        Some("7")
    );
}

#[test]
fn less_than_is_no_tag() {
    assert_eq!(plain("a < b and c <br/> d"), "a < b and c d");
    assert_eq!(plain("한글 <b>말</b>"), "한글 말");
}

proptest! {
    #[test]
    fn mutated_refusals_never_panic(index in 0_usize..20, at in any::<prop::sample::Index>(), byte in any::<u8>(), status in 300_u16..600) {
        let cases: Vec<Value> = serde_json::from_str(FAULTS).unwrap();
        let mut body = cases[index]["body"].as_str().unwrap().as_bytes().to_vec();
        if !body.is_empty() {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let fault = read(status, &body);
        prop_assert!(!fault.message.is_empty() && fault.message.chars().count() <= QUOTED);
    }

    #[test]
    fn any_bytes_are_a_refusal(body in prop::collection::vec(any::<u8>(), 0..600), status in 300_u16..600) {
        prop_assert!(!read(status, &body).message.is_empty());
    }
}
