//! The cipher suites that are offered (IPMI 2.0 section 22.15.2, tables 13-17 to 13-19).

use super::crypto::Hash;

/// A cipher suite: authentication, integrity and confidentiality together. Both use AES-CBC-128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// Suite 3: RAKP-HMAC-SHA1, HMAC-SHA1-96, AES-CBC-128.
    Sha1,
    /// Suite 17: RAKP-HMAC-SHA256, HMAC-SHA256-128, AES-CBC-128.
    Sha256,
}

/// Code of AES-CBC-128 (table 13-19).
const AES_CBC_128: u8 = 0x01;

/// What a console proposes: one code an algorithm, `None` where it leaves the choice to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// Authentication algorithm (table 13-17).
    pub authentication: Option<u8>,
    /// Integrity algorithm (table 13-18).
    pub integrity: Option<u8>,
    /// Confidentiality algorithm (table 13-19).
    pub confidentiality: Option<u8>,
}

impl Suite {
    /// All of them, best first.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha1];

    /// Cipher suite number.
    pub fn id(self) -> u8 {
        match self {
            Self::Sha1 => 3,
            Self::Sha256 => 17,
        }
    }

    /// Codes of the three algorithms: authentication, integrity, confidentiality.
    pub fn algorithms(self) -> [u8; 3] {
        match self {
            Self::Sha1 => [0x01, 0x01, AES_CBC_128],
            Self::Sha256 => [0x03, 0x04, AES_CBC_128],
        }
    }

    /// Hash function of the key exchange and of the packets.
    pub fn hash(self) -> Hash {
        match self {
            Self::Sha1 => Hash::Sha1,
            Self::Sha256 => Hash::Sha256,
        }
    }

    /// Bytes that are left of an HMAC in RAKP message 4 and in the packet's AuthCode (sections
    /// 13.28.1 and 13.28.4).
    pub fn code_len(self) -> usize {
        match self {
            Self::Sha1 => 12,
            Self::Sha256 => 16,
        }
    }

    /// The suite that a console proposes. An algorithm that is not offered is an error, never
    /// quietly another one.
    pub fn choose(proposal: Proposal) -> Result<Self, super::rakp::Status> {
        use super::rakp::Status;
        let known = |index: usize, wanted: Option<u8>| {
            wanted.is_none_or(|code| {
                Self::ALL
                    .iter()
                    .any(|suite| suite.algorithms()[index] == code)
            })
        };
        if !known(0, proposal.authentication) {
            return Err(Status::InvalidAuthentication);
        }
        if !known(1, proposal.integrity) {
            return Err(Status::InvalidIntegrity);
        }
        if !known(2, proposal.confidentiality) {
            return Err(Status::InvalidConfidentiality);
        }
        let wanted = [
            proposal.authentication,
            proposal.integrity,
            proposal.confidentiality,
        ];
        Self::ALL
            .into_iter()
            .find(|suite| {
                wanted
                    .iter()
                    .zip(suite.algorithms())
                    .all(|(wanted, code)| wanted.is_none_or(|wanted| wanted == code))
            })
            .ok_or(Status::NoSuite)
    }

    /// The record of Get Channel Cipher Suites (table 22-18).
    pub fn record(self) -> [u8; 5] {
        let [authentication, integrity, confidentiality] = self.algorithms();
        [
            0xc0,
            self.id(),
            authentication,
            0x40 | integrity,
            0x80 | confidentiality,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rmcp::rakp::Status;

    fn choose(codes: [Option<u8>; 3]) -> Result<Suite, Status> {
        Suite::choose(Proposal {
            authentication: codes[0],
            integrity: codes[1],
            confidentiality: codes[2],
        })
    }

    #[test]
    fn chooses_what_was_asked_or_nothing() {
        assert_eq!(choose([Some(1), Some(1), Some(1)]), Ok(Suite::Sha1));
        assert_eq!(choose([Some(3), Some(4), Some(1)]), Ok(Suite::Sha256));
        assert_eq!(choose([None, None, None]), Ok(Suite::Sha256));
        assert_eq!(choose([Some(1), None, None]), Ok(Suite::Sha1));
        assert_eq!(
            choose([Some(0), Some(1), Some(1)]),
            Err(Status::InvalidAuthentication)
        );
        assert_eq!(
            choose([Some(1), Some(2), Some(1)]),
            Err(Status::InvalidIntegrity)
        );
        assert_eq!(
            choose([Some(1), Some(1), Some(0)]),
            Err(Status::InvalidConfidentiality)
        );
        assert_eq!(choose([Some(3), Some(1), Some(1)]), Err(Status::NoSuite));
    }
}
