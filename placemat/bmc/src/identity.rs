//! What a server calls itself: the names and numbers that both front ends show.

use sha1::{Digest, Sha1};
use std::net::IpAddr;

/// Names and numbers of one server and of its BMC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Host name of the server, as in the cluster file.
    pub name: String,
    /// Serial number, the same that SMBIOS shows to the guest.
    pub serial: String,
    /// Manufacturer.
    pub manufacturer: String,
    /// Product name.
    pub product: String,
    /// System UUID in the byte order of RFC 9562 (network order).
    pub uuid: [u8; 16],
    /// Address of the BMC.
    pub address: IpAddr,
    /// Length of the BMC network's prefix, in bits.
    pub prefix_len: u8,
    /// MAC address of the BMC.
    pub mac: [u8; 6],
}

impl Identity {
    /// A server with the given name, serial and BMC address. UUID and MAC are derived from the
    /// serial, so that they stay the same from run to run; overwrite any field afterwards.
    pub fn new(name: impl Into<String>, serial: impl Into<String>, address: IpAddr) -> Self {
        let serial = serial.into();
        let hash: [u8; 20] = Sha1::digest(format!("placemat bmc {serial}").as_bytes()).into();
        let mut uuid = [0; 16];
        uuid.copy_from_slice(&hash[..16]);
        uuid[6] = uuid[6] & 0x0f | 0x50; // version 5, name-based: RFC 9562 section 5.5
        uuid[8] = uuid[8] & 0x3f | 0x80; // variant: RFC 9562 section 4.1
        Self {
            name: name.into(),
            serial,
            manufacturer: "placemat".to_owned(),
            product: "virtual server".to_owned(),
            uuid,
            address,
            prefix_len: if address.is_ipv4() { 24 } else { 64 },
            mac: [0x52, 0x54, 0x01, hash[16], hash[17], hash[18]],
        }
    }

    /// The UUID in its usual text form.
    pub fn uuid_text(&self) -> String {
        let hex = self.uuid.map(|byte| format!("{byte:02x}")).concat();
        [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ]
        .join("-")
    }

    /// The MAC address in its usual text form.
    pub fn mac_text(&self) -> String {
        self.mac.map(|byte| format!("{byte:02x}")).join(":")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn uuid_and_mac_follow_from_the_serial() {
        let one = Identity::new("cs1", "abc", Ipv4Addr::LOCALHOST.into());
        let same = Identity::new("other", "abc", Ipv4Addr::LOCALHOST.into());
        let other = Identity::new("cs1", "abd", Ipv4Addr::LOCALHOST.into());
        assert_eq!((one.uuid, one.mac), (same.uuid, same.mac));
        assert_ne!((one.uuid, one.mac), (other.uuid, other.mac));
        assert_eq!(one.uuid_text().len(), 36);
        assert_eq!(&one.uuid_text()[14..15], "5");
        assert_eq!(one.mac[0] & 1, 0, "a unicast address");
    }
}
