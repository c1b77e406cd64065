//! Machines on the real QEMU of this host, with boot sectors for guests: they speak on the serial
//! port and do one thing. No network, no UEFI, a second each.

use placemat_bmc::chassis::{Cause, PowerCommand};
use placemat_bmc::identity::Identity;
use placemat_bmc::user::UserTable;
use placemat_bmc::{Bmc, Settings};
use placemat_host::netlink::Netlink;
use placemat_host::netns::Netns;
use placemat_host::probe::accel::Accelerator;
use placemat_host::probe::program;
use placemat_host::tap;
use placemat_lab::event::EventBus;
use placemat_lab::machine::{
    BootTarget, DeathPolicy, Disk, DiskContent, DiskFormat, Machine, MachineError, MachineFirmware,
    MachineNews, MachineSetup, MachineSpec, make_disk,
};
use placemat_lab::server::BootTrack;
use placemat_spec::event::{BootPhase, LabEvent, LabEventKind};
use placemat_spec::resource::Smbios;
use placemat_spec::value::Mac;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::broadcast;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a boot sector does after it has spoken.
#[derive(Clone, Copy)]
enum Act {
    Halt,
    PowerOff,
    Reboot,
    /// Waits for a key, then powers off.
    Key,
}

/// A disk image whose boot sector says that it is `image`, and then acts.
fn boot_sector(image: &str, act: Act) -> Vec<u8> {
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

struct Fixture {
    machine: Machine,
    events: broadcast::Receiver<LabEvent>,
    tasks: TaskTracker,
    cancel: CancellationToken,
    folder: TempDir,
}

#[expect(clippy::print_stderr, reason = "a test says why it is left out")]
/// A machine with one disk a boot sector; `None`, said in words, where there is no QEMU.
fn fixture(disks: &[(&str, Act)]) -> Option<Fixture> {
    let qemu = match program::locate("qemu-system-x86_64") {
        Ok(path) => path,
        Err(missing) => {
            let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
            assert!(
                !required.split(',').any(|need| need.trim() == "qemu"),
                "PLACEMAT_REQUIRE names qemu, but {missing}"
            );
            eprintln!("skipped: {missing}");
            return None;
        }
    };
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
        cpus: 1,
        memory_mib: 64,
        firmware: MachineFirmware::Bios,
        kernel: None,
        smbios: Smbios {
            manufacturer: None,
            product: None,
            serial: "0a1b".into(),
        },
        nics: Vec::new(),
        disks: disks.collect(),
        shares: Vec::new(),
        boot_first: BootTarget::Disk,
        console_log: folder.path().join("console.log"),
        qemu_log: folder.path().join("qemu.log"),
    };
    Some(built(spec, folder, Vec::new()))
}

/// A machine with these TAPs behind its NICs.
fn built(spec: MachineSpec, folder: TempDir, taps: Vec<OwnedFd>) -> Fixture {
    let bus = EventBus::new(None, std::time::Instant::now());
    let events = bus.subscribe();
    let (tasks, cancel) = (TaskTracker::new(), CancellationToken::new());
    let setup = MachineSetup {
        taps,
        track: BootTrack::new("node/cs1".into(), bus),
        boot_retry: None,
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
    async fn event(&mut self, wanted: impl Fn(&LabEventKind) -> bool) {
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

    async fn phase(&mut self, wanted: BootPhase, number: u32) {
        self.event(|what| {
            matches!(what, LabEventKind::Boot { phase, boot, .. }
                if *phase == wanted && *boot == number)
        })
        .await;
    }

    /// A BMC in front of the machine.
    fn bmc(&self, policy: DeathPolicy) -> Bmc {
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
    fn kill(&self) {
        let pid = self.machine.pid().expect("it runs").to_string();
        let killed = std::process::Command::new("kill")
            .args(["-9", &pid])
            .status();
        assert!(killed.expect("kill").success());
    }

    async fn end(self) {
        self.cancel.cancel();
        self.tasks.close();
        timeout(PATIENCE, self.tasks.wait())
            .await
            .expect("every task ends");
        assert!(!self.machine.is_on());
    }
}

#[tokio::test]
async fn on_off_reset_and_on_again() {
    let Some(mut fixture) = fixture(&[("first", Act::Halt)]) else {
        return;
    };
    let machine = fixture.machine.clone();
    assert!(matches!(
        machine.reset(None).await,
        Err(MachineError::Off { .. })
    ));
    machine.power_on(None, "start").await.expect("on");
    let pid = machine.pid().expect("it runs");
    machine.power_on(None, "start").await.expect("on already");
    assert_eq!(machine.pid(), Some(pid));
    fixture.phase(BootPhase::Userspace, 1).await;
    assert_eq!(machine.track().image().as_deref(), Some("first"));
    machine.reset(None).await.expect("reset");
    assert_eq!(machine.pid(), Some(pid));
    fixture.phase(BootPhase::Userspace, 2).await;
    machine.power_off("ipmi").await;
    assert!(!machine.is_on());
    assert!(!PathBuf::from(format!("/proc/{pid}")).exists());
    assert_eq!(machine.track().phase(), BootPhase::Off);
    fixture
        .event(|what| matches!(what, LabEventKind::Power { on: false, cause } if cause == "ipmi"))
        .await;
    machine.power_off("ipmi").await;
    machine.power_on(None, "ipmi").await.expect("on");
    fixture.phase(BootPhase::Userspace, 3).await;
    let log = std::fs::read_to_string(fixture.folder.path().join("console.log")).expect("log");
    assert_eq!(log.matches("userspace image=first").count(), 3);
    fixture.end().await;
}

#[tokio::test]
async fn guest_powers_itself_off_and_can_be_started_again() {
    let Some(mut fixture) = fixture(&[("first", Act::Key)]) else {
        return;
    };
    let machine = fixture.machine.clone();
    let mut news = machine.news().expect("nobody listens yet");
    assert!(machine.news().is_none());
    for boot in 1..=2 {
        machine.power_on(None, "start").await.expect("on");
        fixture.phase(BootPhase::Userspace, boot).await;
        let mut console = machine.console().attach();
        assert!(String::from_utf8_lossy(&console.read().await.expect("history")).contains("first"));
        console.write(b"x".to_vec()).await.expect("type");
        let heard = timeout(PATIENCE, news.recv()).await.expect("news");
        assert_eq!(heard, Some(MachineNews::GuestOff));
        assert!(!machine.is_on());
        fixture
            .event(
                |what| matches!(what, LabEventKind::Power { on: false, cause } if cause == "guest"),
            )
            .await;
    }
    fixture.end().await;
}

#[tokio::test]
async fn guest_powers_off_at_once() {
    let Some(fixture) = fixture(&[("first", Act::PowerOff)]) else {
        return;
    };
    let mut news = fixture.machine.news().expect("nobody listens yet");
    fixture.machine.power_on(None, "start").await.expect("on");
    let heard = timeout(PATIENCE, news.recv()).await.expect("news");
    assert_eq!(heard, Some(MachineNews::GuestOff));
    fixture.end().await;
}

#[tokio::test]
async fn guest_reboots_in_its_qemu_and_each_boot_counts() {
    let Some(mut fixture) = fixture(&[("first", Act::Reboot)]) else {
        return;
    };
    let machine = fixture.machine.clone();
    let mut news = machine.news().expect("nobody listens yet");
    machine.power_on(None, "start").await.expect("on");
    let pid = machine.pid();
    fixture.phase(BootPhase::Userspace, 2).await;
    let heard = timeout(PATIENCE, news.recv()).await.expect("news");
    assert_eq!(heard, Some(MachineNews::GuestReset));
    assert_eq!(machine.pid(), pid);
    fixture.end().await;
}

#[tokio::test]
async fn killed_from_outside_is_news_and_it_starts_again() {
    let Some(mut fixture) = fixture(&[("first", Act::Halt)]) else {
        return;
    };
    let machine = fixture.machine.clone();
    let mut news = machine.news().expect("nobody listens yet");
    machine.power_on(None, "start").await.expect("on");
    fixture.phase(BootPhase::Userspace, 1).await;
    let pid = machine.pid().expect("it runs").to_string();
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid])
        .status();
    assert!(killed.expect("kill").success());
    let heard = timeout(PATIENCE, news.recv()).await.expect("news");
    let Some(MachineNews::Died { how, after }) = heard else {
        panic!("not its death: {heard:?}");
    };
    assert_eq!(after, BootPhase::Userspace);
    assert_eq!(
        how,
        "QEMU ended by itself (signal: 9 (SIGKILL)): it said nothing"
    );
    assert!(!machine.is_on());
    machine.power_on(None, "start").await.expect("on");
    fixture.phase(BootPhase::Userspace, 2).await;
    fixture.end().await;
}

#[tokio::test]
async fn a_machine_that_cannot_start_says_why() {
    let Some(fixture) = fixture(&[("first", Act::Halt)]) else {
        return;
    };
    let mut spec = fixture.machine.spec().clone();
    let path = PathBuf::from("/no/such/disk.img");
    spec.disks = vec![Disk::new(path, DiskFormat::Raw)];
    let folder = || tempfile::tempdir().expect("folder");
    let broken = built(spec.clone(), folder(), Vec::new());
    let error = broken
        .machine
        .power_on(None, "start")
        .await
        .expect_err("no disk");
    let error = error.to_string();
    assert!(error.contains("No such file or directory"), "{error}");
    assert!(!broken.machine.is_on());
    assert_eq!(broken.machine.track().boots(), 0);
    spec.qemu = "/no/such/qemu".into();
    let missing = built(spec, folder(), Vec::new());
    let error = missing
        .machine
        .power_on(None, "start")
        .await
        .expect_err("no QEMU");
    assert_eq!(error.to_string(), "start /no/such/qemu for cs1");
    broken.end().await;
    missing.end().await;
    fixture.end().await;
}

async fn until(bmc: &Bmc, on: bool) {
    let mut chassis = bmc.watch();
    let seen = chassis.wait_for(|chassis| chassis.is_on() == on);
    timeout(PATIENCE, seen)
        .await
        .expect("the chassis changes")
        .expect("the BMC lives");
}

#[tokio::test]
async fn the_bmc_follows_a_guest_that_powers_off_and_starts_it_again() {
    let Some(mut fixture) = fixture(&[("first", Act::Key)]) else {
        return;
    };
    let bmc = fixture.bmc(DeathPolicy::PowerOn);
    for boot in 1..=2 {
        bmc.power(PowerCommand::On, Cause::Ipmi).await.expect("on");
        fixture.phase(BootPhase::Userspace, boot).await;
        fixture
            .machine
            .console()
            .write(b"x".to_vec())
            .await
            .expect("type");
        until(&bmc, false).await;
    }
    fixture.end().await;
}

#[tokio::test]
async fn a_killed_qemu_comes_back_by_policy() {
    let Some(mut fixture) = fixture(&[("first", Act::Halt)]) else {
        return;
    };
    let bmc = fixture.bmc(DeathPolicy::PowerOn);
    bmc.power(PowerCommand::On, Cause::Ipmi).await.expect("on");
    // Deaths after userspace do not add up.
    for boot in 1..=4 {
        fixture.phase(BootPhase::Userspace, boot).await;
        fixture.kill();
    }
    fixture.phase(BootPhase::Userspace, 5).await;
    assert!(bmc.chassis().is_on());
    fixture.end().await;
}

#[tokio::test]
async fn a_killed_qemu_stays_off_where_it_should() {
    // Without a name there is no userspace.
    let Some(mut looping) = fixture(&[("", Act::Halt)]) else {
        return;
    };
    let bmc = looping.bmc(DeathPolicy::PowerOn);
    bmc.power(PowerCommand::On, Cause::Ipmi).await.expect("on");
    for boot in 1..=3 {
        looping.phase(BootPhase::Kernel, boot).await;
        looping.kill();
    }
    let note = "stays off: QEMU died 3 times in a row";
    looping
        .event(|what| matches!(what, LabEventKind::Note { text } if text == note))
        .await;
    until(&bmc, false).await;
    looping.end().await;

    let Some(mut steady) = fixture(&[("first", Act::Halt)]) else {
        return;
    };
    let bmc = steady.bmc(DeathPolicy::StayOff);
    bmc.power(PowerCommand::On, Cause::Ipmi).await.expect("on");
    steady.phase(BootPhase::Userspace, 1).await;
    steady.kill();
    until(&bmc, false).await;
    assert!(!steady.machine.is_on());
    steady.end().await;
}

#[tokio::test]
async fn pulled_cables_stay_pulled_through_power_and_a_halted_machine_stays_off() {
    let Some(base) = fixture(&[("first", Act::Halt)]) else {
        return;
    };
    let netns = match Netns::unnamed("of the test") {
        Ok(netns) => netns,
        Err(error) => {
            let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
            assert!(!required.contains("root"), "{error}");
            eprintln!("skipped: a network namespace of its own: {error}");
            return;
        }
    };
    let tap = netns.run(|| Ok(tap::create("tap0"))).expect("a thread");
    let mut netlink = Netlink::open_in(&netns).expect("netlink");
    netlink.set_up("tap0", true).expect("up");
    let mut carrier = || {
        let links = netlink.links().expect("links");
        links.iter().any(|link| link.name == "tap0" && link.carrier)
    };
    let spec = MachineSpec {
        nics: vec![Mac([0x52, 0x54, 0, 0, 0, 1])],
        ..base.machine.spec().clone()
    };
    let folder = tempfile::tempdir().expect("folder");
    let fixture = built(spec, folder, vec![tap.expect("a TAP")]);
    let machine = &fixture.machine;
    assert!(!carrier());
    machine.power_on(None, "start").await.expect("on");
    assert!(carrier());
    machine.set_plugged(false).await.expect("pulled");
    assert!(machine.is_unplugged() && !carrier());
    machine.reset(None).await.expect("reset");
    assert!(!carrier());
    machine.power_off("ipmi").await;
    machine.power_on(None, "ipmi").await.expect("on");
    assert!(!carrier());
    machine.set_plugged(true).await.expect("plugged in");
    assert!(carrier());
    machine.power_off("ipmi").await;
    assert!(!carrier());
    // Plugged in without power: no carrier before there is some.
    machine.set_plugged(false).await.expect("pulled");
    machine.set_plugged(true).await.expect("plugged in");
    assert!(!carrier());
    machine.power_on(None, "ipmi").await.expect("on");
    assert!(carrier());
    // A QEMU that hangs does not hold up the end, and nothing brings the machine back.
    let pid = machine.pid().expect("it runs").to_string();
    let stopped = std::process::Command::new("kill")
        .args(["-STOP", &pid])
        .status();
    assert!(stopped.expect("kill").success());
    machine.halt(Duration::from_millis(100), "down").await;
    assert!(!machine.is_on());
    assert!(machine.power_on(None, "ipmi").await.is_err());
    fixture.end().await;
    base.end().await;
}
