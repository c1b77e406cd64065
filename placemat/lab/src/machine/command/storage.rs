//! Disks and shared folders on QEMU's command line.

use super::{Line, escaped};
use crate::machine::boot_order::Bootable;
use crate::machine::{Carrier, Disk, DiskFormat, MachineSpec, Share};
use serde_json::json;

pub(super) fn add(line: &mut Line, spec: &MachineSpec, place: impl Fn(Bootable) -> String) {
    for (index, disk) in spec.disks.iter().enumerate() {
        let device = Bootable::Disk(index);
        let (id, bootindex) = (device.id(), place(device));
        line.option("-blockdev", block_node(index, disk).to_string());
        let flushed = if disk.cache.write_through {
            ",write-cache=off"
        } else {
            ""
        };
        line.option(
            "-device",
            format!("virtio-blk-pci,id={id},drive=blk{index},serial={id}{bootindex}{flushed}"),
        );
    }
    for (index, share) in spec.shares.iter().enumerate() {
        share_device(line, index, share);
    }
}

fn block_node(index: usize, disk: &Disk) -> serde_json::Value {
    let name = format!("blk{index}");
    let path = disk.path.display().to_string();
    if disk.format == DiskFormat::Fat {
        return json!({
            "driver": disk.format.name(),
            "node-name": name,
            "dir": path,
            "fat-type": 16,
            "read-only": true,
        });
    }
    let cache = json!({"direct": disk.cache.direct, "no-flush": disk.cache.no_flush});
    json!({
        "driver": disk.format.name(),
        "node-name": name,
        "discard": "unmap",
        "cache": cache,
        "file": {
            "driver": "file",
            "filename": path,
            "discard": "unmap",
            "cache": cache,
            // The kernel's asynchronous I/O is none through the page cache.
            "aio": if disk.cache.direct { "native" } else { "threads" },
        },
    })
}

/// A shared folder, and the device by which the guest finds it.
fn share_device(line: &mut Line, index: usize, share: &Share) {
    let id = format!("share{index}");
    match &share.carrier {
        Carrier::NineP => {
            let path = escaped(&share.path.display().to_string());
            let read_only = if share.writable { "" } else { ",readonly=on" };
            // Files keep the owners that they have on the host, as in placemat v2.
            line.option(
                "-fsdev",
                format!("local,id={id},path={path},security_model=none,multidevs=remap{read_only}"),
            );
            line.option(
                "-device",
                format!("virtio-9p-pci,fsdev={id},mount_tag={}", share.tag),
            );
        }
        Carrier::Virtiofs { socket, .. } => {
            let socket = escaped(&socket.display().to_string());
            line.option("-chardev", format!("socket,id={id},path={socket}"));
            line.option(
                "-device",
                format!("vhost-user-fs-pci,chardev={id},tag={}", share.tag),
            );
        }
    }
}
