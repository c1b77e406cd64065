//! NetFn 0Ch, Transport: the LAN channel's parameters (IPMI 2.0 chapter 23).

mod lan;

use super::{ADMINISTRATOR, OPERATOR, Row, now};

/// Its commands.
pub const ROWS: &[Row] = &[
    now(
        0x01,
        ADMINISTRATOR,
        "Set LAN Configuration Parameters",
        lan::set,
    ),
    now(0x02, OPERATOR, "Get LAN Configuration Parameters", lan::get),
];
