//! Set and Get System Boot Options (IPMI 2.0 sections 28.12 and 28.13).
//!
//! The boot flags are a view of the chassis' boot override, so that Redfish and IPMI always say
//! the same. UEFI HTTP boot has no code of its own here and is shown as PXE with the EFI flag.
//! The rule that an override lapses a minute after it was set, should no power command come, is
//! not followed: tests of a simulated data center may be slow.

use super::control::bounded;
use crate::boot::{BootOverride, BootSource, Persistence};
use crate::ipmi::{Answer, Call, Code, Work};

const SET_IN_PROGRESS: u8 = 0;
const FLAG_VALID_CLEARING: u8 = 3;
const ACKNOWLEDGE: u8 = 4;
const FLAGS: u8 = 5;
const INITIATOR: u8 = 6;

/// Parameters that are kept only to be read back.
#[derive(Debug, Default)]
pub struct Remembered {
    in_progress: u8,
    valid_clearing: u8,
    acknowledged: u8,
    /// Bytes 2 to 5 of the boot flags, without the device: screen, buttons, console, verbosity.
    flags: [u8; 4],
    initiator: [u8; 9],
}

/// Set System Boot Options.
pub(super) fn set(call: &mut Call<'_>) -> Result<Work, Code> {
    let (parameter, data) = call.data.split_first().ok_or(Code::Length)?;
    let remembered = &mut call.state.boot_options;
    match (parameter & 0x7f, data) {
        // Anyone may start over: a client that died in the middle must not lock out the next.
        (SET_IN_PROGRESS, [value @ 0..=2, ..]) => remembered.in_progress = *value & 1,
        (SET_IN_PROGRESS, [_, ..]) => return Err(Code::InvalidField),
        (FLAG_VALID_CLEARING, [value, ..]) => remembered.valid_clearing = value & 0x1f,
        (ACKNOWLEDGE, [mask, value, ..]) => {
            remembered.acknowledged = remembered.acknowledged & !mask | value & mask;
        }
        (FLAGS, [first, second, third, fourth, fifth, ..]) => {
            let boot = decode(*first, *second)?;
            remembered.flags = [second & !0x3c, *third, *fourth, *fifth];
            let bmc = call.bmc.clone();
            return Ok(Box::pin(async move { bounded(bmc.set_boot(boot)).await }));
        }
        (INITIATOR, bytes) if bytes.len() == 9 => {
            remembered.initiator.copy_from_slice(bytes);
        }
        // Only the parameter's valid bit is to be set.
        (SET_IN_PROGRESS..=INITIATOR, []) => {}
        (FLAG_VALID_CLEARING..=INITIATOR, _) => return Err(Code::Length),
        _ => return Err(Code::ParameterNotSupported),
    }
    Ok(Box::pin(async { Ok(Vec::new()) }))
}

/// Get System Boot Options.
pub(super) fn get(call: &mut Call<'_>) -> Answer {
    let [parameter, ..] = call.head::<3>()?;
    let remembered = &call.state.boot_options;
    let value = match parameter & 0x7f {
        SET_IN_PROGRESS => vec![remembered.in_progress],
        FLAG_VALID_CLEARING => vec![remembered.valid_clearing],
        ACKNOWLEDGE => vec![0, remembered.acknowledged],
        FLAGS => encode(call.bmc.chassis().boot, remembered.flags).to_vec(),
        INITIATOR => remembered.initiator.to_vec(),
        _ => return Err(Code::ParameterNotSupported),
    };
    let mut data = vec![0x01, parameter & 0x7f]; // version, valid
    data.extend_from_slice(&value);
    Ok(data)
}

/// Reads the first two bytes of the boot flags.
fn decode(first: u8, second: u8) -> Result<Option<BootOverride>, Code> {
    let valid = first & 0x80 != 0;
    let source = match second >> 2 & 0x0f {
        0 => None,
        1 => Some(BootSource::Pxe),
        2 => Some(BootSource::Hdd),
        5 | 8 => Some(BootSource::Cd), // local and remote
        6 => Some(BootSource::BiosSetup),
        _ => return Err(Code::InvalidField),
    };
    Ok(source.filter(|_| valid).map(|source| BootOverride {
        source,
        persistence: if first & 0x40 != 0 {
            Persistence::Continuous
        } else {
            Persistence::Once
        },
        efi: first & 0x20 != 0,
    }))
}

/// The five bytes of the boot flags.
fn encode(boot: Option<BootOverride>, [second, third, fourth, fifth]: [u8; 4]) -> [u8; 5] {
    let Some(boot) = boot else {
        return [0, second, third, fourth, fifth];
    };
    let device = match boot.source {
        BootSource::Pxe | BootSource::UefiHttp => 1,
        BootSource::Hdd => 2,
        BootSource::Cd => 5,
        BootSource::BiosSetup => 6,
    };
    let persistent = u8::from(boot.persistence == Persistence::Continuous);
    let efi = u8::from(boot.efi || boot.source == BootSource::UefiHttp);
    let first = 0x80 | persistent << 6 | efi << 5;
    [first, second | device << 2, third, fourth, fifth]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn flags_round_trip(first: u8, second: u8, rest: [u8; 3]) {
            if let Ok(boot) = decode(first, second) {
                let [a, b, ..] = encode(boot, [second & !0x3c, rest[0], rest[1], rest[2]]);
                prop_assert_eq!(decode(a, b), Ok(boot));
                prop_assert_eq!(b & !0x3c, second & !0x3c);
            }
        }
    }

    #[test]
    fn uefi_http_looks_like_pxe_by_efi() {
        let flags = encode(Some(BootOverride::once(BootSource::UefiHttp)), [0; 4]);
        assert_eq!(flags, [0xa0, 0x04, 0, 0, 0]);
    }
}
