//! Reads what hangs on a server: queues of its NICs, TPM, screen, and QEMU arguments of the
//! file's own.

use super::{Devices, Tier};
use crate::document::{Fields, Item};
use crate::problem::Problem;

/// Queues of a TAP device, at most: the kernel's `MAX_TAP_QUEUES`.
const MOST_QUEUES: u32 = 256;

/// QEMU options that a file cannot set, and what to do instead: they would take the machine out of
/// the lab's hands, or say again what a field of the node says.
const REFUSED: [(&str, &str); 29] = [
    ("accel", "use `accel`"),
    ("enable-kvm", "use `accel: kvm`"),
    ("m", "use `memory`"),
    ("smp", "use `cpu` or `smp`"),
    ("cpu", "use `cpu-model`"),
    ("numa", "use `numa`"),
    ("boot", "use `boot-order`"),
    ("bios", "use `firmware`"),
    ("kernel", "use `tier: kernel`"),
    ("display", "use `video: true`"),
    ("vga", "use `video: true`"),
    ("vnc", "use `video: true`"),
    ("nographic", "machines have no window as it is"),
    ("tpmdev", "use `tpm: true`"),
    ("name", "the machine is named after its node"),
    ("machine", LAB),
    ("M", LAB),
    ("S", LAB),
    ("daemonize", LAB),
    ("no-reboot", LAB),
    ("no-shutdown", LAB),
    ("action", LAB),
    ("incoming", LAB),
    ("loadvm", LAB),
    ("preconfig", LAB),
    ("pidfile", LAB),
    ("runas", LAB),
    ("chroot", LAB),
    ("monitor", LAB),
];

const LAB: &str = "the lab starts, watches and stops the machine; remove it";

/// Keys that mean nothing where no QEMU runs.
const OF_QEMU: [&str; 9] = [
    "cpu-model",
    "numa",
    "network-device-queue",
    "tpm",
    "ignition",
    "boot-order",
    "video",
    "qemu-args",
    "accel",
];

/// Takes `network-device-queue`, `tpm`, `video` and `qemu-args`.
pub(super) fn read(fields: &mut Fields<'_>) -> Devices {
    let queues = fields.opt("network-device-queue");
    let queues = queues.and_then(|it| it.integer(1..=MOST_QUEUES));
    let tpm = fields.opt("tpm").and_then(|it| it.boolean());
    let video = fields.opt("video").and_then(|it| it.boolean());
    let arguments = fields.opt("qemu-args").and_then(|it| it.list());
    let arguments = arguments.unwrap_or_default();
    Devices {
        queues: queues.map_or(1, |it| it.value),
        tpm: tpm.filter(|it| it.value).map(|it| it.place),
        video: video.is_some_and(|it| it.value),
        qemu_args: arguments.iter().filter_map(argument).collect(),
    }
}

fn argument(item: &Item<'_>) -> Option<String> {
    let text = item.string()?;
    let option = text.strip_prefix("--").or_else(|| text.strip_prefix('-'));
    if let Some((_, instead)) = REFUSED.iter().find(|(name, _)| option == Some(name)) {
        let problem = item.problem(
            "refused-argument",
            &format!("cannot be `{}`", text.value),
            "not an argument for files to give",
        );
        item.findings().error(problem.help(*instead));
        return None;
    }
    Some(text.value)
}

/// Warns of keys that say something about a QEMU where there is none.
pub(super) fn warn_of_idle_keys(fields: &Fields<'_>, tier: Tier) {
    let tier = match tier {
        Tier::Full | Tier::Kernel => return,
        Tier::Netns => "netns",
        Tier::Mock => "mock",
    };
    for key in OF_QEMU {
        if let Some(place) = fields.key_place(key) {
            let message = format!("`{key}` of {} has no effect", fields.describe());
            fields.findings().warning(
                Problem::new("idle-key", message)
                    .at(place, format!("no QEMU runs a server of tier {tier}")),
            );
        }
    }
}
