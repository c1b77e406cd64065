//! NetFn 06h, App: the BMC itself, channels, users and sessions (IPMI 2.0 chapters 20 and 22).

mod capabilities;
mod channel;
pub mod device;
mod session;
mod user;

use super::{ADMINISTRATOR, ANYONE, OPERATOR, Row, USER, now};

/// Its commands.
pub const ROWS: &[Row] = &[
    now(0x01, USER, "Get Device ID", device::id),
    now(0x04, USER, "Get Self Test Results", device::self_test),
    now(0x08, USER, "Get Device GUID", device::guid),
    now(0x2f, USER, "Get BMC Global Enables", device::enables),
    now(0x37, ANYONE, "Get System GUID", device::guid),
    now(
        0x38,
        ANYONE,
        "Get Channel Authentication Capabilities",
        capabilities::get,
    ),
    now(
        0x3b,
        USER,
        "Set Session Privilege Level",
        session::set_privilege,
    ),
    now(0x3c, USER, "Close Session", session::close),
    now(0x41, USER, "Get Channel Access", channel::access),
    now(0x42, USER, "Get Channel Info", channel::info),
    now(0x44, OPERATOR, "Get User Access", user::access),
    now(0x46, ADMINISTRATOR, "Get User Name", user::name),
    now(0x54, ANYONE, "Get Channel Cipher Suites", channel::suites),
];
