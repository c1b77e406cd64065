//! LAN configuration parameters, to read (IPMI 2.0 sections 23.1 and 23.2). The lab owns them.

use crate::ipmi::{Answer, CHANNEL, Call, Code};
use crate::rmcp::suite::Suite;
use crate::user::LockoutPolicy;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Revision of the parameters: 1.1, as the standard has it.
const REVISION: u8 = 0x11;

/// Set LAN Configuration Parameters: none can be written.
pub(super) fn set(call: &mut Call<'_>) -> Answer {
    let [channel, _parameter] = call.head()?;
    check(channel)?;
    Err(Code::ReadOnly)
}

/// Get LAN Configuration Parameters.
pub(super) fn get(call: &mut Call<'_>) -> Answer {
    let [channel, parameter, _set, _block] = call.head()?;
    check(channel)?;
    let mut data = vec![REVISION];
    if channel & 0x80 == 0 {
        data.extend_from_slice(&value(call, parameter)?);
    }
    Ok(data)
}

fn check(channel: u8) -> Result<(), Code> {
    match channel & 0x0f {
        CHANNEL | 0x0e => Ok(()),
        _ => Err(Code::InvalidField),
    }
}

/// The value of a parameter (table 23-4).
fn value(call: &Call<'_>, parameter: u8) -> Answer {
    let identity = call.bmc.identity();
    let (address, mask) = match identity.address {
        IpAddr::V4(address) => (address, mask(identity.prefix_len)),
        IpAddr::V6(_) => (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED),
    };
    let suites = Suite::ALL.map(Suite::id);
    Ok(match parameter {
        // Set in progress: complete; authentication types of IPMI 1.5: none; VLAN priority.
        0 | 1 | 21 => vec![0],
        2 => vec![0; 5],                // authentication types by privilege level
        3 => address.octets().to_vec(), // address
        4 => vec![1],                   // its source: static
        5 => identity.mac.to_vec(),     // MAC address
        6 => mask.octets().to_vec(),    // subnet mask
        12 | 14 => vec![0; 4],          // default and backup gateway
        13 | 15 => vec![0; 6],          // their MAC addresses
        20 => vec![0; 2],               // VLAN: off
        22 => vec![u8::try_from(suites.len()).unwrap_or(0)],
        23 => padded(&suites), // cipher suites
        // The most privilege of each suite: administrator.
        24 => padded(&[0x44])[..9].to_vec(),
        26 => bad_passwords(call.bmc.accounts().policy()),
        _ => return Err(Code::ParameterNotSupported),
    })
}

/// Bad password threshold: no event, how many, and two times in tens of seconds, which are rounded up.
fn bad_passwords(policy: LockoutPolicy) -> Vec<u8> {
    let tens = |time: Duration| u16::try_from(time.as_secs().div_ceil(10)).unwrap_or(u16::MAX);
    let mut data = vec![0, policy.threshold];
    data.extend_from_slice(&tens(policy.reset_after).to_le_bytes());
    data.extend_from_slice(&tens(policy.duration).to_le_bytes());
    data
}

/// A reserved byte and sixteen entries.
fn padded(suites: &[u8]) -> Vec<u8> {
    let mut entries = vec![0];
    entries.extend_from_slice(suites);
    entries.resize(17, 0);
    entries
}

fn mask(prefix_len: u8) -> Ipv4Addr {
    let host_bits = 32 - u32::from(prefix_len.min(32));
    Ipv4Addr::from_bits(u32::MAX.checked_shl(host_bits).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks() {
        assert_eq!(mask(20), Ipv4Addr::new(255, 255, 240, 0));
        assert_eq!(mask(0), Ipv4Addr::UNSPECIFIED);
        assert_eq!(mask(32), Ipv4Addr::BROADCAST);
    }
}
