//! One server through its life: consoles while it boots, a reboot and a power-off of its guest's
//! own, QEMU killed under it; and what stands beside it, which must not care.

use crate::turn::Turn;
use placemat_lab::control::protocol::ObjectStatus;
use placemat_spec::event::BootPhase;
use placemat_tests::{Lab, Need, Place, needs, poll, process, repository};
use std::process::Child;
use std::time::Duration;

const SERVER: &str = "node/rack1-cs1";
const LIGHT: &str = "node/rack1-cs2";
const DIRECT: &str = "node/rack1-cs3";
/// For one boot, on a busy machine without KVM.
const BOOT: Duration = Duration::from_secs(180);

/// The smallest data center with a full server: one spine, one rack of one ToR.
pub(crate) fn small(bundle: &std::path::Path) -> String {
    let spec =
        std::fs::read_to_string(repository().join("menu/examples/small.yml")).expect("the example");
    let bundle = format!("bundle: {}", bundle.display());
    let changes = [
        ("spines: 2", "spines: 1"),
        ("tors: 2 ", "tors: 1 "),
        (
            "  - servers: [uefi, light]\n  - servers: [uefi, light]\n",
            "  - servers: [uefi, light]\n",
        ),
        ("bundle: ../../images/out/node", bundle.as_str()),
    ];
    changes.iter().fold(spec, |spec, (from, to)| {
        assert!(spec.contains(from), "the example has no `{from}`");
        spec.replace(from, to)
    })
}

/// What the lab says of one object.
pub(crate) fn object(lab: &Lab<'_>, target: &str) -> ObjectStatus {
    let status = lab.status();
    let mut objects = status.objects.into_iter();
    objects
        .find(|object| object.target == target)
        .unwrap_or_else(|| panic!("no {target}"))
}

/// Waits until an object is as it should be.
pub(crate) fn wait(lab: &Lab<'_>, target: &str, what: &str, done: impl Fn(&ObjectStatus) -> bool) {
    let seen = poll(BOOT, || {
        // Asking costs the guest time on few cores.
        std::thread::sleep(Duration::from_millis(200));
        let object = object(lab, target);
        done(&object).then_some(())
    });
    assert!(
        seen.is_some(),
        "{target} did not become {what}: {:?}\n{:#?}",
        object(lab, target),
        lab.events()
    );
}

fn booted(lab: &Lab<'_>, boots: u32) {
    wait(lab, SERVER, &format!("ready by boot {boots}"), |server| {
        assert!(server.boots <= boots, "one boot too many: {server:?}");
        server.boots == boots && server.phase >= Some(BootPhase::Agent)
    });
}

/// The face that all tiers share, on the one that QEMU boots without firmware: DHCP, BGP, exec, BMC.
fn direct_kernel(lab: &Lab<'_>) {
    wait(lab, DIRECT, "a BGP speaker", |server| {
        server.boots == 1 && server.phase == Some(BootPhase::Bgp)
    });
    assert_eq!(object(lab, DIRECT).image.as_deref(), Some("kernel"));
    let address = lab.exec(DIRECT, &["ip", "-4", "-o", "addr", "show", "dev", "eth0"]);
    assert!(address.well().out.contains(" inet 10.69."), "a lease");
    let bmc = object(lab, DIRECT).bmc.expect("a BMC");
    let ipmi = |words: &[&str]| {
        let mut command = vec!["ipmitool", "-I", "lanplus", "-C", "17", "-H", &bmc];
        command.extend(["-U", "admin", "-P", "placemat", "chassis"]);
        command.extend(words);
        lab.exec("hub", &command).well().out
    };
    // An override means nothing to it, and must not hinder it.
    ipmi(&["bootdev", "disk"]);
    ipmi(&["power", "reset"]);
    wait(lab, DIRECT, "in its kernel again", |server| {
        server.boots == 2 && server.phase >= Some(BootPhase::Userspace)
    });
    ipmi(&["power", "off"]);
    wait(lab, DIRECT, "off", |server| !server.power);
}

/// A shell's command by SSH, with the key that the lab's boot server handed out; in a machine by way
/// of its ToR, since the lab does not know its address.
fn logs_in(lab: &Lab<'_>, server: &str) {
    let to = if server == LIGHT {
        server.to_owned()
    } else {
        let lease = lab.exec(server, &["ip", "-4", "-o", "addr", "show", "dev", "eth0"]);
        let lease = lease.well().out;
        let address = lease
            .split(" inet ")
            .nth(1)
            .and_then(|rest| rest.split('/').next());
        format!("router/rack1-tor1:{}", address.expect("a lease"))
    };
    let said = poll(BOOT, || {
        let said = lab.say("ssh", &[&to, "--", "hostname; exit 7"]);
        (said.code != Some(255)).then_some(said)
    });
    let said = said.unwrap_or_else(|| lab.say("ssh", &[&to, "--", "true"]));
    assert_eq!(said.code, Some(7), "{}", said.text());
    assert_eq!(format!("node/{}", said.out.trim()), server);
}

/// A reader of the server's console, that writes what it sees into a file.
struct Reader {
    child: Child,
    seen: tempfile::NamedTempFile,
}

impl Reader {
    fn attach(place: &Place, lab: &Lab<'_>) -> Self {
        let seen = tempfile::NamedTempFile::new().expect("a temporary file");
        let mut command = place.command(&["console", "--lab", &lab.id, SERVER]);
        let file = seen.reopen().expect("a temporary file");
        command.stdout(file).stderr(std::process::Stdio::null());
        let child = command.spawn().expect("start a console");
        Self { child, seen }
    }

    fn text(&self) -> String {
        let bytes = std::fs::read(self.seen.path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The QEMU process of a lab's server.
fn qemu(place: &Place, server: &str) -> i32 {
    let name = format!("guest={server}");
    let found = process::carrying(&place.run_base())
        .into_iter()
        .find(|pid| {
            let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            words
                .split(|byte| *byte == 0)
                .any(|word| word.starts_with(name.as_bytes()))
        });
    found.expect("QEMU runs")
}

/// Everything but the server, without what counts or moves by itself.
fn others(lab: &Lab<'_>) -> Vec<(String, bool, u32)> {
    let objects = lab.status().objects.into_iter();
    objects
        .filter(|object| object.target != SERVER)
        .map(|object| (object.target, object.power, object.boots))
        .collect()
}

#[test]
fn a_server_lives_on_through_what_its_guest_and_a_killer_do() {
    let wanted = [
        Need::Bird,
        Need::Dnsmasq,
        Need::Qemu,
        Need::Image,
        Need::Ipmitool,
        Need::Ssh,
    ];
    if !needs(&wanted) {
        return;
    }
    let turn = Turn::take("a server's life");
    let place = Place::new();
    let spec = small(&repository().join("images/out/node"))
        .replace("[uefi, light]", "[uefi, light, direct]")
        .replace(
            "types:\n",
            "types:\n  direct: {tier: kernel, cpu: 1, memory: 256M}\n",
        );
    let lab = place.up(&place.write("small.yml", &spec));

    // Several readers of one console, the last of which comes when there is a past.
    let mut readers: Vec<Reader> = (0..2).map(|_| Reader::attach(&place, &lab)).collect();
    let early = poll(BOOT, || (!readers[0].text().is_empty()).then_some(()));
    assert!(early.is_some(), "a console speaks while its server boots");
    assert!(
        object(&lab, SERVER).phase < Some(BootPhase::Agent),
        "that was before the boot was over"
    );
    readers.push(Reader::attach(&place, &lab));
    booted(&lab, 1);
    for reader in &readers {
        let up = "placemat: userspace image=network";
        let shown = poll(BOOT, || reader.text().contains(up).then_some(()));
        assert!(shown.is_some(), "{}", reader.text());
    }
    drop(readers);
    let status = lab.status();
    assert!(!status.accel.is_empty(), "the accelerator is told");
    turn.say("first boot, three readers");
    for server in [SERVER, LIGHT] {
        wait(&lab, server, "a BGP speaker", |server| {
            server.phase == Some(BootPhase::Bgp)
        });
    }
    for server in [SERVER, LIGHT] {
        logs_in(&lab, server);
    }
    // IPv6 is pinged in guests, too.
    lab.exec(SERVER, &["ping", "-c", "1", "-W", "3", "::1"])
        .well();
    direct_kernel(&lab);
    turn.say("BGP; direct kernel boot");

    // The guest's own reboot comes back.
    let _ = lab.exec(SERVER, &["reboot"]);
    booted(&lab, 2);
    turn.say("guest's own reboot");

    // The guest's own power-off leaves a server that its BMC starts again.
    let _ = lab.exec(SERVER, &["poweroff"]);
    wait(&lab, SERVER, "off", |server| !server.power);
    let bmc = object(&lab, SERVER).bmc.expect("a BMC");
    let ipmi = |words: &[&str]| {
        let mut command = vec!["ipmitool", "-I", "lanplus", "-C", "17", "-H", &bmc];
        command.extend(["-U", "admin", "-P", "placemat", "chassis", "power"]);
        command.extend(words);
        lab.exec("hub", &command).well().out
    };
    assert_eq!(ipmi(&["status"]).trim(), "Chassis Power is off");
    ipmi(&["on"]);
    booted(&lab, 3);
    assert_eq!(ipmi(&["status"]).trim(), "Chassis Power is on");
    turn.say("guest's own power-off, on by ipmitool");

    // QEMU killed: an event on the server, which comes back; nothing else falls.
    let before = others(&lab);
    let happened = lab.events().len();
    let pid = nix::unistd::Pid::from_raw(qemu(&place, "rack1-cs1"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("kill QEMU");
    booted(&lab, 4);
    assert_eq!(others(&lab), before, "nothing else falls");
    let events = lab.events().split_off(happened);
    let died = events.iter().any(|event| {
        event["object"] == SERVER && event["kind"] == "power" && event["cause"] == "died"
    });
    assert!(died, "{events:#?}");
    let fell: Vec<_> = events
        .iter()
        // Its boot server's answers to its next boot are no fall.
        .filter(|event| {
            event["object"] != SERVER && event["kind"] != "http" && event["kind"] != "dhcp"
        })
        .collect();
    assert!(fell.is_empty(), "{fell:#?}");
    turn.say("QEMU killed");

    // And `placemat power on` starts a server that powered itself off.
    let _ = lab.exec(SERVER, &["poweroff"]);
    wait(&lab, SERVER, "off", |server| !server.power);
    lab.say("power", &[SERVER, "on"]).well();
    wait(&lab, SERVER, "in its firmware", |server| {
        server.boots == 5 && server.phase >= Some(BootPhase::Firmware)
    });
    lab.down();
    place.assert_nothing_left();
}

#[test]
fn tcg_is_chosen_where_kvm_opens_but_does_not_work() {
    if !needs(&[Need::Qemu]) {
        return;
    }
    let _turn = Turn::take("accelerator");
    let said = Place::new().say(&["doctor"]);
    let line = said
        .out
        .lines()
        .find(|line| line.contains("accelerator"))
        .unwrap_or_else(|| panic!("{}", said.text()));
    if line.contains(" kvm (") {
        assert!(line.contains("came alive under KVM"), "{line}");
    } else {
        assert!(line.contains(" tcg ("), "{line}");
        let opens = std::fs::File::options()
            .read(true)
            .write(true)
            .open("/dev/kvm")
            .is_ok();
        assert_eq!(line.contains("/dev/kvm opens, but"), opens, "{line}");
    }
}
