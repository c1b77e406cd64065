//! Completion codes (IPMI 2.0 section 5.2).

/// Why a command did not complete. Success is 00h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Code {
    /// Of commands that set parameters: this one is not supported.
    ParameterNotSupported = 0x80,
    /// Of Set Session Privilege Level: beyond the limit of user or session (section 22.18).
    BeyondLimit = 0x81,
    /// Of commands that set parameters: this one can only be read.
    ReadOnly = 0x82,
    /// Of Close Session: there is no such session (section 22.19).
    NoSession = 0x87,
    /// Busy; ask again later.
    Busy = 0xc0,
    /// Unknown command or network function.
    InvalidCommand = 0xc1,
    /// Not for this logical unit.
    InvalidLun = 0xc2,
    /// No room for it.
    NoSpace = 0xc4,
    /// The reservation is no longer valid.
    Reservation = 0xc5,
    /// Wrong length of the request.
    Length = 0xc7,
    /// An offset beyond the end.
    OutOfRange = 0xc9,
    /// There is no such record.
    NotPresent = 0xcb,
    /// A field that makes no sense.
    InvalidField = 0xcc,
    /// The session may not do that.
    Privilege = 0xd4,
    /// Not in the present state.
    State = 0xd5,
    /// It failed.
    Unspecified = 0xff,
}
