//! The `Boot` object of a system: the boot override (ComputerSystem schema, `Boot`).

use super::Error;
use super::body::choice;
use crate::boot::{BootOverride, BootSource, Persistence};
use serde_json::{Map, Value, json};

const TARGET: &str = "BootSourceOverrideTarget";
const TARGETS: &[(&str, Option<BootSource>)] = &[
    ("None", None),
    ("Pxe", Some(BootSource::Pxe)),
    ("Hdd", Some(BootSource::Hdd)),
    ("Cd", Some(BootSource::Cd)),
    ("BiosSetup", Some(BootSource::BiosSetup)),
    ("UefiHttp", Some(BootSource::UefiHttp)),
];
const ENABLED: &[(&str, Option<Persistence>)] = &[
    ("Disabled", None),
    ("Once", Some(Persistence::Once)),
    ("Continuous", Some(Persistence::Continuous)),
];
const MODES: &[(&str, bool)] = &[("UEFI", true), ("Legacy", false)];

/// The object as it is read.
pub(super) fn read(boot: Option<BootOverride>) -> Value {
    json!({
        "BootSourceOverrideEnabled": name(ENABLED, boot.map(|boot| boot.persistence)),
        "BootSourceOverrideEnabled@Redfish.AllowableValues": names(ENABLED),
        "BootSourceOverrideTarget": name(TARGETS, boot.map(|boot| boot.source)),
        "BootSourceOverrideTarget@Redfish.AllowableValues": names(TARGETS),
        "BootSourceOverrideMode": name(MODES, boot.is_none_or(|boot| boot.efi)),
        "BootSourceOverrideMode@Redfish.AllowableValues": names(MODES),
    })
}

/// The override that results from a PATCH: what is left out stays as it is. A target that comes
/// without `BootSourceOverrideEnabled`, while none is in force, holds once. What says how to
/// override, while nothing says with what, is an error: it would be accepted and do nothing.
pub(super) fn patch(
    current: Option<BootOverride>,
    boot: &Map<String, Value>,
) -> Result<Option<BootOverride>, Error> {
    let mut source = current.map(|boot| boot.source);
    let mut persistence = current.map_or(Some(Persistence::Once), |boot| Some(boot.persistence));
    let mut efi = current.is_none_or(|boot| boot.efi);
    for (property, value) in boot {
        match property.as_str() {
            TARGET => source = choice(value, property, TARGETS)?,
            "BootSourceOverrideEnabled" => persistence = choice(value, property, ENABLED)?,
            "BootSourceOverrideMode" => efi = choice(value, property, MODES)?,
            known if read(None).get(known).is_some() => return Err(Error::read_only(property)),
            _ => return Err(Error::unknown(property)),
        }
    }
    let given = |property: &str| boot.contains_key(property);
    let how = given("BootSourceOverrideEnabled") || !efi;
    if how && persistence.is_some() && source.is_none() && !given(TARGET) {
        return Err(Error::property_missing(TARGET));
    }
    Ok(source
        .zip(persistence)
        .map(|(source, persistence)| BootOverride {
            source,
            persistence,
            efi: efi || source == BootSource::UefiHttp,
        }))
}

fn name<T: PartialEq + Copy>(table: &[(&'static str, T)], wanted: T) -> &'static str {
    let row = table.iter().find(|(_, meaning)| *meaning == wanted);
    row.map_or("", |(name, _)| name)
}

fn names<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    table.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(current: Option<BootOverride>, body: Value) -> Option<BootOverride> {
        let Value::Object(body) = body else {
            panic!("an object")
        };
        patch(current, &body).expect("accepted")
    }

    #[test]
    fn every_override_reads_back_as_it_was_written() {
        for source in BootSource::ALL {
            for boot in [BootOverride::once(source), BootOverride::continuous(source)] {
                let Value::Object(mut body) = read(Some(boot)) else {
                    panic!("an object")
                };
                body.retain(|key, _| !key.contains('@'));
                assert_eq!(patch(None, &body), Ok(Some(boot)));
            }
        }
    }

    #[test]
    fn what_is_left_out_stays() {
        let current = Some(BootOverride::continuous(BootSource::Pxe));
        assert_eq!(
            patched(current, json!({ "BootSourceOverrideTarget": "Hdd" })),
            Some(BootOverride::continuous(BootSource::Hdd))
        );
        assert_eq!(
            patched(current, json!({ "BootSourceOverrideEnabled": "Disabled" })),
            None
        );
        assert_eq!(
            patched(current, json!({ "BootSourceOverrideTarget": "None" })),
            None
        );
        assert_eq!(
            patched(None, json!({ "BootSourceOverrideTarget": "Cd" })),
            Some(BootOverride::once(BootSource::Cd))
        );
    }
}
