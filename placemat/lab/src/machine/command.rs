//! QEMU's command line for a machine. Pure: the same machine gives the same line.

mod firmware;
mod nic;
mod processor;
mod storage;

use super::announce::ANNOUNCE_CHANNEL;
use super::boot_order::{Bootable, boot_order};
use super::spec::{BootTarget, MachineSpec};

/// Descriptor numbers that QEMU inherits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptors {
    /// Monitor.
    pub monitor: i32,
    /// Serial console.
    pub console: i32,
    /// Guest agent's channel.
    pub agent: i32,
    /// Channel of what the guest announces.
    pub announce: i32,
    /// Control channel of the TPM.
    pub tpm: Option<i32>,
    /// Queues of each NIC's TAP, in order.
    pub taps: Vec<Vec<i32>>,
    /// vhost-net for each of them; empty: without.
    pub vhost: Vec<Vec<i32>>,
}

/// Name of the guest agent's channel in the guest.
pub const AGENT_CHANNEL: &str = "org.qemu.guest_agent.0";

/// `id` of the guest agent's channel in QEMU, as `VSERPORT_CHANGE` events name it.
pub(super) const AGENT_ID: &str = "agent";

/// The same of the channel of what the guest announces.
pub(super) const ANNOUNCE_ID: &str = "announce";

/// QEMU's arguments, without the program, for a boot that tries `first` first; `None`: in the
/// machine's own order.
pub fn arguments(spec: &MachineSpec, first: Option<BootTarget>, fds: &Descriptors) -> Vec<String> {
    let mut line = Line::default();
    base(&mut line, spec);
    processor::add(&mut line, spec);
    firmware::add(&mut line, spec);
    channels(&mut line, spec, fds);
    let order = boot_order(spec, first);
    let place = |device: Bootable| {
        let id = device.id();
        let at = order.iter().find(|(name, _)| *name == id);
        at.map_or_else(String::new, |(_, at)| format!(",bootindex={at}"))
    };
    nic::add(&mut line, spec, fds, place);
    storage::add(&mut line, spec, place);
    line.0.extend(spec.arguments.iter().cloned());
    line.0
}

#[derive(Default)]
struct Line(Vec<String>);

impl Line {
    fn option(&mut self, name: &str, value: impl Into<String>) {
        self.0.push(name.into());
        self.0.push(value.into());
    }
}

fn base(line: &mut Line, spec: &MachineSpec) {
    let mut machine = String::from("q35,vmport=off,");
    machine.push_str(&firmware::machine_options(spec));
    if spec.numa_nodes.is_none() {
        machine.push_str(",memory-backend=ram");
    }
    line.option("-name", format!("guest={}", escaped(&spec.name)));
    line.0.push("-nodefaults".into());
    line.0.push("-no-user-config".into());
    match &spec.video {
        None => line.option("-display", "none"),
        Some(socket) => {
            let socket = escaped(&socket.display().to_string());
            line.option("-display", format!("vnc=unix:{socket}"));
            line.option("-device", format!("VGA,id={SCREEN_ID}"));
        }
    }
    line.option("-machine", machine);
    line.option("-accel", spec.accelerator.name());
    line.option("-rtc", "base=utc");
}

/// `id` of the screen in QEMU.
pub(super) const SCREEN_ID: &str = "screen";

/// Monitor, console, guest agent, TPM, and the small devices every server has.
fn channels(line: &mut Line, spec: &MachineSpec, fds: &Descriptors) {
    line.option("-chardev", format!("socket,id=monitor,fd={}", fds.monitor));
    line.option("-mon", "chardev=monitor,mode=control");
    line.option(
        "-chardev",
        format!(
            "socket,id=console,fd={},logfile={},logappend=on",
            fds.console,
            escaped(&spec.console_log.display().to_string())
        ),
    );
    line.option("-serial", "chardev:console");
    line.option("-device", "virtio-serial-pci,id=serial");
    line.option(
        "-chardev",
        format!("socket,id=agent-channel,fd={}", fds.agent),
    );
    line.option(
        "-device",
        format!("virtserialport,id={AGENT_ID},chardev=agent-channel,name={AGENT_CHANNEL}"),
    );
    line.option(
        "-chardev",
        format!("socket,id=announce-channel,fd={}", fds.announce),
    );
    line.option(
        "-device",
        format!("virtserialport,id={ANNOUNCE_ID},chardev=announce-channel,name={ANNOUNCE_CHANNEL}"),
    );
    line.option("-device", "virtio-rng-pci,id=rng");
    if let Some(tpm) = fds.tpm {
        line.option("-chardev", format!("socket,id=tpm-channel,fd={tpm}"));
        line.option("-tpmdev", "emulator,id=tpm,chardev=tpm-channel");
        line.option("-device", "tpm-crb,tpmdev=tpm");
    }
}

/// A value in QEMU's `key=value,...` options: commas are doubled.
fn escaped(value: &str) -> String {
    value.replace(',', ",,")
}

#[cfg(test)]
mod tests;
