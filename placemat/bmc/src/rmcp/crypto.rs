//! The arithmetic of RMCP+ security: HMACs, session keys, AES-CBC payloads (IPMI 2.0 sections
//! 13.28 to 13.32).

use aes::Aes128;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Bytes of an AES block, key and initialization vector.
pub const AES_BLOCK: usize = 16;

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
}

impl Hash {
    /// HMAC over the parts, one after the other.
    pub fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha1 => mac::<Hmac<Sha1>>(key, parts),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, parts),
        }
    }

    /// Additional key K`number` of a session (section 13.32): the HMAC, under the session
    /// integrity key, of that number 20 times. The standard leaves room to read the count as the
    /// length of the digest; ipmitool and FreeIPMI take 20 for every hash.
    pub fn additional_key(self, integrity_key: &[u8], number: u8) -> Vec<u8> {
        self.hmac(integrity_key, &[&[number; 20]])
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// Compares codes in time that does not depend on where they differ.
pub fn equal(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// Encrypts a payload by AES-CBC-128 (section 13.29): vector, then payload, pad 1, 2, 3, ... and pad length.
pub fn seal(key: &[u8; AES_BLOCK], iv: &[u8; AES_BLOCK], payload: &[u8]) -> Vec<u8> {
    let pad = (AES_BLOCK - (payload.len() + 1) % AES_BLOCK) % AES_BLOCK;
    let mut sealed = Vec::with_capacity(AES_BLOCK + payload.len() + pad + 1);
    sealed.extend_from_slice(iv);
    sealed.extend_from_slice(payload);
    sealed.extend((1..=u8::MAX).take(pad));
    sealed.push(pad.to_le_bytes()[0]);
    let mut cipher = cbc::Encryptor::<Aes128>::new(key.into(), iv.into());
    for block in sealed[AES_BLOCK..].chunks_exact_mut(AES_BLOCK) {
        if let Ok(block) = block.try_into() {
            cipher.encrypt_block(block);
        }
    }
    sealed
}

/// Undoes [`seal`]. `None` if length or padding are wrong.
pub fn open(key: &[u8; AES_BLOCK], sealed: &[u8]) -> Option<Vec<u8>> {
    let (iv, ciphertext) = sealed.split_first_chunk::<AES_BLOCK>()?;
    if ciphertext.is_empty() || ciphertext.len() % AES_BLOCK != 0 {
        return None;
    }
    let mut payload = ciphertext.to_vec();
    let mut cipher = cbc::Decryptor::<Aes128>::new(key.into(), iv.into());
    for block in payload.chunks_exact_mut(AES_BLOCK) {
        cipher.decrypt_block(block.try_into().ok()?);
    }
    let pad = usize::from(payload.pop()?);
    let len = payload.len().checked_sub(pad)?;
    let well_padded = pad < AES_BLOCK && payload[len..].iter().copied().eq((1..=u8::MAX).take(pad));
    well_padded.then(|| {
        payload.truncate(len);
        payload
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hex(bytes: &[u8]) -> String {
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    }

    #[test]
    fn hmac_vectors() {
        // RFC 2202 section 3 and RFC 4231 section 4.3, test case 2 of each
        let (key, data) = (b"Jefe", b"what do ya want for nothing?");
        assert_eq!(
            hex(&Hash::Sha1.hmac(key, &[&data[..4], &data[4..]])),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        assert_eq!(
            hex(&Hash::Sha256.hmac(key, &[data])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn aes_vector() {
        // NIST SP 800-38A F.2.1: the first block of CBC-AES128
        let key = *b"\x2b\x7e\x15\x16\x28\xae\xd2\xa6\xab\xf7\x15\x88\x09\xcf\x4f\x3c";
        let iv = std::array::from_fn(|n| u8::try_from(n).expect("small"));
        let plain = *b"\x6b\xc1\xbe\xe2\x2e\x40\x9f\x96\xe9\x3d\x7e\x11\x73\x93\x17\x2a";
        let sealed = seal(&key, &iv, &plain);
        assert_eq!(
            sealed.len(),
            3 * AES_BLOCK,
            "vector, block, a block of padding"
        );
        assert_eq!(hex(&sealed[16..32]), "7649abac8119b246cee98e9b12e9197d");
    }

    proptest! {
        #[test]
        fn open_undoes_seal(key: [u8; 16], iv: [u8; 16], payload: Vec<u8>) {
            let sealed = seal(&key, &iv, &payload);
            prop_assert_eq!(sealed.len() % AES_BLOCK, 0);
            prop_assert_eq!(open(&key, &sealed), Some(payload));
        }

        #[test]
        fn open_survives_junk(key: [u8; 16], junk: Vec<u8>) {
            let _ = open(&key, &junk);
        }
    }
}
