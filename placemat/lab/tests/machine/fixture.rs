//! A machine on the real QEMU of this host, with boot sectors for guests.

use placemat_bmc::identity::Identity;
use placemat_bmc::user::UserTable;
use placemat_bmc::{Bmc, Settings};
use placemat_host::probe::accel::Accelerator;
use placemat_host::probe::program;
use placemat_host::tap::Tap;
use placemat_lab::event::EventBus;
use placemat_lab::machine::{
    Bootable, DeathPolicy, DiskContent, Machine, MachineFirmware, MachineSetup, MachineSpec,
    make_disk,
};
use placemat_lab::server::BootTrack;
use placemat_spec::event::{BootPhase, LabEvent, LabEventKind};
use placemat_spec::resource::{Cpu, Smbios};
use placemat_spec::value::Uuid;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{broadcast, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Far more than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a boot sector does after it has spoken.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    Halt,
    PowerOff,
    Reboot,
    /// Waits for a key, then powers off.
    Key,
}

/// A disk image whose boot sector says that it is `image`, and then acts.
pub(crate) fn boot_sector(image: &str, act: Act) -> Vec<u8> {
    let text = format!("\r\nLinux version 0\r\nplacemat: userspace image={image}\r\n\0");
    let act: &[u8] = match act {
        Act::Halt => &[],
        // mov dx, 0x604; mov ax, 0x2000; out dx, ax: ACPI S5 by q35's PM1a control register
        Act::PowerOff => &[0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef],
        // mov dx, 0xcf9; mov al, 6; out dx, al: reset by the chipset's control register
        Act::Reboot => &[0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee],
        // mov dx, 0x3fd; again: in al, dx; test al, 1; jz again; power off as above
        Act::Key => &[
            0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb, 0xba, 0x04, 0x06, 0xb8, 0x00, 0x20,
            0xef,
        ],
    };
    let speak = [
        0xfa, 0x31, 0xc0, 0x8e, 0xd8, // cli; xor ax, ax; mov ds, ax
        0xbe, 0x80, 0x7c, // mov si, 0x7c80
        0xba, 0xf8, 0x03, // mov dx, 0x3f8
        0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8, // each byte until 0: out dx, al
    ];
    let mut disk = vec![0; 1 << 20];
    let code = [&speak[..], act, &[0xf4, 0xeb, 0xfd]].concat(); // hlt, forever
    disk[..code.len()].copy_from_slice(&code);
    disk[0x80..0x80 + text.len()].copy_from_slice(text.as_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk
}

pub(crate) struct Fixture {
    pub(crate) machine: Machine,
    events: broadcast::Receiver<LabEvent>,
    tasks: TaskTracker,
    cancel: CancellationToken,
    pub(crate) folder: TempDir,
}

/// A program; where it is missing, that is said in words, and is a failure where
/// `PLACEMAT_REQUIRE` names `need`.
#[expect(clippy::print_stderr, reason = "a test says why it is left out")]
pub(crate) fn found(program: &str, need: &str) -> Option<PathBuf> {
    match program::locate(program) {
        Ok(path) => Some(path),
        Err(missing) => {
            let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
            assert!(
                !required.split(',').any(|it| it.trim() == need),
                "PLACEMAT_REQUIRE names {need}, but {missing}"
            );
            eprintln!("skipped: {missing}");
            None
        }
    }
}

/// A machine with one disk a boot sector; `None`, said in words, where there is no QEMU.
pub(crate) fn fixture(disks: &[(&str, Act)]) -> Option<Fixture> {
    let qemu = found("qemu-system-x86_64", "qemu")?;
    let folder = tempfile::tempdir().expect("folder");
    let disks = disks.iter().enumerate().map(|(index, (image, act))| {
        // Overlays, so that QEMU reads what we write of its format.
        let base = folder.path().join(format!("base{index}.img"));
        std::fs::write(&base, boot_sector(image, *act)).expect("write");
        let content = DiskContent::Overlay { image: base };
        make_disk(folder.path(), &format!("disk{index}"), &content).expect("disk")
    });
    let spec = MachineSpec {
        name: "cs1".into(),
        qemu,
        accelerator: Accelerator::Tcg,
        cpu: Cpu::flat(1),
        memory_mib: 64,
        numa_nodes: None,
        firmware: MachineFirmware::Bios,
        kernel: None,
        smbios: Smbios {
            manufacturer: None,
            product: None,
            serial: "0a1b".into(),
            uuid: Uuid::of_serial("0a1b"),
        },
        ignition: None,
        nics: Vec::new(),
        mtus: Vec::new(),
        queues: 1,
        vhost: false,
        boot_order: (0..disks.len()).map(Bootable::Disk).collect(),
        disks: disks.collect(),
        shares: Vec::new(),
        tpm: None,
        video: None,
        arguments: Vec::new(),
        console_log: folder.path().join("console.log"),
        qemu_log: folder.path().join("qemu.log"),
    };
    Some(built(spec, folder, Vec::new()))
}

/// A machine with these TAPs behind its NICs.
pub(crate) fn built(spec: MachineSpec, folder: TempDir, taps: Vec<Tap>) -> Fixture {
    let bus = EventBus::new(None, std::time::Instant::now());
    let events = bus.subscribe();
    let (tasks, cancel) = (TaskTracker::new(), CancellationToken::new());
    let setup = MachineSetup {
        taps,
        track: BootTrack::new("node/cs1".into(), bus),
        boot_retry: None,
        // Its guests, boot sectors, announce nothing.
        announced: mpsc::channel(1).0,
        tasks: tasks.clone(),
        cancel: cancel.clone(),
    };
    Fixture {
        machine: Machine::new(spec, setup),
        events,
        tasks,
        cancel,
        folder,
    }
}

impl Fixture {
    /// Waits for an event that `wanted` accepts.
    pub(crate) async fn event(&mut self, wanted: impl Fn(&LabEventKind) -> bool) {
        let wait = async {
            loop {
                let event = self.events.recv().await.expect("the bus lives");
                if wanted(&event.what) {
                    return;
                }
            }
        };
        timeout(PATIENCE, wait).await.expect("the event comes");
    }

    pub(crate) async fn phase(&mut self, wanted: BootPhase, number: u32) {
        self.event(|what| {
            matches!(what, LabEventKind::Boot { phase, boot, .. }
                if *phase == wanted && *boot == number)
        })
        .await;
    }

    /// A BMC in front of the machine.
    pub(crate) fn bmc(&self, policy: DeathPolicy) -> Bmc {
        let identity = Identity::new("cs1", "0a1b", IpAddr::V4(Ipv4Addr::LOCALHOST));
        let users = UserTable::administrator("admin", "placemat").expect("user");
        let bmc = Bmc::new(
            Settings::new(identity, users),
            Arc::new(self.machine.clone()),
        );
        self.machine.attach(bmc.clone(), policy);
        bmc
    }

    /// Kills its QEMU as anybody could.
    pub(crate) fn kill(&self) {
        let pid = self.machine.pid().expect("it runs").to_string();
        let killed = std::process::Command::new("kill")
            .args(["-9", &pid])
            .status();
        assert!(killed.expect("kill").success());
    }

    pub(crate) async fn end(self) {
        self.cancel.cancel();
        self.tasks.close();
        timeout(PATIENCE, self.tasks.wait())
            .await
            .expect("every task ends");
        assert!(!self.machine.is_on());
    }
}
