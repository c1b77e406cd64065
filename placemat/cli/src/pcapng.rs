//! Captured frames as wireshark and tcpdump read them: pcapng (draft-ietf-opsawg-pcapng).

use placemat_host::packet::Frame;

/// `LINKTYPE_ETHERNET`.
const ETHERNET: u16 = 1;
/// Section Header, Interface Description, Enhanced Packet.
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;

/// The head of a file: a section, and an interface for each name, none of whose frames is longer
/// than `most` bytes in the file (0: no limit).
pub(crate) fn head(names: &[String], most: usize) -> Vec<u8> {
    let mut section = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
    // Version 1.0; a section of unknown length.
    section.extend([1, 0, 0, 0]);
    section.extend([0xff; 8]);
    section.extend(option(4, b"placemat"));
    section.extend(END);
    let mut bytes = block(SECTION, &section);
    for name in names {
        let mut interface = ETHERNET.to_le_bytes().to_vec();
        interface.extend([0, 0]);
        interface.extend(u32::try_from(most).unwrap_or(0).to_le_bytes());
        interface.extend(option(2, name.as_bytes()));
        // Times are in nanoseconds.
        interface.extend(option(9, &[9]));
        interface.extend(END);
        bytes.extend(block(INTERFACE, &interface));
    }
    bytes
}

/// One frame of the interface with this number.
pub(crate) fn packet(interface: usize, frame: &Frame) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let time = u64::try_from(frame.at.as_nanos()).unwrap_or(u64::MAX);
    let mut body = number(interface).to_vec();
    let [high, low] = [time >> 32, time & 0xffff_ffff];
    for half in [high, low] {
        body.extend(u32::try_from(half).unwrap_or(0).to_le_bytes());
    }
    body.extend(number(frame.bytes.len()));
    body.extend(number(frame.length));
    body.extend(&frame.bytes);
    pad(&mut body);
    // Inbound or outbound.
    let direction: u32 = if frame.sent { 2 } else { 1 };
    body.extend(option(2, &direction.to_le_bytes()));
    body.extend(END);
    block(PACKET, &body)
}

/// `opt_endofopt`.
const END: [u8; 4] = [0; 4];

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    let mut bytes = [code.to_le_bytes(), length.to_le_bytes()].concat();
    bytes.extend(value);
    pad(&mut bytes);
    bytes
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 12)
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    let mut bytes = kind.to_le_bytes().to_vec();
    bytes.extend(length);
    bytes.extend(body);
    bytes.extend(length);
    bytes
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;
    use std::time::Duration;

    fn hex(bytes: &[u8]) -> String {
        let mut text = String::new();
        for line in bytes.chunks(16) {
            for byte in line {
                let _ = write!(text, "{byte:02x} ");
            }
            text = text.trim_end().to_owned() + "\n";
        }
        text
    }

    #[test]
    fn a_file_of_two_interfaces_and_a_frame() {
        let names = ["router/a:eth0".to_owned(), "b".to_owned()];
        let frame = Frame {
            at: Duration::new(1_700_000_000, 5),
            length: 60,
            bytes: vec![0xab; 15],
            sent: true,
        };
        let file = [head(&names, 96), packet(1, &frame)].concat();
        insta::assert_snapshot!(hex(&file));
    }
}
