//! TLS: whom we believe, and what a login is bound to.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tokio_rustls::TlsConnector;
use x509_parser::signature_algorithm::SignatureAlgorithm;

use crate::config::{ConfigError, Trust};

/// What opens TLS connections, for one way of trusting.
pub(crate) fn connector(trust: &Trust) -> Result<TlsConnector, ConfigError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::Tls(error.to_string()))?;
    let config = match roots(trust)? {
        Some(roots) => builder.with_root_certificates(roots).with_no_client_auth(),
        None => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(LeafOnly {
                pin: pin(trust),
                provider,
            }))
            .with_no_client_auth(),
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The roots to build chains to; none where chains do not matter.
fn roots(trust: &Trust) -> Result<Option<RootCertStore>, ConfigError> {
    let certificates = match trust {
        Trust::Pinned { .. } | Trust::Insecure => return Ok(None),
        Trust::Roots(roots) => roots.clone(),
        Trust::Authority { pem } => CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| ConfigError::Authority(error.to_string()))?,
        Trust::System => system_roots()?,
    };
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(certificates);
    match (added, trust) {
        (0, Trust::System) => Err(ConfigError::SystemRoots("there are none".to_owned())),
        (0, _) => Err(ConfigError::Authority("it holds no usable certificate".to_owned())),
        _ => Ok(Some(store)),
    }
}

fn system_roots() -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let loaded = rustls_native_certs::load_native_certs();
    match loaded.errors.first() {
        Some(error) if loaded.certs.is_empty() => Err(ConfigError::SystemRoots(error.to_string())),
        _ => Ok(loaded.certs),
    }
}

fn pin(trust: &Trust) -> Option<[u8; 32]> {
    if let Trust::Pinned { sha256 } = trust {
        Some(*sha256)
    } else {
        None
    }
}

/// Judges the leaf certificate alone: equal to the pin, or (explicitly insecure) anything. The server must still
/// prove that it has the key.
#[derive(Debug)]
struct LeafOnly {
    pin: Option<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for LeafOnly {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let found: [u8; 32] = Sha256::digest(end_entity).into();
        match self.pin {
            Some(pin) if pin != found => Err(TlsError::General(format!(
                "the server's certificate has SHA-256 {}, pinned is {}",
                hex::encode(found),
                hex::encode(pin)
            ))),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a TLS failure means, in the user's words.
pub(crate) fn explain(error: &TlsError) -> String {
    match error {
        TlsError::General(text) => text.clone(),
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the server's certificate is not signed by a trusted authority".to_owned()
        }
        other => other.to_string(),
    }
}

/// The channel binding token `tls-server-end-point` of a certificate (RFC 5929, section 4.1): its hash by the hash of
/// its own signature, where MD5 and SHA-1 give way to SHA-256.
pub(crate) fn channel_binding(certificate: &[u8]) -> Vec<u8> {
    let mut token = b"tls-server-end-point:".to_vec();
    match signature_hash(certificate) {
        Hash::Sha256 => token.extend_from_slice(&Sha256::digest(certificate)),
        Hash::Sha384 => token.extend_from_slice(&Sha384::digest(certificate)),
        Hash::Sha512 => token.extend_from_slice(&Sha512::digest(certificate)),
    }
    token
}

#[derive(Debug, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// By object identifier: of the signature algorithm, or of the hash inside RSASSA-PSS.
fn signature_hash(certificate: &[u8]) -> Hash {
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else {
        return Hash::Sha256;
    };
    let algorithm = &parsed.signature_algorithm;
    let oid = match SignatureAlgorithm::try_from(algorithm) {
        Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) => parameters.hash_algorithm_oid().to_id_string(),
        _ => algorithm.algorithm.to_id_string(),
    };
    match oid.as_str() {
        // sha384WithRSAEncryption, ecdsa-with-SHA384, id-sha384
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" | "2.16.840.1.101.3.4.2.2" => Hash::Sha384,
        // sha512WithRSAEncryption, ecdsa-with-SHA512, id-sha512
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" | "2.16.840.1.101.3.4.2.3" => Hash::Sha512,
        _ => Hash::Sha256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(algorithm: &'static rcgen::SignatureAlgorithm) -> (Vec<u8>, String) {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let made = rcgen::CertificateParams::new(vec!["guest".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        (made.der().to_vec(), made.pem())
    }

    #[test]
    fn the_hash_follows_the_certificate() {
        let (der, _) = certificate(&rcgen::PKCS_ECDSA_P384_SHA384);
        assert_eq!(signature_hash(&der), Hash::Sha384);
        assert_eq!(channel_binding(&der).len(), "tls-server-end-point:".len() + 48);
        let (der, _) = certificate(&rcgen::PKCS_ECDSA_P256_SHA256);
        assert_eq!(signature_hash(&der), Hash::Sha256);
        assert_eq!(signature_hash(b"garbage"), Hash::Sha256);
    }

    #[test]
    fn an_authority_must_hold_a_certificate() {
        let (_, pem) = certificate(&rcgen::PKCS_ECDSA_P256_SHA256);
        assert!(connector(&Trust::Authority { pem: pem.into_bytes() }).is_ok());
        assert!(matches!(
            connector(&Trust::Authority {
                pem: b"no pem".to_vec()
            }),
            Err(ConfigError::Authority(_))
        ));
    }
}
