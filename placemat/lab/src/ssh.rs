//! The lab's own SSH key: `placemat ssh` has the private part, boot servers hand out the public one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The private key's file in a lab's run directory.
pub const KEY_FILE: &str = "ssh-key";

/// Name of the key's kind (RFC 5656 section 3.1).
const KIND: &str = "ecdsa-sha2-nistp256";
/// Name of its curve (RFC 5656 section 10.1).
const CURVE: &str = "nistp256";

/// Makes a new key, writes its private part (PKCS #8 in PEM) to `file`, for its owner alone, and
/// gives its public part as a line of `authorized_keys`.
pub(crate) fn make(file: &Path) -> io::Result<String> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(io::Error::other)?;
    let mut options = std::fs::File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    file.write_all(key.serialize_pem().as_bytes())?;
    let mut blob = Vec::new();
    for part in [KIND.as_bytes(), CURVE.as_bytes(), key.der_bytes()] {
        // A string of RFC 4251 section 5; none of these has more than a hundred bytes.
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        blob.extend_from_slice(&length.to_be_bytes());
        blob.extend_from_slice(part);
    }
    Ok(format!("{KIND} {} placemat\n", STANDARD.encode(blob)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_its_owners_and_its_line_names_the_point() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(KEY_FILE);
        let line = make(&file).expect("a key");
        let mode = file.metadata().expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let blob = line.split(' ').nth(1).expect("three words");
        let blob = STANDARD.decode(blob).expect("base64");
        // Two names and an uncompressed point (SEC 1 section 2.3.3), each after its length.
        assert_eq!(blob.len(), 4 + 19 + 4 + 8 + 4 + 65);
        assert_eq!(blob[39], 4);
        assert!(make(&file).is_err(), "no key is written over another");
    }
}
