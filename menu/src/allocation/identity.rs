//! What a machine is known by: MAC, SMBIOS serial, and the interface identifier of IPv6.

use super::Seat;
use placemat_spec::value::Mac;
use sha1::{Digest, Sha1};
use std::fmt::Write as _;

/// MAC of a server's NIC (NICs from 0): QEMU's prefix, then 14 bits of rack, 6 of seat, 4 of NIC.
pub fn mac(rack: u32, server: u32, nic: u32) -> Mac {
    let [_, a, b, c] = ((rack << 10) | (Seat::Server(server).number() << 4) | nic).to_be_bytes();
    Mac([0x52, 0x54, 0x00, a, b, c])
}

/// SMBIOS serial of a machine: the hex SHA-1 of its name, as placemat v2 has it.
pub fn serial(name: &str) -> String {
    Sha1::digest(name.as_bytes())
        .iter()
        .fold(String::with_capacity(40), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// The lower 64 bits of the IPv6 address that an interface gives itself (RFC 4291, appendix A).
pub(crate) fn interface_id(mac: Mac) -> u64 {
    let mut id = [0, 0, 0, 0xff, 0xfe, 0, 0, 0];
    id[..3].copy_from_slice(&mac.0[..3]);
    id[5..].copy_from_slice(&mac.0[3..]);
    // The bit for what is unique by a list, which is the wrong way round in addresses.
    id[0] ^= 2;
    u64::from_be_bytes(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_are_unicast_and_tell_rack_seat_and_nic() {
        assert_eq!(mac(1, 1, 0).to_string(), "52:54:00:00:04:40");
        assert_eq!(mac(1, 1, 1).to_string(), "52:54:00:00:04:41");
        assert_eq!(mac(16_383, 44, 1).to_string(), "52:54:00:ff:fe:f1");
    }

    #[test]
    fn serials_are_those_of_placemat_v2() {
        assert_eq!(
            serial("rack1-cs1"),
            "4ae0771764376e0184274e24e0b18abd8fa5f285"
        );
    }
}
