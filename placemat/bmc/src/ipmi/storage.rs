//! NetFn 0Ah, Storage: FRU inventory, sensor records and the event log (IPMI 2.0 chapters 31,
//! 33 and 34).

mod fru;
mod log;
mod sensor;

use super::{OPERATOR, Row, USER, now};

/// Its commands.
pub const ROWS: &[Row] = &[
    now(0x10, USER, "Get FRU Inventory Area Info", fru::info),
    now(0x11, USER, "Read FRU Data", fru::read),
    now(0x20, USER, "Get SDR Repository Info", sensor::info),
    now(0x22, USER, "Reserve SDR Repository", sensor::reserve),
    now(0x23, USER, "Get SDR", sensor::get),
    now(0x40, USER, "Get SEL Info", log::info),
    now(0x42, USER, "Reserve SEL", log::reserve),
    now(0x43, USER, "Get SEL Entry", log::get),
    now(0x44, OPERATOR, "Add SEL Entry", log::add),
    now(0x46, OPERATOR, "Delete SEL Entry", log::delete),
    now(0x47, OPERATOR, "Clear SEL", log::clear),
    now(0x48, USER, "Get SEL Time", log::time),
    now(0x49, OPERATOR, "Set SEL Time", log::set_time),
];
