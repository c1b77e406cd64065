//! Machines on the real QEMU of this host, with boot sectors for guests: they speak on the serial
//! port and do one thing. No network, a second each, but for the
//! one with UEFI.

mod devices;
mod fixture;
mod secure_boot;

use fixture::{Act, PATIENCE, built, fixture};
use placemat_bmc::Bmc;
use placemat_bmc::chassis::{Cause, PowerCommand};
use placemat_host::agent::AgentCommand;
use placemat_host::netlink::Netlink;
use placemat_host::netns::Netns;
use placemat_host::tap::Tap;
use placemat_lab::machine::{
    DeathPolicy, Disk, DiskFormat, MachineError, MachineNews, MachineSpec,
};
use placemat_spec::event::{BootPhase, LabEventKind};
use placemat_spec::value::Mac;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

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
async fn a_guest_without_an_agent_is_told_apart_from_one_that_reboots() {
    let Some(mut fixture) = fixture(&[("first", Act::Reboot)]) else {
        return;
    };
    let machine = fixture.machine.clone();
    machine.power_on(None, "start").await.expect("on");
    fixture.phase(BootPhase::Userspace, 2).await;
    let command = AgentCommand {
        argv: vec!["true".into()],
        ..AgentCommand::default()
    };
    let waited = Duration::from_secs(1);
    let error = machine.exec(&command, waited).await.expect_err("no agent");
    assert_eq!(
        error.to_string(),
        "no guest agent answers in cs1: nothing there has opened its channel within 1 s"
    );
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
    let tap = netns.run(|| Ok(Tap::create("tap0", 1))).expect("a thread");
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
