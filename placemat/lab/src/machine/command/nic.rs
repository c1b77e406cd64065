//! NICs on QEMU's command line.

use super::{Descriptors, Line};
use crate::machine::boot_order::Bootable;
use crate::machine::{MachineFirmware, MachineSpec};

pub(super) fn add(
    line: &mut Line,
    spec: &MachineSpec,
    fds: &Descriptors,
    place: impl Fn(Bootable) -> String,
) {
    for (index, mac) in spec.nics.iter().enumerate() {
        let device = Bootable::Nic(index);
        line.option("-netdev", netdev(index, fds));
        // UEFI boots by its own drivers; the option ROM would only be loaded and hidden.
        let rom = match spec.firmware {
            MachineFirmware::Uefi { .. } => ",romfile=",
            MachineFirmware::Bios => "",
        };
        // One vector a queue, one for the control queue and one for configuration.
        let queues = match spec.queues {
            0 | 1 => String::new(),
            queues => format!(",mq=on,vectors={}", 2 * queues + 2),
        };
        let mtu = spec.mtus.get(index).copied().flatten();
        let mtu = mtu
            .map(|mtu| format!(",host_mtu={mtu}"))
            .unwrap_or_default();
        line.option(
            "-device",
            format!(
                "virtio-net-pci,id={},netdev=tap{index},mac={mac}{mtu}{}{queues}{rom}",
                device.id(),
                place(device)
            ),
        );
    }
}

fn netdev(index: usize, fds: &Descriptors) -> String {
    let list = |key: &str, fds: Option<&Vec<i32>>| match fds.map_or(&[][..], |it| it) {
        [] => String::new(),
        [one] => format!(",{key}={one}"),
        many => {
            let many: Vec<String> = many.iter().map(ToString::to_string).collect();
            format!(",{key}s={}", many.join(":"))
        }
    };
    let taps = list("fd", fds.taps.get(index));
    let vhost = list("vhostfd", fds.vhost.get(index));
    let vhost = if vhost.is_empty() {
        vhost
    } else {
        format!(",vhost=on{vhost}")
    };
    format!("tap,id=tap{index}{taps}{vhost}")
}
