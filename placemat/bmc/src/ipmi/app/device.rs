//! The BMC's own commands.

use crate::identity::Identity;
use crate::ipmi::{Answer, Call};

/// IPMI 2.0, as BCD with the digits swapped (section 20.1).
const IPMI_VERSION: u8 = 0x02;
/// What else this device is (table 20-2): chassis device, FRU inventory, SEL, SDR repository.
pub(in crate::ipmi) const SUPPORT: u8 = 0x80 | 0x08 | 0x04 | 0x02;

/// Get Device ID (section 20.1).
pub(super) fn id(_: &mut Call<'_>) -> Answer {
    let mut data = vec![0x20, 0x01]; // device ID, revision
    data.extend_from_slice(&[0x00, 0x10]); // firmware 0.10
    data.extend_from_slice(&[IPMI_VERSION, SUPPORT]);
    data.extend_from_slice(&[0; 3]); // manufacturer: unspecified
    data.extend_from_slice(&[0; 2]); // product
    Ok(data)
}

/// Get Self Test Results (section 20.4): no error.
pub(super) fn self_test(_: &mut Call<'_>) -> Answer {
    Ok(vec![0x55, 0x00])
}

/// Get Device GUID and Get System GUID (sections 20.8 and 22.14).
pub(super) fn guid(call: &mut Call<'_>) -> Answer {
    Ok(wire_guid(&call.bmc.identity()).to_vec())
}

/// Get BMC Global Enables (section 22.2): nothing but the event log.
pub(super) fn enables(_: &mut Call<'_>) -> Answer {
    Ok(vec![0x08])
}

/// The system's UUID as IPMI sends it: least significant byte first (section 20.8).
pub fn wire_guid(identity: &Identity) -> [u8; 16] {
    let mut guid = identity.uuid;
    guid.reverse();
    guid
}
