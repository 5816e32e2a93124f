//! Both Keystones: what is sent, what comes back, how long it lasts.

use proptest::prelude::*;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use serde_json::json;

use super::*;
use crate::credentials::{Domain, Named, Project, User};
use crate::http::reply::Reply;

const V2: &str = include_str!("../../../../../tests/data/openstack/token-v2.json");
const V3: &str = include_str!("../../../../../tests/data/openstack/token-v3.json");

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn reply(body: &str) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("x-subject-token", HeaderValue::from_static("gAAAA"));
    Reply {
        operation: "authenticate",
        status: 201,
        headers,
        body: body.as_bytes().to_vec(),
    }
}

fn password(user: Named, project: Named, secret: &str) -> Auth {
    let domain = Domain(Named::Name("Default".to_owned()));
    Auth::Password {
        user: User {
            user,
            domain: domain.clone(),
        },
        password: secret.to_owned().into(),
        project: Project { project, domain },
    }
}

fn name(text: &str) -> Named {
    Named::Name(text.to_owned())
}

fn id(text: &str) -> Named {
    Named::Id(text.to_owned())
}

#[test]
fn v2_sends_what_nhn_documents() {
    let auth = password(
        name("builder@example.com"),
        id("11112222333344445555666677778888"),
        "api-password",
    );
    let expect = value(include_str!(
        "../../../../../tests/data/openstack/request-token-v2.json"
    ));
    assert_eq!(v2::body(&auth).unwrap(), expect);
}

#[test]
fn v3_sends_names_with_domains_and_ids_alone() {
    let expect = value(include_str!(
        "../../../../../tests/data/openstack/request-token-v3-password.json"
    ));
    assert_eq!(v3::body(&password(name("builder"), name("images"), "secret")), expect);
    let by_id = v3::body(&password(id("u1"), id("p1"), "secret"));
    assert_eq!(
        by_id["auth"]["identity"]["password"]["user"],
        json!({ "id": "u1", "password": "secret" })
    );
    assert_eq!(by_id["auth"]["scope"], json!({ "project": { "id": "p1" } }));
}

#[test]
fn an_application_credential_has_no_scope() {
    let auth = |credential, user| Auth::ApplicationCredential {
        credential,
        user,
        secret: "ac-secret".to_owned().into(),
    };
    let expect = value(include_str!(
        "../../../../../tests/data/openstack/request-token-v3-application-credential.json"
    ));
    assert_eq!(v3::body(&auth(id("ac0123456789"), None)), expect);
    let user = User {
        user: name("builder"),
        domain: Domain(name("Default")),
    };
    let named = v3::body(&auth(name("ci"), Some(user)));
    let sent = &named["auth"]["identity"]["application_credential"];
    assert_eq!(
        sent,
        &json!({ "user": { "name": "builder", "domain": { "name": "Default" } }, "name": "ci", "secret": "ac-secret" })
    );
    assert!(v2::body(&auth(id("x"), None)).is_err());
}

#[test]
fn a_token_keeps_its_project_or_is_scoped_anew() {
    let auth = |project| Auth::Token {
        token: "t".to_owned().into(),
        project,
    };
    assert_eq!(
        v3::body(&auth(None)),
        json!({ "auth": { "identity": { "methods": ["token"], "token": { "id": "t" } } } })
    );
    let project = Project {
        project: id("p"),
        domain: Domain::default(),
    };
    assert_eq!(
        v3::body(&auth(Some(project.clone())))["auth"]["scope"],
        json!({ "project": { "id": "p" } })
    );
    assert_eq!(
        v2::body(&auth(Some(project))).unwrap(),
        json!({ "auth": { "tenantId": "p", "token": { "id": "t" } } })
    );
}

#[test]
fn both_replies_become_a_session() {
    let two = v2::granted(&reply(V2)).unwrap();
    assert_eq!(two.token.expose_secret(), "0123456789abcdef0123456789abcdef");
    assert_eq!(two.project, "11112222333344445555666677778888");
    let three = v3::granted(&reply(V3)).unwrap();
    assert_eq!(three.token.expose_secret(), "gAAAA");
    assert_eq!((three.project, three.catalog.endpoints.len()), (two.project, 4));
    let unscoped = v3::granted(&reply(r#"{"token":{"expires_at":"2026-11-22T04:00:00.000000Z"}}"#)).unwrap_err();
    assert!(unscoped.hints[0].contains("OS_PROJECT_ID"));
}

#[test]
fn a_life_is_counted_on_our_own_clock() {
    let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let twelve_hours = session(v2::granted(&reply(V2)).unwrap(), now);
    assert_eq!(twelve_hours.ends_at.to_string(), "2030-01-01T11:59:59.999877Z");
    assert_eq!(twelve_hours.renew_at.to_string(), "2030-01-01T11:54:59.999877Z");
    let short = Granted {
        token: "t".to_owned().into(),
        catalog: Catalog::default(),
        project: "p".to_owned(),
        issued: Some(now),
        expires: now.checked_add(Duration::from_mins(4)).ok(),
    };
    assert_eq!(session(short, now).renew_at.to_string(), "2030-01-01T00:03:00Z");
}

#[test]
fn the_best_listed_version_is_taken() {
    let v3 = json!({ "versions": { "values": [{ "id": "v2.0", "status": "deprecated" }, { "id": "v3.14", "status": "stable" }] } });
    assert_eq!(best(&v3), Some(IdentityVersion::V3));
    assert_eq!(
        best(&json!({ "versions": { "values": [{ "id": "v2.0" }] } })),
        Some(IdentityVersion::V2)
    );
    assert_eq!(best(&json!({ "version": { "id": "v3.8" } })), Some(IdentityVersion::V3));
    assert_eq!(best(&json!({ "hello": 1 })), None);
}

proptest! {
    #[test]
    fn mutated_tokens_never_panic(first in any::<bool>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = if first { V2 } else { V3 }.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let reply = Reply { body: bytes, ..reply("") };
        let granted = if first { v2::granted(&reply) } else { v3::granted(&reply) };
        if let Ok(granted) = granted {
            let _ = session(granted, Timestamp::UNIX_EPOCH);
        }
    }
}
