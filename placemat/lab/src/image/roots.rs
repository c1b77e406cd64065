//! The authorities that this host trusts: the bundle that its distribution keeps, so that a company's
//! own authority counts as it does for every other program.

use std::path::PathBuf;
use ureq::tls::{Certificate, PemItem, parse_pem};

/// Where distributions keep the bundle.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];

/// Reads the bundle: `SSL_CERT_FILE`, else the first that is there.
pub(super) fn read() -> Vec<Certificate<'static>> {
    let given = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let known = BUNDLES.iter().map(PathBuf::from);
    let Some(pem) = given
        .into_iter()
        .chain(known)
        .find_map(|path| std::fs::read(path).ok())
    else {
        return Vec::new();
    };
    parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect()
}
