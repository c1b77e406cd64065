//! What guests see of their volumes: disks, seeds, folders.

use crate::life::wait;
use crate::turn::Turn;
use placemat_host::probe::program::locate;
use placemat_spec::event::BootPhase;
use placemat_tests::http::serve;
use placemat_tests::{Lab, Need, Place, needs, program};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// The boot disk of the slides' example: a boot sector that tells on the serial console, as the
/// node image does, which image it is; the name it reads from the disk that the BIOS calls 0x81, in
/// the first sector that begins with `PLCM:`.
fn boot_disk() -> Vec<u8> {
    let code = [
        // Segments and stack, no interrupts: the BIOS, which speaks on the same port, does not break into the words below.
        0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x7c, // cli ...
        // next: reads a sector by the packet at 0x7d00 (EDD, INT 13h, AH=42h) to 0x8000
        0xbe, 0x00, 0x7d, 0xb4, 0x42, 0xb2, 0x81, 0xcd, 0x13, 0x72, 0x11, // jc fail
        0x66, 0x81, 0x3e, 0x00, 0x80, b'P', b'L', b'C', b'M', 0x74, 0x0b, // je found
        0xff, 0x06, 0x08, 0x7d, 0x75, 0xe4, // inc [packet's sector]; jnz next
        0xbf, 0x80, 0x7d, 0xeb, 0x03, // fail: mov di, 0x7d80; jmp tell
        0xbf, 0x05, 0x80, // found: mov di, 0x8005
        0xbe, 0x20, 0x7d, 0xe8, 0x08, 0x00, // tell: puts 0x7d20, the words before the name
        0x89, 0xfe, 0xe8, 0x03, 0x00, // mov si, di; puts
        0xf4, 0xeb, 0xfd, // halt: hlt, forever
        // puts: each byte until 0 to the serial port
        0xac, 0x84, 0xc0, 0x74, 0x06, 0xba, 0xf8, 0x03, 0xee, 0xeb, 0xf5, 0xc3,
    ];
    let mut disk = vec![0; 1 << 20];
    let mut put = |at: usize, bytes: &[u8]| disk[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &code);
    put(0x100, &[0x10, 0, 1, 0, 0x00, 0x80, 0, 0]);
    put(
        0x120,
        b"\r\nLinux version 0\r\nplacemat: userspace image=\0",
    );
    put(0x180, b"none\r\n\0");
    put(510, &[0x55, 0xaa]);
    disk
}

/// The example of 2019's slides. Its network lets nothing out here.
const SLIDES: &str = "\
kind: Network
name: net0
type: external
address: 10.0.0.1/24
---
kind: DataFolder
name: data
files:
  - name: hello.txt
    file: hello.txt
---
kind: Image
name: ubuntu
file: boot.img
---
kind: Node
name: host1
interfaces:
  - net0
cpu: 1
memory: 64M
volumes:
  - kind: image
    name: root
    image: ubuntu
    copy-on-write: true
  - kind: vvfat
    name: data
    folder: data
";

#[test]
fn the_slides_example_boots_and_sees_its_folder() {
    if !needs(&[Need::Qemu]) {
        return;
    }
    let _turn = Turn::take("slides");
    let place = Place::new();
    fs::write(place.dir().join("boot.img"), boot_disk()).expect("write");
    place.write("hello.txt", "PLCM:what-the-folder-says\r\n\0");
    let lab = place.up(&place.write("slides.yml", SLIDES));
    wait(&lab, "node/host1", "booted", |it| {
        it.phase == Some(BootPhase::Userspace)
    });
    let host = crate::life::object(&lab, "node/host1");
    assert_eq!(host.image.as_deref(), Some("what-the-folder-says"));
    lab.down();
    place.assert_nothing_left();
}

/// Every kind of volume on a server that runs Linux with every driver.
fn cluster(place: &Place, server: &str, virtiofs: bool) -> String {
    let dir = place.dir().display();
    let virtiofs = if virtiofs {
        format!(
            "  - {{kind: hostPath, name: fast, path: {dir}/fast, writable: true, protocol: virtiofs}}\n"
        )
    } else {
        String::new()
    };
    format!(
        "\
kind: Image
name: node
bundle: bundle
---
kind: Image
name: packed
url: http://{server}/packed.img.gz
compression: gzip
---
kind: DataFolder
name: tools
dir: tools
---
kind: DeviceClass
name: ssd
path: {dir}/ssd
---
kind: Node
name: n1
tier: kernel
image: node
memory: 512M
volumes:
  - {{kind: image, name: copy, image: packed, cache: writethrough}}
  - {{kind: image, name: cow, image: packed, copy-on-write: true, cache: unsafe}}
  - {{kind: localds, name: seed, user-data: user.yml, network-config: net.yml}}
  - {{kind: localds, name: bare, user-data: user.yml}}
  - {{kind: raw, name: data, size: 64M, device-class: ssd}}
  - {{kind: raw, name: plain, size: 32M, format: raw, cache: directsync}}
  - {{kind: vvfat, name: tools, folder: tools}}
  - {{kind: hostPath, name: read, path: {dir}/read}}
  - {{kind: hostPath, name: write, path: {dir}/write, writable: true}}
{virtiofs}"
    )
}

/// Asks the guest by a shell script.
fn guest(lab: &Lab<'_>, script: &str) -> String {
    let said = lab.exec("node/n1", &["sh", "-ec", script]);
    assert_eq!(said.code, Some(0), "{script}: {}{}", said.out, said.err);
    said.out
}

#[test]
fn a_guest_sees_every_kind_of_volume() {
    if !needs(&[Need::Qemu, Need::GenericImage]) {
        return;
    }
    let _turn = Turn::take("storage");
    let place = Place::new();
    let bundle = program::generic_image().expect("needed above");
    symlink(bundle, place.dir().join("bundle")).expect("link");
    place.write("tools/setup.sh", "echo tools\n");
    place.write("read/file", "read\n");
    place.write("user.yml", "#cloud-config\n");
    place.write("net.yml", "version: 2\n");
    let image = place.write("packed.img", &"disk".repeat(1 << 18));
    let packed = std::process::Command::new("gzip")
        .arg("-n")
        .arg(image)
        .status();
    assert!(packed.expect("gzip").success());
    let server = serve(fs::read(place.dir().join("packed.img.gz")).expect("packed"));
    let virtiofs = locate("virtiofsd").is_ok();
    let file = place.write("storage.yml", &cluster(&place, &server, virtiofs));

    let lab = place.up(&file);
    wait(&lab, "node/n1", "ready", |it| {
        it.phase == Some(BootPhase::Agent)
    });
    // Disks in the order of the file, by their serial numbers; sizes in sectors.
    let disks = guest(
        &lab,
        "for disk in /sys/block/vd*; do echo $(cat $disk/serial) $(cat $disk/size) $(cat $disk/ro); done",
    );
    let sizes: Vec<&str> = disks.lines().collect();
    assert_eq!(sizes[0], "disk0 2048 0", "{disks}");
    assert_eq!(sizes[1], "disk1 2048 0", "{disks}");
    assert_eq!(sizes[4], "disk4 131072 0", "{disks}");
    assert_eq!(sizes[5], "disk5 65536 0", "{disks}");
    assert!(sizes[6].ends_with(" 1"), "{disks}");
    assert_eq!(
        guest(&lab, "head -c 8 /dev/vda; head -c 8 /dev/vdb"),
        "diskdiskdiskdisk"
    );

    // The seeds, as cloud-init looks for them.
    let labels = "for disk in vdc vdd; do tail -c +44 /dev/$disk | head -c 11; done";
    assert_eq!(guest(&lab, labels), "CIDATA     CIDATA     ");
    let seed = guest(
        &lab,
        "mkdir -p /run/c /run/d; mount -t vfat -o ro /dev/vdc /run/c; mount -t vfat -o ro /dev/vdd /run/d
         ls /run/c /run/d; cat /run/c/user-data /run/c/network-config; grep hostname /run/c/meta-data",
    );
    assert_eq!(
        seed,
        "/run/c:\nmeta-data\nnetwork-config\nuser-data\n\n/run/d:\nmeta-data\nuser-data\n\
         #cloud-config\nversion: 2\nlocal-hostname: n1\n"
    );

    // Folders: FAT, and both ways of sharing.
    let tools = "mkdir -p /run/t; mount -t vfat -o ro /dev/vdg1 /run/t; sh /run/t/setup.sh";
    assert_eq!(guest(&lab, tools), "tools\n");
    let share = "mkdir -p /run/r /run/w; for tag in read write; do
         mount -t 9p -o trans=virtio,version=9p2000.L $tag /run/${tag%${tag#?}}; done
         cat /run/r/file; echo guest > /run/w/file; ! echo no > /run/r/other";
    assert_eq!(guest(&lab, share), "read\n");
    let written = fs::read_to_string(place.dir().join("write/file"));
    assert_eq!(written.expect("the guest's file"), "guest\n");
    assert!(!place.dir().join("read/other").exists());
    if virtiofs {
        let fast = "mkdir -p /run/f; mount -t virtiofs fast /run/f; echo fast > /run/f/file";
        guest(&lab, fast);
        let written = fs::read_to_string(place.dir().join("fast/file"));
        assert_eq!(written.expect("the guest's file"), "fast\n");
    }

    // Disks outlive the lab, the one of a device class too: what the guest has flushed is there.
    let write = "for disk in vda vde vdf; do echo kept | dd of=/dev/$disk conv=fsync; done";
    guest(&lab, write);
    let data = place.dir().join("ssd/volumes/n1/data.qcow2");
    let has_kept = |path: &Path| {
        let bytes = fs::read(path).expect("a disk's file");
        bytes.windows(5).any(|window| window == b"kept\n")
    };
    assert!(has_kept(&data));

    // What a lab lies over is not pruned under it.
    let pruned = place.say(&["image", "prune"]).well();
    assert!(pruned.err.contains("1 in use"), "{}", pruned.err);

    // Another lab keeps off the device class's folder.
    let other = place.say(&[
        "up",
        "--detach",
        "--lab",
        "other",
        &file.display().to_string(),
    ]);
    assert_eq!(other.code, Some(5), "{}", other.err);
    assert!(other.err.contains("another lab uses"), "{}", other.err);
    lab.down();
    let pruned = place.say(&["image", "prune"]).well();
    assert!(pruned.err.contains("removed 1 file"), "{}", pruned.err);
    for disk in ["copy.raw", "plain.raw"] {
        assert!(has_kept(
            &place.data_base().join("storage/nodes/n1").join(disk)
        ));
    }
    assert!(has_kept(&data));
    place.assert_nothing_left();
}
