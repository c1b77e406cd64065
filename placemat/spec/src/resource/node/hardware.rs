//! Reads what a node calls itself and how it is managed: SMBIOS, BMC.

use super::{Bmc, BmcFault, Smbios};
use crate::document::{At, Fields, Item};
use crate::draft::{Reading, Segment, host};
use crate::value::{Uuid, parse_address};
use sha1::{Digest, Sha1};
use std::fmt::Write as _;
use std::str::FromStr;

pub(super) const FAULTS: [(&str, BmcFault); 1] = [("lies-about-power", BmcFault::LiesAboutPower)];

/// Takes `smbios`. Without a serial, it is the hex SHA-1 of the node's name, as in placemat v2; the
/// UUID follows from the serial.
pub(super) fn smbios(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Smbios {
    let mut smbios = Smbios {
        manufacturer: None,
        product: None,
        serial: String::new(),
        uuid: Uuid::default(),
    };
    let mut uuid = None;
    let mut place = reading.place();
    if let Some(mut fields) = fields.opt("smbios").and_then(|it| it.fields()) {
        smbios.manufacturer = fields
            .opt("manufacturer")
            .and_then(|it| it.string())
            .map(|it| it.value);
        smbios.product = fields
            .opt("product")
            .and_then(|it| it.string())
            .map(|it| it.value);
        if let Some(serial) = fields.opt("serial").and_then(|it| serial(&it)) {
            place = serial.place;
            smbios.serial = serial.value;
        }
        uuid = fields.opt("uuid").and_then(|it| {
            let wanted = "a UUID such as `0ccb0d23-5b5c-4a6f-9d5e-2f3f6c1c8a11`";
            it.parse("bad-uuid", wanted, Uuid::from_str)
        });
        fields.finish();
    }
    if smbios.serial.is_empty() {
        smbios.serial = default_serial(&reading.name);
    }
    smbios.uuid = uuid.map_or_else(|| Uuid::of_serial(&smbios.serial), |it| it.value);
    reading
        .draft
        .ledger
        .serials
        .push((At::new(smbios.serial.clone(), place), reading.owner.clone()));
    smbios
}

/// A serial stands in URLs and paths (`/machines/SERIAL/`).
fn serial(item: &Item<'_>) -> Option<At<String>> {
    item.parse(
        "bad-serial",
        "a serial: 1 to 63 letters, digits, `-`, `_` or `.`",
        |text| {
            let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            if text.len() > 63 {
                Err("too long")
            } else if text.bytes().all(fine) && !text.is_empty() && !text.starts_with('.') {
                Ok(text.to_owned())
            } else {
                Err("it stands in URLs and paths")
            }
        },
    )
}

fn default_serial(name: &str) -> String {
    Sha1::digest(name)
        .iter()
        .fold(String::with_capacity(40), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// Takes `bmc`. Its network is found by the checks.
pub(super) fn bmc(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Bmc> {
    let mut fields = fields.opt("bmc")?.fields()?;
    let address = fields.req("address").and_then(|it| {
        it.parse(
            "bad-address",
            "an IP address such as `10.72.17.4`",
            parse_address,
        )
    });
    // IPMI 2.0, 22.28 and 22.30: user names have 16 bytes, passwords 20.
    let user = fields.opt("user").and_then(|it| short_text(&it, 16));
    let password = fields.opt("password").and_then(|it| short_text(&it, 20));
    let fault = fields.opt("fault").and_then(|it| it.choice(&FAULTS));
    fields.finish();
    let address = address?;
    reading
        .draft
        .ledger
        .address(Segment::Bmc, address.map(host), &reading.owner);
    Some(Bmc {
        address: address.value,
        network: String::new(),
        user: user.unwrap_or_else(|| "admin".into()),
        password: password.unwrap_or_else(|| "placemat".into()),
        fault: fault.map(|it| it.value),
        place: address.place,
    })
}

fn short_text(item: &Item<'_>, most: usize) -> Option<String> {
    let wanted = format!("text of 1 to {most} bytes");
    item.parse("bad-credential", &wanted, |text| match text.len() {
        0 => Err("empty".to_owned()),
        length if length > most => Err(format!("{length} bytes: IPMI 2.0 stores at most {most}")),
        _ => Ok(text.to_owned()),
    })
    .map(|it| it.value)
}

#[cfg(test)]
mod tests {
    #[test]
    fn default_serial_is_placemat_v2s() {
        // sha1sum of "boot-0"
        assert_eq!(
            super::default_serial("boot-0"),
            "fb8f2417d0b4db30050719c31ce02a2e8141bbd8"
        );
    }
}
