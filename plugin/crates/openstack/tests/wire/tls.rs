//! Whom the client trusts: only the named authority, or everybody when told so.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reseal_machine::{CloudErrorKind, Status};
use reseal_openstack::{OpenStack, OpenStackConfig, check};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::script::{Script, TOKENS, TestClock};

/// A TLS door in front of a script; returns its address and its authority.
async fn door(script: &Script) -> (String, String) {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(params, authority_key);
    let leaf = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/v3", listener.local_addr().unwrap().port());
    let (acceptor, script) = (TlsAcceptor::from(Arc::new(config)), script.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, script) = (acceptor.clone(), script.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    script.serve_one(stream).await;
                }
            });
        }
    });
    (url, authority.pem())
}

async fn behind_tls() -> (Script, OpenStackConfig, String) {
    let script = Script::start().await;
    script.on(TOKENS, [script.token("t1")]);
    let (url, authority) = door(&script).await;
    let mut config = script.config(&TestClock::new());
    config.credentials.auth_url = url;
    (script, config, authority)
}

#[tokio::test]
async fn the_named_authority_is_trusted() {
    let (script, mut config, authority) = behind_tls().await;
    config.credentials.tls.ca = Some(authority.into_bytes());
    OpenStack::connect(config).await.unwrap();
    assert_eq!(script.asked(TOKENS).len(), 1);
}

#[tokio::test]
async fn a_stranger_is_refused_at_once_and_sees_no_password() {
    let (script, mut config, _) = behind_tls().await;
    let (_, other) = door(&script).await;
    config.credentials.tls.ca = Some(other.into_bytes());
    let checks = check(config.clone()).await;
    let error = OpenStack::connect(config).await.unwrap_err();
    assert_eq!(
        (error.kind, error.status),
        (CloudErrorKind::Unavailable, Status::Permanent)
    );
    assert!(
        error.message.contains("not trusted") && error.hints[0].contains("OS_CACERT"),
        "{error:?}"
    );
    assert!(script.asked(TOKENS).is_empty());
    assert_eq!(
        checks.last().map(|check| (check.name.as_str(), check.ok)),
        Some(("tls", false))
    );
}

#[tokio::test]
async fn anybody_is_trusted_only_when_told_so() {
    let (_script, mut config, _) = behind_tls().await;
    config.credentials.tls.insecure = true;
    OpenStack::connect(config).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_certificate_is_named() {
    let (_script, mut config, _) = behind_tls().await;
    config.credentials.tls.ca = Some(b"hello".to_vec());
    let error = OpenStack::connect(config).await.unwrap_err();
    assert!(error.message.contains("OS_CACERT"), "{error}");
}
