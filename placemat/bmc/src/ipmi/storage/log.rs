//! The system event log's commands (IPMI 2.0 chapter 31).

use crate::ipmi::{Answer, Call, Code};
use crate::sel::{CAPACITY, Full, RECORD};

/// Version of the commands and records (section 31.2).
const VERSION: u8 = 0x51;
/// What Get SEL Info says that there is: Reserve SEL and Delete SEL Entry.
const SUPPORT: u8 = 0x02 | 0x08;
/// Set in the same byte once records were lost.
const OVERFLOW: u8 = 0x80;
/// "The rest of the record", as the number of bytes to read.
const REST: u8 = 0xff;

impl From<Full> for Code {
    fn from(_: Full) -> Self {
        Self::NoSpace
    }
}

/// Get SEL Info (section 31.2).
pub(super) fn info(call: &mut Call<'_>) -> Answer {
    Ok(call.bmc.sel(|sel, _| {
        let entries = sel.records().len();
        let free = (CAPACITY - entries) * RECORD;
        let mut data = vec![VERSION];
        for count in [entries, free] {
            data.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
        }
        data.extend_from_slice(&sel.last_addition().to_le_bytes());
        data.extend_from_slice(&sel.last_erasure().to_le_bytes());
        let overflow = if sel.has_overflowed() { OVERFLOW } else { 0 };
        data.push(SUPPORT | overflow);
        data
    }))
}

/// Reserve SEL (section 31.4).
pub(super) fn reserve(call: &mut Call<'_>) -> Answer {
    Ok(call.bmc.sel(|sel, _| sel.reserve().to_le_bytes().to_vec()))
}

/// Get SEL Entry (section 31.5), whole or, under a reservation, in pieces.
pub(super) fn get(call: &mut Call<'_>) -> Answer {
    let [r0, r1, low, high, offset, count] = call.head()?;
    let reservation = u16::from_le_bytes([r0, r1]);
    call.bmc.sel(|sel, _| {
        if offset != 0 && !sel.is_reserved(reservation) {
            return Err(Code::Reservation);
        }
        let (record, next) = sel
            .get(u16::from_le_bytes([low, high]))
            .ok_or(Code::NotPresent)?;
        let bytes = record.bytes();
        let rest = bytes.get(usize::from(offset)..).ok_or(Code::OutOfRange)?;
        let wanted = match count {
            REST => rest.len(),
            count => rest.len().min(count.into()),
        };
        let mut data = next.to_le_bytes().to_vec();
        data.extend_from_slice(&rest[..wanted]);
        Ok(data)
    })
}

/// Add SEL Entry (section 31.6). The log gives it a number and, where its type has one, a time.
pub(super) fn add(call: &mut Call<'_>) -> Answer {
    let [_, _, body @ ..] = call.head::<RECORD>()?;
    let id = call.bmc.sel(|sel, now| sel.add(now, body))?;
    Ok(id.to_le_bytes().to_vec())
}

/// Delete SEL Entry (section 31.8).
pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let [r0, r1, low, high] = call.head()?;
    call.bmc.sel(|sel, now| {
        if !sel.is_reserved(u16::from_le_bytes([r0, r1])) {
            return Err(Code::Reservation);
        }
        sel.delete(now, u16::from_le_bytes([low, high]))
            .map(|id| id.to_le_bytes().to_vec())
            .ok_or(Code::NotPresent)
    })
}

/// Clear SEL (section 31.9): done by the time it is answered.
pub(super) fn clear(call: &mut Call<'_>) -> Answer {
    let [r0, r1, b'C', b'L', b'R', act] = call.head()? else {
        return Err(Code::InvalidField);
    };
    call.bmc.sel(|sel, now| {
        match act {
            0x00 => {} // only asks how far it is
            0xaa if !sel.is_reserved(u16::from_le_bytes([r0, r1])) => {
                return Err(Code::Reservation);
            }
            0xaa => sel.clear(now),
            _ => return Err(Code::InvalidField),
        }
        Ok(vec![0x01])
    })
}

/// Get SEL Time (section 31.10): seconds since 1970.
pub(super) fn time(call: &mut Call<'_>) -> Answer {
    Ok(call
        .bmc
        .sel(|sel, now| sel.time(now).to_le_bytes().to_vec()))
}

/// Set SEL Time (section 31.11). The machine's own clock and the lab's stay as they are.
pub(super) fn set_time(call: &mut Call<'_>) -> Answer {
    let time = u32::from_le_bytes(call.head()?);
    call.bmc.sel(|sel, now| sel.set_time(now, time));
    Ok(Vec::new())
}
