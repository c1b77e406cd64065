//! IPMI messages as they travel over a LAN: addresses, network function, two checksums (IPMI 2.0
//! section 13.8).

/// Slave address of a BMC.
const BMC: u8 = 0x20;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Network function, even.
    pub netfn: u8,
    /// Logical unit it is for, 0 to 3.
    pub lun: u8,
    /// Command.
    pub command: u8,
    /// Parameters.
    pub data: Vec<u8>,
    /// Address of the console's software.
    source: u8,
    /// Sequence number (six bits) and source LUN (two bits), repeated in the response.
    sequence: u8,
}

impl Request {
    /// A request as a console sends it; `sequence` has six bits.
    pub fn new(netfn: u8, command: u8, data: Vec<u8>, sequence: u8) -> Self {
        Self {
            netfn,
            lun: 0,
            command,
            data,
            source: 0x81,
            sequence: sequence << 2,
        }
    }

    /// Reads a request. `None` unless it is whole, both checksums are right, it is for the BMC,
    /// and it is a request (responses have odd network functions).
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let [
            responder,
            netfn,
            head_sum,
            source,
            sequence,
            command,
            data @ ..,
            sum,
        ] = bytes
        else {
            return None;
        };
        let netfn_lun = *netfn;
        if checksum(&[*responder, netfn_lun]) != *head_sum
            || checksum(&bytes[3..bytes.len() - 1]) != *sum
            || *responder != BMC
            || netfn_lun & 0x04 != 0
        {
            return None;
        }
        Some(Self {
            netfn: netfn_lun >> 2,
            lun: netfn_lun & 0x03,
            command: *command,
            data: data.to_vec(),
            source: *source,
            sequence: *sequence,
        })
    }

    /// The bytes of the request.
    pub fn encode(&self) -> Vec<u8> {
        frame(
            [BMC, self.netfn << 2 | self.lun],
            [self.source, self.sequence, self.command],
            &self.data,
        )
    }

    /// The bytes of a response to it: completion code, then data.
    pub fn response(&self, completion: u8, data: &[u8]) -> Vec<u8> {
        let mut body = Vec::with_capacity(1 + data.len());
        body.push(completion);
        body.extend_from_slice(data);
        let responder_lun = self.sequence & 0x03;
        frame(
            [self.source, (self.netfn | 1) << 2 | responder_lun],
            [BMC, self.sequence & 0xfc | self.lun, self.command],
            &body,
        )
    }
}

fn frame(head: [u8; 2], middle: [u8; 3], data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(7 + data.len());
    bytes.extend_from_slice(&head);
    bytes.push(checksum(&head));
    bytes.extend_from_slice(&middle);
    bytes.extend_from_slice(data);
    bytes.push(checksum(&bytes[3..]));
    bytes
}

/// Two's complement of the sum: bytes and checksum add up to 0.
pub fn checksum(bytes: &[u8]) -> u8 {
    bytes
        .iter()
        .fold(0u8, |sum, byte| sum.wrapping_add(*byte))
        .wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn get_channel_auth_capabilities_of_ipmitool() {
        let bytes = [0x20, 0x18, 0xc8, 0x81, 0x00, 0x38, 0x8e, 0x04, 0xb5];
        let request = Request::decode(&bytes).expect("well-formed");
        assert_eq!((request.netfn, request.command), (0x06, 0x38));
        assert_eq!(request.data, [0x8e, 0x04]);
        assert_eq!(request.encode(), bytes);
        assert_eq!(
            request.response(0, &[1]),
            [0x81, 0x1c, 0x63, 0x20, 0x00, 0x38, 0x00, 0x01, 0xa7]
        );
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(netfn in 0u8..32, lun in 0u8..4, command: u8, data: Vec<u8>, sequence in 0u8..64) {
            let request = Request { lun, ..Request::new(netfn * 2, command, data, sequence) };
            prop_assert_eq!(Request::decode(&request.encode()), Some(request));
        }

        #[test]
        fn decode_survives_junk(junk: Vec<u8>) {
            let _ = Request::decode(&junk);
        }

        #[test]
        fn one_wrong_byte_is_noticed(data: Vec<u8>, at: proptest::sample::Index, flip in 1u8..) {
            let mut bytes = Request::new(6, 1, data, 3).encode();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert_eq!(Request::decode(&bytes), None);
        }
    }
}
