//! NetFn 04h, Sensor/Event: events that somebody reports (IPMI 2.0 chapter 29).

use super::{Answer, Call, Code, OPERATOR, Row, now};
use crate::sel::Event;

/// Generator of what comes over a LAN: the console's system software (table 32-1).
const CONSOLE: [u8; 2] = [0x41, 0x00];
/// Formats of IPMI 1.0 and since (section 29.7).
const REVISIONS: std::ops::RangeInclusive<u8> = 0x03..=0x04;

/// Its commands.
pub const ROWS: &[Row] = &[now(0x02, OPERATOR, "Platform Event", platform_event)];

/// Platform Event (section 29.3): goes into the event log.
fn platform_event(call: &mut Call<'_>) -> Answer {
    let [revision, sensor_type, sensor, kind, d1, d2, d3] = call.head()?;
    if !REVISIONS.contains(&revision) {
        return Err(Code::InvalidField);
    }
    let [g0, g1] = CONSOLE;
    let bytes = [g0, g1, revision, sensor_type, sensor, kind, d1, d2, d3];
    call.bmc
        .sel(|sel, now| sel.note(now, Event::decode(bytes)))?;
    Ok(Vec::new())
}
