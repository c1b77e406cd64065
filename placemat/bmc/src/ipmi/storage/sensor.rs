//! The sensor data record repository: one record, which says where the BMC is. There are no
//! sensors yet. (An empty repository would have ipmitool set out to fill it.)

use crate::ipmi::{Answer, Call, Code};

/// The number of the one record, and what stands for "no further record".
const RECORD: u16 = 1;
const LAST: u16 = 0xffff;

/// Get SDR Repository Info (section 33.9): no free space, Reserve supported.
pub(super) fn info(_: &mut Call<'_>) -> Answer {
    let mut data = vec![0x51, 1, 0, 0, 0];
    data.extend_from_slice(&[0xff; 8]); // last addition and erasure: unspecified
    data.push(0x02);
    Ok(data)
}

/// Reserve SDR Repository (section 33.11).
pub(super) fn reserve(_: &mut Call<'_>) -> Answer {
    Ok(vec![1, 0])
}

/// Get SDR (section 33.12), whole or in pieces.
pub(super) fn get(call: &mut Call<'_>) -> Answer {
    let [_, _, low, high, offset, count] = call.head()?;
    let wanted = u16::from_le_bytes([low, high]);
    if !matches!(wanted, 0 | RECORD | LAST) {
        return Err(Code::NotPresent); // 0 is the first, FFFFh the last
    }
    let record = locator();
    let rest = record.get(usize::from(offset)..).ok_or(Code::OutOfRange)?;
    let mut data = LAST.to_le_bytes().to_vec();
    data.extend_from_slice(&rest[..rest.len().min(count.into())]);
    Ok(data)
}

/// Management Controller Device Locator (section 43.9).
fn locator() -> Vec<u8> {
    const NAME: &[u8] = b"BMC";
    let mut body = vec![0x20, 0x00]; // slave address, channel
    body.extend_from_slice(&[0x00, crate::ipmi::app::device::SUPPORT]);
    body.extend_from_slice(&[0; 3]); // reserved
    body.extend_from_slice(&[0x06, 0x01]); // entity: system management module 1
    body.push(0); // OEM
    body.push(0xc0 | NAME.len().to_le_bytes()[0]); // Latin-1
    body.extend_from_slice(NAME);
    let mut record = RECORD.to_le_bytes().to_vec();
    record.extend_from_slice(&[0x51, 0x12, body.len().to_le_bytes()[0]]);
    record.extend_from_slice(&body);
    record
}
