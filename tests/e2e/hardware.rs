//! A server with everything on it, as its guest sees it; and beside it one whose QEMU does not
//! start, which is nobody's trouble but its own. Its BMC is where its guest says.

use crate::life::{object, wait};
use crate::turn::Turn;
use placemat_spec::event::BootPhase;
use placemat_tests::{Lab, Need, Place, needs, poll, repository};
use std::fmt::Write as _;
use std::time::Duration;

const SERVER: &str = "node/cs1";

/// `TPM2_NV_DefineSpace` of 8 bytes at 0x01800001 by the owner, with an empty password (TPM 2.0,
/// part 3, section 31.3).
const DEFINE: &str = "8002 0000002d 0000012a 40000001 00000009 40000009 0000 00 0000 0000 \
                      000e 01800001 000b 02060006 0000 0008";
/// `TPM2_NV_ReadPublic` of it (section 31.6).
const LOOK: &str = "8001 0000000e 00000169 01800001";

fn cluster(place: &Place) -> String {
    let image = repository().join("images/out/node");
    place.write("cs1.ign", "{\"ignition\": {\"version\": \"3.4.0\"}}");
    // The mock's file has a BMC, so its address is nobody else's.
    format!(
        "kind: Node\nname: mock\ntier: mock\nbmc: {{address: 10.72.17.9}}\n---\n\
         kind: Image\nname: node\nbundle: {}\n---\n\
         kind: Network\nname: lan\ntype: internal\n---\n\
         kind: Network\nname: bmc\ntype: bmc\naddress: 10.72.16.1/20\n---\n\
         kind: Node\nname: cs1\ntier: kernel\nimage: node\n\
         smp: {{cpus: 2, sockets: 2, cores: 1, threads: 1}}\nmemory: 513M\nnuma: {{nodes: 2}}\n\
         interfaces: [lan, lan]\nnetwork-device-queue: 2\n\
         smbios: {{manufacturer: cybozu, product: mk2, uuid: 0CCB0D23-5b5c-4a6f-9d5e-2f3f6c1c8a11}}\n\
         tpm: true\nvideo: true\nignition: cs1.ign\n\
         qemu-args: [-fw_cfg, \"name=opt/placemat/own,string=by hand\"]\n---\n\
         kind: Node\nname: broken\nuefi: false\nmemory: 64M\nqemu-args: [-device, no-such-device]\n",
        image.display()
    )
}

fn guest(lab: &Lab<'_>, command: &str) -> String {
    let said = lab.exec(SERVER, &["sh", "-c", command]).well();
    said.out.trim().to_owned()
}

/// Sends one command to the guest's TPM: the code in its answer, 0 is success.
fn tpm(lab: &Lab<'_>, command: &str) -> u32 {
    let digits: String = command.split_whitespace().collect();
    let mut octal = String::new();
    for at in (0..digits.len()).step_by(2) {
        let byte = u8::from_str_radix(&digits[at..at + 2], 16).expect("digits");
        let _ = write!(octal, "\\{byte:03o}");
    }
    let shell = format!(
        "exec 3<>/dev/tpm0; printf '{octal}' >&3; dd bs=4096 count=1 <&3 2>/dev/null | od -An -v -tx1"
    );
    let answer: String = guest(lab, &shell).split_whitespace().collect();
    u32::from_str_radix(&answer[12..20], 16).expect("a code")
}

/// Waits for an event about the server's BMC.
fn told(lab: &Lab<'_>, wanted: &str) {
    let seen = poll(Duration::from_secs(30), || {
        let events = lab.events();
        let mut texts = events.iter().filter(|event| event["object"] == SERVER);
        texts.find(|event| {
            let text = event["text"].as_str().unwrap_or_default();
            text.contains("BMC") && text.contains(wanted)
        })?;
        Some(())
    });
    assert!(seen.is_some(), "no word of {wanted}: {:#?}", lab.events());
}

fn ipmi(lab: &Lab<'_>, address: &str, words: &str) -> String {
    let line = format!("ipmitool -I lanplus -C 17 -H {address} -U admin -P placemat {words}");
    let command: Vec<&str> = line.split(' ').collect();
    lab.exec("hub", &command).well().out
}

/// Its guest says where its BMC is, and is not always right.
fn announces(lab: &Lab<'_>) {
    assert_eq!(object(lab, SERVER).bmc, None, "nobody knows yet");
    let say = |line: &str| {
        guest(
            lab,
            &format!("printf '{line}' > /dev/virtio-ports/placemat"),
        )
    };
    for (line, why) in [
        ("not me\\n", "\"not me\" is no IPv4 address"),
        ("10.9.9.9\\n", "10.9.9.9 is on no network"),
        ("10.72.17.9\\n", "is where the BMC of node/mock is"),
        ("10.72.16.1\\n", "is the hub's on network `bmc`"),
        // Without an end of its line: the port's is one.
        ("10.72.17.4", "its BMC answers at 10.72.17.4"),
        (
            "10.72.17.4\\n10.72.17.3\\n",
            "its BMC answers at 10.72.17.3",
        ),
    ] {
        say(line);
        told(lab, why);
    }
    let at_hub = || lab.exec("hub", &["ip", "-o", "-4", "addr"]).well().out;
    let gone = poll(Duration::from_secs(10), || {
        (!at_hub().contains("10.72.17.4/")).then_some(())
    });
    assert!(gone.is_some(), "the address before is left: {}", at_hub());
    assert_eq!(object(lab, SERVER).bmc.as_deref(), Some("10.72.17.3"));
    let print = ipmi(lab, "10.72.17.3", "lan print 1");
    assert!(
        print.contains("10.72.17.3") && print.contains("255.255.240.0"),
        "{print}"
    );
    let power = ipmi(lab, "10.72.17.9", "chassis power status");
    assert_eq!(power.trim(), "Chassis Power is on", "the other BMC goes on");
}

fn booted(lab: &Lab<'_>, boots: u32) {
    wait(lab, SERVER, "up", |server| {
        server.boots == boots && server.phase == Some(BootPhase::Agent)
    });
}

#[test]
fn a_guest_sees_what_its_file_says() {
    if !needs(&[Need::Qemu, Need::Image, Need::Swtpm, Need::Ipmitool]) {
        return;
    }
    let turn = Turn::take("hardware");
    let place = Place::new();
    let file = place.write("dc.yml", &cluster(&place));
    let lab = place.up(&file);
    booted(&lab, 1);
    turn.say("up");

    let broken = lab.events().into_iter().find(|event| {
        let text = event["text"].as_str().unwrap_or_default();
        event["object"] == "node/broken" && text.starts_with("did not start")
    });
    let broken = broken.unwrap_or_else(|| panic!("{:#?}", lab.events()));
    let text = broken["text"].as_str().expect("words");
    assert!(
        text.contains("'no-such-device' is not a valid device"),
        "{text}"
    );

    let seen = guest(
        &lab,
        "nproc; cat /sys/devices/system/node/online /sys/devices/system/node/node?/cpulist; \
         ls -d /sys/class/net/eth?/queues/rx-*; \
         cd /sys/class/dmi/id; cat sys_vendor product_name product_serial product_uuid; \
         cd /sys/firmware/qemu_fw_cfg/by_name/opt; cat com.coreos/config/raw; echo; \
         cat placemat/own/raw; echo; cat /sys/class/misc/hw_random/rng_current; ls /dev/tpm0",
    );
    insta::assert_snapshot!(seen, @r#"
    2
    0-1
    0
    1
    /sys/class/net/eth0/queues/rx-0
    /sys/class/net/eth0/queues/rx-1
    /sys/class/net/eth1/queues/rx-0
    /sys/class/net/eth1/queues/rx-1
    cybozu
    mk2
    f9ce352c1d3e957f5b6330307d618b98997f0ce1
    0ccb0d23-5b5c-4a6f-9d5e-2f3f6c1c8a11
    {"ignition": {"version": "3.4.0"}}
    by hand
    virtio_rng.0
    /dev/tpm0
    "#);

    let picture = place.dir().join("screen.png");
    lab.say("screenshot", &[SERVER, "-o", &picture.to_string_lossy()])
        .well();
    let bytes = std::fs::read(&picture).expect("a picture");
    assert!(bytes.starts_with(b"\x89PNG"));
    assert!(
        !lab.run_dir().join("screens/cs1-0.png").exists(),
        "it was taken away"
    );
    assert!(
        lab.run_dir().join("vnc/cs1").exists(),
        "its screen can be looked at"
    );

    assert_ne!(tpm(&lab, LOOK), 0, "a new TPM has nothing there");
    assert_eq!(tpm(&lab, DEFINE), 0);
    assert_eq!(tpm(&lab, LOOK), 0);
    announces(&lab);
    ipmi(&lab, "10.72.17.3", "chassis power off");
    wait(&lab, SERVER, "off", |server| !server.power);
    let off = ipmi(&lab, "10.72.17.3", "chassis power status");
    assert_eq!(off.trim(), "Chassis Power is off", "it stays where it was");
    ipmi(&lab, "10.72.17.3", "chassis power on");
    booted(&lab, 2);
    // Its new QEMU is heard, too.
    guest(&lab, "echo 10.72.17.5 > /dev/virtio-ports/placemat");
    told(&lab, "its BMC answers at 10.72.17.5");
    assert_eq!(tpm(&lab, LOOK), 0, "it is there after power-off");
    turn.say("off and on");

    lab.down();
    let lab = place.up(&file);
    booted(&lab, 1);
    assert_eq!(tpm(&lab, LOOK), 0, "it is there in the next lab");
    lab.down();
    place.assert_nothing_left();
}
