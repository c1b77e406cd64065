//! Certificates: one authority a data center, one EC P-256 certificate a BMC, made when the
//! first client connects.

use crate::identity::Identity;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It could not be made.
    #[error("make a certificate for `{name}`")]
    Make {
        /// For whom.
        name: String,
        /// What the certificate library says.
        source: rcgen::Error,
    },
    /// It could not be put to use.
    #[error("set up TLS for `{name}`")]
    Use {
        /// For whom.
        name: String,
        /// What the TLS library says.
        source: rustls::Error,
    },
}

/// The authority that signs the certificates of a data center's BMCs.
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl CertificateAuthority {
    /// A new authority with a key of its own, which never leaves the process.
    pub fn new(name: &str) -> Result<Self, CertificateError> {
        Self::make(name).map_err(|source| CertificateError::Make {
            name: name.to_owned(),
            source,
        })
    }

    fn make(name: &str) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            certificate: certificate.der().clone(),
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// The authority's certificate, for clients that want to verify.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// TLS for one BMC: a new key, and a certificate for its name and address.
    pub fn acceptor(&self, identity: &Identity) -> Result<TlsAcceptor, CertificateError> {
        let name = || identity.name.clone();
        let (certificate, key) = self
            .leaf(identity)
            .map_err(|source| CertificateError::Make {
                name: name(),
                source,
            })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(vec![certificate, self.certificate.clone()], key)
            })
            .map_err(|source| CertificateError::Use {
                name: name(),
                source,
            })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn leaf(
        &self,
        identity: &Identity,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, identity.name.as_str());
        params
            .subject_alt_names
            .push(SanType::IpAddress(identity.address));
        if let Ok(name) = identity.name.as_str().try_into() {
            params.subject_alt_names.push(SanType::DnsName(name));
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok((certificate.der().clone(), key.into()))
    }
}

impl std::fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertificateAuthority")
            .finish_non_exhaustive()
    }
}
