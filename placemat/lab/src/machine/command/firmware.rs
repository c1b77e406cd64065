//! Firmware, what it is told, and what it may start: on QEMU's command line.

use super::{Line, escaped};
use crate::machine::{MachineFirmware, MachineSpec};
use placemat_host::probe::firmware::FirmwareFile;
use serde_json::json;

/// How long a BIOS that found nothing to boot waits until it starts over, in ms: a diskless server
/// waits for its boot server that way.
const BIOS_RETRY_MS: u32 = 30_000;

/// What the machine's type must be told for its firmware.
pub(super) fn machine_options(spec: &MachineSpec) -> String {
    match &spec.firmware {
        MachineFirmware::Uefi { secure_boot, .. } => {
            // Secure Boot keeps the guest from its own variables by SMM.
            let smm = if *secure_boot { "on" } else { "off" };
            format!("smm={smm},pflash0=code,pflash1=vars")
        }
        // SeaBIOS and iPXE then speak on the serial console.
        MachineFirmware::Bios if spec.video.is_none() => "smm=off,graphics=off".into(),
        MachineFirmware::Bios => "smm=off".into(),
    }
}

pub(super) fn add(line: &mut Line, spec: &MachineSpec) {
    match &spec.firmware {
        MachineFirmware::Uefi {
            code,
            vars,
            secure_boot,
            ipv6,
        } => {
            line.option("-blockdev", flash("code", code, true));
            line.option("-blockdev", flash("vars", vars, false));
            if *secure_boot {
                line.option("-global", "driver=cfi.pflash01,property=secure,value=on");
                // S3 resume would have to be secured as well.
                line.option("-global", "ICH9-LPC.disable_s3=1");
            }
            // Without these OVMF tries PXE over both families before HTTP, a minute each.
            let off = ["IPv4PXESupport", "IPv6PXESupport"].into_iter();
            for what in off.chain((!ipv6).then_some("IPv6Support")) {
                line.option("-fw_cfg", format!("name=opt/org.tianocore/{what},string=n"));
            }
        }
        MachineFirmware::Bios => {
            line.option("-boot", format!("reboot-timeout={BIOS_RETRY_MS}"));
        }
    }
    if let Some(direct) = &spec.kernel {
        line.option("-kernel", direct.kernel.display().to_string());
        line.option("-initrd", direct.initrd.display().to_string());
        line.option("-append", &*direct.command_line);
    }
    if let Some(ignition) = &spec.ignition {
        let path = escaped(&ignition.display().to_string());
        line.option("-fw_cfg", format!("name=opt/com.coreos/config,file={path}"));
    }
    smbios(line, spec);
}

fn smbios(line: &mut Line, spec: &MachineSpec) {
    let smbios = &spec.smbios;
    let uuid = smbios.uuid.to_string();
    let strings = [
        ("manufacturer", smbios.manufacturer.as_deref()),
        ("product", smbios.product.as_deref()),
        ("serial", Some(smbios.serial.as_str())),
        ("uuid", Some(uuid.as_str())),
    ];
    let strings: String = strings
        .iter()
        .filter_map(|(key, value)| value.map(|value| format!(",{key}={}", escaped(value))))
        .collect();
    line.option("-smbios", format!("type=1{strings}"));
}

/// Block nodes are written as JSON: no character of a path needs an escape of its own.
fn flash(name: &str, file: &FirmwareFile, read_only: bool) -> String {
    json!({
        "driver": file.format,
        "node-name": name,
        "read-only": read_only,
        "file": {"driver": "file", "filename": file.path.display().to_string()},
    })
    .to_string()
}
