//! The system event log (IPMI 2.0 chapters 31 and 32): one log, which IPMI and Redfish both show.
//! It has room for so many records; when it is full, what comes is lost and the overflow flag
//! says so, until somebody clears it.

mod event;

pub use event::Event;

/// Records that there is room for.
pub const CAPACITY: usize = 512;
/// Bytes of a record as it goes over the wire.
pub const RECORD: usize = 16;
/// Type of a system event record (table 32-1).
pub const SYSTEM_EVENT: u8 = 0x02;
/// What stands for a moment that is not known (section 37.1).
pub const UNSPECIFIED: u32 = u32::MAX;
/// Where record types without a time begin (section 32.3).
const UNTIMED: u8 = 0xe0;
/// Record numbers that mean "first" and "last".
const FIRST: u16 = 0x0000;
const LAST: u16 = 0xffff;

/// A record: its number and all that follows it, record type first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub id: u16,
    /// Record type, then what belongs to it.
    pub body: [u8; RECORD - 2],
}

impl Record {
    /// The bytes of the record.
    pub fn bytes(&self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..2].copy_from_slice(&self.id.to_le_bytes());
        bytes[2..].copy_from_slice(&self.body);
        bytes
    }

    /// When it was added, in seconds since 1970 on the log's clock, if records of its type have a
    /// time.
    pub fn time(&self) -> Option<u32> {
        let [kind, a, b, c, d, ..] = self.body;
        (kind < UNTIMED).then_some(u32::from_le_bytes([a, b, c, d]))
    }

    /// The event in it, if that is what it holds.
    pub fn event(&self) -> Option<Event> {
        let [kind, _, _, _, _, rest @ ..] = self.body;
        (kind == SYSTEM_EVENT).then(|| Event::decode(rest))
    }
}

/// There is no room for another record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system event log is full")]
pub struct Full;

/// The log. Times are handed in as seconds since 1970; the log's own clock may differ from that.
#[derive(Debug, Clone)]
pub struct Sel {
    /// In the order in which they came.
    records: Vec<Record>,
    next: u16,
    last_addition: u32,
    last_erasure: u32,
    overflow: bool,
    /// 0 once there is none.
    reservation: u16,
    reservations: u16,
    /// How far the log's clock is ahead.
    ahead: i64,
}

impl Default for Sel {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            next: 1,
            last_addition: UNSPECIFIED,
            last_erasure: UNSPECIFIED,
            overflow: false,
            reservation: 0,
            reservations: 0,
            ahead: 0,
        }
    }
}

impl Sel {
    /// The log's clock.
    pub fn time(&self, now: i64) -> u32 {
        u32::try_from((now + self.ahead).max(0)).unwrap_or(UNSPECIFIED)
    }

    /// Sets the log's clock.
    pub fn set_time(&mut self, now: i64, time: u32) {
        self.ahead = i64::from(time) - now;
    }

    /// Adds a record and says its number. Types that have a time get the log's.
    pub fn add(&mut self, now: i64, mut body: [u8; RECORD - 2]) -> Result<u16, Full> {
        if self.records.len() >= CAPACITY {
            self.overflow = true;
            return Err(Full);
        }
        while matches!(self.next, FIRST | LAST) || self.position(self.next).is_some() {
            self.next = self.next.wrapping_add(1);
        }
        let time = self.time(now);
        if body[0] < UNTIMED {
            body[1..5].copy_from_slice(&time.to_le_bytes());
        }
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        self.records.push(Record { id, body });
        self.last_addition = time;
        Ok(id)
    }

    /// Adds an event.
    pub fn note(&mut self, now: i64, event: Event) -> Result<u16, Full> {
        let mut body = [0; RECORD - 2];
        body[0] = SYSTEM_EVENT;
        body[5..].copy_from_slice(&event.encode());
        self.add(now, body)
    }

    /// All records, oldest first.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// A record, and the number of the one after it. 0 is the first, FFFFh the last; as the
    /// number of the next one, FFFFh says that there is none.
    pub fn get(&self, id: u16) -> Option<(&Record, u16)> {
        let at = self.position(id)?;
        let next = self.records.get(at + 1).map_or(LAST, |record| record.id);
        Some((self.records.get(at)?, next))
    }

    /// Removes a record and says its number.
    pub fn delete(&mut self, now: i64, id: u16) -> Option<u16> {
        let record = self.records.remove(self.position(id)?);
        self.last_erasure = self.time(now);
        self.reservation = 0;
        Some(record.id)
    }

    /// Removes all records.
    pub fn clear(&mut self, now: i64) {
        self.records.clear();
        self.overflow = false;
        self.last_erasure = self.time(now);
        self.reservation = 0;
    }

    /// When a record was last added, on the log's clock.
    pub fn last_addition(&self) -> u32 {
        self.last_addition
    }

    /// When one was last removed, on the log's clock.
    pub fn last_erasure(&self) -> u32 {
        self.last_erasure
    }

    /// Whether records were lost for want of room.
    pub fn has_overflowed(&self) -> bool {
        self.overflow
    }

    /// A reservation. It ends with the next one, and when a record is removed (section 31.4).
    pub fn reserve(&mut self) -> u16 {
        self.reservations = self.reservations.checked_add(1).unwrap_or(1);
        self.reservation = self.reservations;
        self.reservation
    }

    /// Whether a reservation holds.
    pub fn is_reserved(&self, reservation: u16) -> bool {
        reservation != 0 && reservation == self.reservation
    }

    fn position(&self, id: u16) -> Option<usize> {
        match id {
            FIRST => (!self.records.is_empty()).then_some(0),
            LAST => self.records.len().checked_sub(1),
            id => self.records.iter().position(|record| record.id == id),
        }
    }
}

#[cfg(test)]
mod tests;
