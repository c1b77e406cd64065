//! What a machine is known by: MAC, SMBIOS serial, and the interface identifier of IPv6.

use super::terms::Step;
use super::{Allocation, Seat};
use placemat_spec::value::Mac;
use sha1::{Digest, Sha1};
use std::fmt::Write as _;

/// QEMU's prefix, with nothing after it.
const FIRST: Mac = Mac([0x52, 0x54, 0, 0, 0, 0]);
/// MACs of a rack, of which each seat has 16.
const OF_RACK: u32 = 64 * OF_SEAT;
const OF_SEAT: u32 = 16;

impl Allocation {
    /// MAC of a server's NIC (NICs from 0): QEMU's prefix, then 14 bits of rack, 6 of seat, 4 of NIC.
    pub fn mac(&self, rack: u32, server: u32, nic: u32) -> Mac {
        let steps = [
            Step::times(OF_RACK, "rack", rack),
            Step::times(OF_SEAT, "seat", Seat::Server(server).number()),
            Step::times(1, "NIC", nic),
        ];
        self.ledger.mac(FIRST, &steps)
    }
}

/// The MAC that comes so many after one.
pub(super) fn counted(first: Mac, number: i128) -> Mac {
    let mut bytes = [0; 8];
    bytes[2..].copy_from_slice(&first.0);
    let number =
        u64::from_be_bytes(bytes).saturating_add_signed(i64::try_from(number).unwrap_or(0));
    bytes = number.to_be_bytes();
    let mut mac = first;
    mac.0.copy_from_slice(&bytes[2..]);
    mac
}

/// SMBIOS serial of a machine: the hex SHA-1 of its name, as placemat v2 has it.
pub fn serial(name: &str) -> String {
    let digest = Sha1::digest(name.as_bytes());
    let words = digest.as_chunks::<4>().0.iter();
    words.fold(String::with_capacity(40), |mut hex, word| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{:08x}", u32::from_be_bytes(*word));
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
        // Seats of servers begin at 4: rack, seat and NIC have bits of their own.
        let mac = |rack: u32, seat: u32, nic: u32| {
            counted(FIRST, (OF_RACK * rack + OF_SEAT * seat + nic).into()).to_string()
        };
        assert_eq!(mac(1, 4, 0), "52:54:00:00:04:40");
        assert_eq!(mac(1, 4, 1), "52:54:00:00:04:41");
        assert_eq!(mac(16_383, 47, 1), "52:54:00:ff:fe:f1");
    }

    #[test]
    fn serials_are_those_of_placemat_v2() {
        assert_eq!(
            serial("rack1-cs1"),
            "4ae0771764376e0184274e24e0b18abd8fa5f285"
        );
    }
}
