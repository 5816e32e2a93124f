//! Who gets in, and what is said when not.

use std::sync::Arc;

use reseal_lab::winrm::computer::Certified;
use reseal_machine::communicator::Silent;
use reseal_machine::{CommError, Communicator as _};
use reseal_winrm::{Auth, AuthKind, ConfigError, Transport, Trust, WinRm, WinRmConfig};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, Program, Served, client};

const LINE: &str = "hostname";

fn desk() -> Desk {
    Desk::new().program(
        LINE,
        Program {
            out: vec![b"WIN-DESK\r\n".to_vec()],
            exit: Some(0),
            ..Program::default()
        },
    )
}

struct Made {
    certified: Certified,
    pem: String,
    sha256: [u8; 32],
}

/// A certificate for `name`, signed by itself.
fn certificate(name: &str, algorithm: &'static rcgen::SignatureAlgorithm) -> Made {
    let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let made = rcgen::CertificateParams::new(vec![name.to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(made.der().to_vec())],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    Made {
        certified: Certified {
            config: Arc::new(config),
            leaf: made.der().to_vec(),
        },
        pem: made.pem(),
        sha256: Sha256::digest(made.der()).into(),
    }
}

async fn ask(winrm: &WinRm) -> Result<i32, CommError> {
    winrm
        .run(LINE, &Silent, &CancellationToken::new())
        .await
        .map(|exit| exit.code)
}

#[tokio::test]
async fn sealed_over_http() {
    let served = Served::new(desk());
    let winrm = served.client();
    assert_eq!(ask(&winrm).await.unwrap(), 0);
    winrm.disconnect().await;
    served.check_clean();
    // Two login requests; Create, Command, Receive, Terminate, Delete.
    assert_eq!(winrm.stats().requests, 7);
    assert_eq!(winrm.stats().logins, 1);
}

#[tokio::test]
async fn bound_over_https_whatever_the_hash() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384] {
        let made = certificate("another-name", algorithm);
        let served = Served::new(
            desk()
                .policy(|policy| policy.strict_bindings = true)
                .certified(made.certified),
        );
        let transport = Transport::Https {
            trust: Trust::Pinned { sha256: made.sha256 },
        };
        let winrm = client(served.address, transport, AuthKind::Negotiate, |_| {});
        assert_eq!(ask(&winrm).await.unwrap(), 0);
        served.check_clean();
        // The message goes with the last token.
        assert_eq!(winrm.stats().requests, 6);
    }
}

#[tokio::test]
async fn basic_over_https_only() {
    let made = certificate("127.0.0.1", &rcgen::PKCS_ECDSA_P256_SHA256);
    let served = Served::new(desk().policy(|policy| policy.basic = true).certified(made.certified));
    let transport = Transport::Https {
        trust: Trust::Authority {
            pem: made.pem.into_bytes(),
        },
    };
    let winrm = client(served.address, transport, AuthKind::Basic, |_| {});
    assert_eq!(ask(&winrm).await.unwrap(), 0);
    served.check_clean();
    let refused = WinRm::new(config(Transport::Http, AuthKind::Basic));
    assert!(matches!(refused, Err(ConfigError::BasicOverHttp)));
}

fn config(transport: Transport, kind: AuthKind) -> WinRmConfig {
    WinRmConfig::new(
        reseal_winrm::Address::new("192.0.2.1", 5985),
        transport,
        Auth {
            kind,
            username: "u".to_owned(),
            password: SecretString::from("p"),
        },
        Arc::new(reseal_lab::clock::JumpClock::new(jiff::Timestamp::UNIX_EPOCH)),
        Arc::new(uuid::Uuid::nil),
    )
}

#[tokio::test]
async fn certificates_are_judged() {
    let made = certificate("another-name", &rcgen::PKCS_ECDSA_P256_SHA256);
    let pem = made.pem.clone().into_bytes();
    let served = Served::new(desk().certified(made.certified));
    let judge = |trust| client(served.address, Transport::Https { trust }, AuthKind::Negotiate, |_| {});
    let wrong_pin = ask(&judge(Trust::Pinned { sha256: [7; 32] })).await;
    assert!(
        matches!(&wrong_pin, Err(CommError::Tls(why)) if why.contains("pinned")),
        "{wrong_pin:?}"
    );
    // The authority is right, the name is not.
    let wrong_name = ask(&judge(Trust::Authority { pem })).await;
    assert!(matches!(wrong_name, Err(CommError::Tls(_))), "{wrong_name:?}");
    let other = certificate("another-name", &rcgen::PKCS_ECDSA_P256_SHA256);
    let stranger = ask(&judge(Trust::Roots(vec![CertificateDer::from(other.certified.leaf)]))).await;
    assert!(matches!(stranger, Err(CommError::Tls(_))), "{stranger:?}");
    assert_eq!(ask(&judge(Trust::Insecure)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_wrong_password_ends_at_once() {
    let served = Served::new(desk());
    let winrm = client(served.address, Transport::Http, AuthKind::Negotiate, |config| {
        config.auth.password = SecretString::from("wrong");
    });
    let error = ask(&winrm).await.unwrap_err();
    assert!(
        matches!(&error, CommError::Auth(why) if why.contains("builder")),
        "{error:?}"
    );
    assert_eq!(winrm.stats().requests, 2);
    assert!(!format!("{error:?} {winrm}", winrm = winrm.stats().requests).contains("wrong"));
}

#[tokio::test]
async fn early_refusals_are_told_apart() {
    let served = Served::new(desk());
    let winrm = served.client();
    served.desk.be_unavailable(true);
    assert!(matches!(ask(&winrm).await, Err(CommError::Unreachable(why)) if why.contains("503")));
    served.desk.be_unavailable(false);
    served.desk.refuse_logins(true);
    assert!(matches!(ask(&winrm).await, Err(CommError::Auth(_))));
    served.desk.refuse_logins(false);
    assert_eq!(ask(&winrm).await.unwrap(), 0);
    served.endpoint.close();
    let nobody = client(
        "127.0.0.1:9".parse().unwrap(),
        Transport::Http,
        AuthKind::Negotiate,
        |_| {},
    );
    assert!(matches!(ask(&nobody).await, Err(CommError::Unreachable(_))));
}

#[tokio::test]
async fn https_to_an_http_port_is_no_question_of_trust() {
    let served = Served::new(desk());
    let transport = Transport::Https { trust: Trust::Insecure };
    let error = ask(&client(served.address, transport, AuthKind::Negotiate, |_| {}))
        .await
        .unwrap_err();
    assert!(
        matches!(error, CommError::Tls(_) | CommError::Unreachable(_)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_service_without_basic_says_what_it_takes() {
    let made = certificate("127.0.0.1", &rcgen::PKCS_ECDSA_P256_SHA256);
    let served = Served::new(desk().certified(made.certified));
    let trust = Trust::Pinned { sha256: made.sha256 };
    let winrm = client(served.address, Transport::Https { trust }, AuthKind::Basic, |_| {});
    let error = ask(&winrm).await.unwrap_err();
    assert!(
        matches!(&error, CommError::Auth(why) if why.contains("does not take Basic") && why.contains("Negotiate")),
        "{error:?}"
    );
}
