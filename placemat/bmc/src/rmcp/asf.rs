//! ASF presence ping and pong (IPMI 2.0 section 13.2.3), by which tools find a BMC.

/// IANA enterprise number of ASF.
const ASF_IANA: [u8; 4] = [0x00, 0x00, 0x11, 0xbe];
const PRESENCE_PING: u8 = 0x80;
const PRESENCE_PONG: u8 = 0x40;

/// Answers the body of an ASF message (behind the RMCP header): a pong for a presence ping, `None` for all else.
pub fn answer(body: &[u8]) -> Option<Vec<u8>> {
    let [a, b, c, d, PRESENCE_PING, tag, _reserved, _length, ..] = *body else {
        return None;
    };
    if [a, b, c, d] != ASF_IANA {
        return None;
    }
    let mut pong = Vec::with_capacity(24);
    pong.extend_from_slice(&ASF_IANA);
    pong.extend_from_slice(&[PRESENCE_PONG, tag, 0, 16]);
    pong.extend_from_slice(&ASF_IANA); // OEM: none of our own, so the number of ASF
    pong.extend_from_slice(&[0; 4]); // OEM-defined
    pong.push(0x81); // supported entities: IPMI, ASF 1.0
    pong.push(0); // supported interactions
    pong.extend_from_slice(&[0; 6]);
    Some(pong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pong_repeats_the_tag() {
        let pong = answer(&[0, 0, 0x11, 0xbe, 0x80, 0x2a, 0, 0]).expect("a pong");
        assert_eq!(pong.len(), 8 + 16);
        assert_eq!(&pong[4..8], [0x40, 0x2a, 0, 16]);
        assert_eq!(pong[16], 0x81);
    }

    #[test]
    fn silent_on_anything_else() {
        assert_eq!(answer(&[]), None);
        assert_eq!(answer(&[0, 0, 0x11, 0xbf, 0x80, 0, 0, 0]), None);
        assert_eq!(answer(&[0, 0, 0x11, 0xbe, 0x40, 0, 0, 0]), None);
    }
}
