//! RAKP, the key exchange that opens a session (IPMI 2.0 sections 13.17 to 13.24): the four
//! messages and the codes in them.

mod exchange;
mod open;

pub use exchange::{Exchange, Rakp1, Rakp3, rakp2, rakp4, refusal};
pub use open::{OpenRequest, open_refusal, open_response};

/// Status of an RMCP+ or RAKP message (table 13-15), as far as we give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// No room for another session.
    InsufficientResources = 0x01,
    /// There is no such session.
    InvalidSession = 0x02,
    /// The authentication algorithm is not offered.
    InvalidAuthentication = 0x04,
    /// The integrity algorithm is not offered.
    InvalidIntegrity = 0x05,
    /// The role is none.
    InvalidRole = 0x09,
    /// This user may not have that role.
    UnauthorizedRole = 0x0a,
    /// The length of the name is wrong.
    InvalidName = 0x0c,
    /// There is no such user.
    UnauthorizedName = 0x0d,
    /// The code is wrong: another password.
    InvalidCode = 0x0f,
    /// The confidentiality algorithm is not offered.
    InvalidConfidentiality = 0x10,
    /// Each algorithm is offered, but not together.
    NoSuite = 0x11,
    /// A parameter makes no sense.
    IllegalParameter = 0x12,
}

#[cfg(test)]
mod tests;
