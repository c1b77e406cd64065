//! NetFn 00h, Chassis: power, identify light, boot options (IPMI 2.0 chapter 28).

pub mod boot_options;
mod control;
mod status;

use super::{OPERATOR, Row, USER, later, now};

/// Its commands.
pub const ROWS: &[Row] = &[
    now(0x00, USER, "Get Chassis Capabilities", status::capabilities),
    now(0x01, USER, "Get Chassis Status", status::status),
    later(0x02, OPERATOR, "Chassis Control", control::control),
    now(0x04, OPERATOR, "Chassis Identify", control::identify),
    now(0x06, OPERATOR, "Set Power Restore Policy", control::policy),
    now(
        0x07,
        USER,
        "Get System Restart Cause",
        status::restart_cause,
    ),
    later(0x08, OPERATOR, "Set System Boot Options", boot_options::set),
    now(0x09, OPERATOR, "Get System Boot Options", boot_options::get),
    now(0x0f, USER, "Get POH Counter", status::power_on_hours),
];
