//! Reads what a node is made of: processors, memory, firmware, SMBIOS, BMC.

use super::{Bmc, BmcFault, Cpu, Firmware, Smbios};
use crate::document::{At, Fields, Item};
use crate::draft::{Reading, Segment, host};
use crate::problem::Problem;
use crate::value::{parse_address, parse_size};
use sha1::{Digest, Sha1};
use std::fmt::Write as _;

/// Memory, unless the file says otherwise.
const MEMORY_MIB: u64 = 1024;
/// More than QEMU's q35 takes.
const MOST_CPUS: u32 = 1024;
/// More than any machine has that could run this.
const MOST_MEMORY_MIB: u64 = 16 << 20;

const FAULTS: [(&str, BmcFault); 1] = [("lies-about-power", BmcFault::LiesAboutPower)];

/// Takes `cpu` or placemat v2's `smp`; one CPU if there is neither.
pub(super) fn cpu(fields: &mut Fields<'_>) -> Cpu {
    let cpu = fields.opt("cpu").and_then(|it| it.integer(1..=MOST_CPUS));
    let smp = fields.opt("smp").and_then(|it| smp(&it));
    if let (Some(cpu), Some(smp)) = (fields.key_place("cpu"), fields.key_place("smp")) {
        fields.findings().error(
            Problem::new(
                "conflict",
                format!("{} has both `cpu` and `smp`", fields.describe()),
            )
            .at(smp, "keep one of the two")
            .at(cpu, "the other is here"),
        );
    }
    Cpu {
        count: cpu.map(|it| it.value).or(smp).unwrap_or(1),
    }
}

/// `smp: {cpus, sockets, dies, cores, threads, maxcpus}`: how many CPUs it comes to.
fn smp(item: &Item<'_>) -> Option<u32> {
    let mut fields = item.fields()?;
    let mut product: u32 = 1;
    for key in ["sockets", "dies", "cores", "threads"] {
        let count = fields
            .opt(key)
            .and_then(|it| it.integer(1..=MOST_CPUS))
            .map_or(1, |it| it.value);
        product = product.saturating_mul(count);
    }
    let cpus = fields.opt("cpus").and_then(|it| it.integer(1..=MOST_CPUS));
    fields
        .opt("maxcpus")
        .and_then(|it| it.integer(1..=MOST_CPUS));
    fields.finish();
    let count = cpus.map_or(product, |cpus| cpus.value);
    if count > MOST_CPUS {
        let message = format!("comes to more than {MOST_CPUS} CPUs");
        item.findings()
            .error(item.problem("out-of-range", &message, "too many"));
    }
    Some(count)
}

/// Takes `memory`, in MiB. A bare number is MiB too, as it is for QEMU.
pub(super) fn memory(fields: &mut Fields<'_>) -> u64 {
    let Some(item) = fields.opt("memory") else {
        return MEMORY_MIB;
    };
    let size = item.parse("bad-size", "a size such as `512M` or `1G`", |text| {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            parse_size(&format!("{text}M"))
        } else {
            parse_size(text)
        }
    });
    let bytes = size.map_or(MEMORY_MIB << 20, |size| size.value);
    let mib = bytes >> 20;
    if !(16..=MOST_MEMORY_MIB).contains(&mib) || !bytes.is_multiple_of(1 << 20) {
        fields.findings().error(
            item.problem(
                "out-of-range",
                "must be whole MiB from 16M to 16T",
                "expected 16M to 16T",
            )
            .help("suffixes are `M` and `G`; a bare number is in MiB"),
        );
    }
    mib
}

/// Takes `firmware: {uefi, http-boot}`, or placemat v2's `uefi`.
pub(super) fn firmware(fields: &mut Fields<'_>) -> Firmware {
    let short = fields.opt("uefi").and_then(|it| it.boolean());
    let item = fields.opt("firmware");
    if let (Some(uefi), Some(item)) = (fields.key_place("uefi"), &item) {
        fields.findings().error(
            Problem::new(
                "conflict",
                format!("{} has both `firmware` and `uefi`", fields.describe()),
            )
            .at(uefi, "move it into `firmware`")
            .at(item.place(), "`firmware` is here"),
        );
    }
    let Some(mut inner) = item.and_then(|it| it.fields()) else {
        let uefi = short.is_some_and(|it| it.value);
        return Firmware {
            uefi,
            http_boot: uefi,
        };
    };
    let uefi = inner
        .opt("uefi")
        .and_then(|it| it.boolean())
        .is_none_or(|it| it.value);
    let http_boot = inner.opt("http-boot").and_then(|it| it.boolean());
    if let Some(http) = http_boot.filter(|http| http.value && !uefi) {
        inner.findings().error(
            Problem::new(
                "conflict",
                format!("{} boots over HTTP without UEFI", fields.describe()),
            )
            .at(http.place, "only UEFI can do this")
            .help("set `uefi: true`"),
        );
    }
    inner.finish();
    Firmware {
        uefi,
        http_boot: http_boot.map_or(uefi, |it| it.value),
    }
}

/// Takes `smbios`. Without a serial, it is the hex SHA-1 of the node's name, as in placemat v2.
pub(super) fn smbios(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Smbios {
    let mut smbios = Smbios {
        manufacturer: None,
        product: None,
        serial: String::new(),
    };
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
        fields.finish();
    }
    if smbios.serial.is_empty() {
        smbios.serial = default_serial(&reading.name);
    }
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
