//! In which order firmware tries a machine's devices. Pure.

use super::spec::{BootTarget, MachineSpec};
use placemat_spec::resource::BootDevice;

/// A device that firmware can boot from, by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bootable {
    /// A NIC.
    Nic(usize),
    /// A disk.
    Disk(usize),
}

impl Bootable {
    /// Its `id` in QEMU.
    pub fn id(self) -> String {
        match self {
            Self::Nic(index) => format!("net{index}"),
            Self::Disk(index) => format!("disk{index}"),
        }
    }

    fn is(self, target: BootTarget) -> bool {
        match self {
            Self::Nic(_) => target == BootTarget::Network,
            Self::Disk(_) => target == BootTarget::Disk,
        }
    }
}

/// A machine's own order. `nics` are their names, `disks` positions and names of those that may have
/// a system; `wanted` is what the file says; what
/// that leaves out comes after, `first` before the other kind.
pub fn own_order(
    nics: &[&str],
    disks: &[(usize, &str)],
    wanted: &[BootDevice],
    first: BootTarget,
) -> Vec<Bootable> {
    let name = |device: Bootable| match device {
        Bootable::Nic(index) => nics.get(index).copied(),
        Bootable::Disk(index) => disks.iter().find(|(at, _)| *at == index).map(|it| it.1),
    };
    let mut all: Vec<Bootable> = (0..nics.len()).map(Bootable::Nic).collect();
    all.extend(disks.iter().map(|(index, _)| Bootable::Disk(*index)));
    all.sort_by_key(|device| !device.is(first));
    let named = |device: Bootable| {
        wanted.iter().position(
            |word| matches!(word, BootDevice::Named(it) if Some(it.as_str()) == name(device)),
        )
    };
    let group = |device: Bootable| {
        wanted.iter().position(|word| match word {
            BootDevice::Network => device.is(BootTarget::Network),
            BootDevice::Disk => device.is(BootTarget::Disk),
            BootDevice::Named(_) => false,
        })
    };
    // Stable: within a word, the order of the file stays.
    all.sort_by_key(|device| {
        named(*device)
            .or_else(|| group(*device))
            .unwrap_or(usize::MAX)
    });
    all
}

/// The `id` of each bootable device and its place in the boot order: the machine's own order, but
/// for `first`, which comes before the rest. None has a place beside a kernel that QEMU loads
/// itself: that takes the first.
pub fn boot_order(spec: &MachineSpec, first: Option<BootTarget>) -> Vec<(String, u32)> {
    if spec.kernel.is_some() {
        return Vec::new();
    }
    let mut devices = spec.boot_order.clone();
    if let Some(first) = first {
        devices.sort_by_key(|device| !device.is(first));
    }
    devices.iter().map(|device| device.id()).zip(0..).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(wanted: &[BootDevice], first: BootTarget) -> String {
        let order = own_order(
            &["eth0", "eth1"],
            &[(0, "root"), (2, "data")],
            wanted,
            first,
        );
        let ids: Vec<String> = order.iter().map(|device| device.id()).collect();
        ids.join(" ")
    }

    #[test]
    fn words_come_first_and_the_rest_after() {
        use BootDevice::{Disk, Named, Network};
        let named = |name: &str| Named(name.into());
        assert_eq!(shown(&[], BootTarget::Network), "net0 net1 disk0 disk2");
        assert_eq!(shown(&[], BootTarget::Disk), "disk0 disk2 net0 net1");
        assert_eq!(shown(&[Disk], BootTarget::Network), "disk0 disk2 net0 net1");
        assert_eq!(
            shown(&[Disk, Network], BootTarget::Network),
            "disk0 disk2 net0 net1"
        );
        assert_eq!(
            shown(&[named("data"), named("eth1")], BootTarget::Network),
            "disk2 net1 net0 disk0"
        );
        assert_eq!(
            shown(&[Network, named("data"), Disk], BootTarget::Disk),
            "net0 net1 disk2 disk0"
        );
        // A name takes its device out of its kind's word.
        assert_eq!(
            shown(&[Network, Disk, named("eth0")], BootTarget::Disk),
            "net1 disk0 disk2 net0"
        );
    }
}
