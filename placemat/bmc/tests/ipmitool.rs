//! Conformance: the real `ipmitool` against a BMC on loopback.

mod support;

use placemat_bmc::fault::Fault;
use placemat_bmc::user::LockoutPolicy;
use std::net::UdpSocket;
use std::time::{Duration, Instant};
use support::{Board, have};

#[test]
fn power_by_every_cipher_suite() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    for suite in ["", "-C 17 ", "-C 3 "] {
        let run = |arguments: &str| board.ipmitool(&format!("{suite}{arguments}")).out();
        assert_eq!(run("chassis power status"), "Chassis Power is off");
        assert_eq!(run("chassis power on"), "Chassis Power Control: Up/On");
        assert_eq!(run("chassis power on"), "Chassis Power Control: Up/On");
        assert_eq!(run("chassis power status"), "Chassis Power is on");
        assert_eq!(run("chassis power reset"), "Chassis Power Control: Reset");
        assert_eq!(run("chassis power cycle"), "Chassis Power Control: Cycle");
        assert_eq!(run("chassis power soft"), "Chassis Power Control: Soft");
        assert_eq!(run("chassis power status"), "Chassis Power is off");
        assert_eq!(run("chassis power off"), "Chassis Power Control: Down/Off");
        assert_eq!(
            board.machine.acts(),
            ["power on", "reset", "power off", "power on", "shutdown"]
        );
    }
}

#[test]
fn what_needs_power_is_refused_without() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    for command in ["cycle", "reset"] {
        let ran = board.ipmitool(&format!("chassis power {command}"));
        assert!(!ran.ok);
        assert!(
            ran.stderr.contains("not supported in present state"),
            "{ran:?}"
        );
    }
    let ran = board.ipmitool("chassis power diag");
    assert!(ran.stderr.contains("Invalid data field"), "{ran:?}");
    assert!(board.machine.acts().is_empty());
}

#[test]
fn boot_device_set_and_read_back() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    let mut report = String::new();
    for arguments in [
        "pxe",
        "pxe options=efiboot",
        "disk options=efiboot,persistent",
        "disk options=persistent",
        "cdrom",
        "bios",
        "none",
    ] {
        let set = board
            .ipmitool(&format!("chassis bootdev {arguments}"))
            .out();
        let read = board.ipmitool("chassis bootparam get 5").out();
        report.extend([format!("### bootdev {arguments}\n{set}\n{read}\n")]);
    }
    insta::assert_snapshot!(report);
}

#[test]
fn a_one_time_override_serves_one_boot() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    board.ipmitool("chassis bootdev pxe options=efiboot").out();
    board.ipmitool("chassis power on").out();
    board.ipmitool("chassis bootdev disk").out();
    board.ipmitool("chassis power cycle").out();
    board.ipmitool("chassis power cycle").out();
    assert_eq!(
        board.machine.acts(),
        [
            "power on from Pxe Once efi=true",
            "arm",
            "arm from Hdd Once efi=false",
            "power off",
            "power on from Hdd Once efi=false",
            "arm",
            "power off",
            "power on",
        ]
    );
}

#[test]
fn reads_that_must_look_right() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    board.ipmitool("chassis power on").out();
    let mut report = String::new();
    for arguments in [
        "mc info",
        "mc guid",
        "mc selftest",
        "mc getenables",
        "chassis status",
        "chassis policy list",
        "chassis policy always-on",
        "chassis restart_cause",
        "chassis poh",
        "chassis identify 5",
        "chassis identify force",
        "chassis identify 0",
        "channel info 1",
        "channel authcap 1 4",
        "channel getciphers ipmi 1",
        "user list 1",
        "lan print 1",
        "sel info",
        "sel list",
        "sdr info",
        "sdr list",
        "fru print 0",
        "raw 6 1",
    ] {
        let started = Instant::now();
        let ran = board.ipmitool(arguments);
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{arguments} is slow"
        );
        report.extend([format!("### {arguments}\n{}\n", ran.stdout)]);
        if !ran.stderr.is_empty() {
            report.extend([format!("stderr: {}\n", ran.stderr)]);
        }
    }
    insta::with_settings!({filters => vec![
        (r"Timestamp +: .*", "Timestamp: T"),
        (r"\d\d/\d\d/\d+( \|)? \d\d:\d\d:\d\d( \w+)?", "T"),
    ]}, {
        insta::assert_snapshot!(report);
    });
}

#[test]
fn strangers_are_refused_quickly() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    for (user, password) in [("admin", "wrong"), ("nobody", "placemat")] {
        for suite in ["", "-C 17", "-C 3"] {
            let started = Instant::now();
            let ran = board.ipmitool_as(user, password, &format!("{suite} chassis power status"));
            assert!(!ran.ok, "{ran:?}");
            assert!(
                started.elapsed() < Duration::from_secs(3),
                "{user}: {ran:?}"
            );
        }
    }
}

/// ipmitool itself leaves without a word once RAKP message 2 shows that its password is wrong, so
/// the BMC can't count that; curl's wrong passwords count for both.
#[test]
fn a_lockout_holds_for_ipmi_too() {
    if !have("ipmitool") || !have("curl") {
        return;
    }
    let board = Board::start();
    let day = Duration::from_secs(86_400);
    board.bmc.accounts().set_policy(LockoutPolicy {
        threshold: 2,
        duration: day,
        reset_after: day,
    });
    let wrong = || {
        board
            .curl(&["-u", "admin:wrong"], "/redfish/v1/Systems/1")
            .0
    };
    assert_eq!(wrong(), "401");
    board.ipmitool("chassis power status").out(); // the right password forgives
    assert_eq!(wrong(), "401");
    board.ipmitool("chassis power status").out();
    assert_eq!([wrong(), wrong()], ["401", "401"]);
    for suite in ["-C 17", "-C 3"] {
        let ran = board.ipmitool(&format!("{suite} chassis power status"));
        assert!(!ran.ok, "{ran:?}");
    }
    let other = board.ipmitool_as("reader", "look", "-L USER chassis power status");
    assert_eq!(other.out(), "Chassis Power is off");
}

#[test]
fn privileges_hold() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    let reader = |arguments: &str| board.ipmitool_as("reader", "look", arguments);
    assert_eq!(
        reader("-L USER chassis power status").out(),
        "Chassis Power is off"
    );
    let ran = reader("-L USER chassis power on");
    assert!(ran.stderr.contains("Insufficient privilege"), "{ran:?}");
    assert!(!reader("-L ADMINISTRATOR chassis power on").ok);
    // An administrator who asks for less gets less, and no more later.
    for (raw, code) in [
        ("0x00 0x02 0x01", "0xd4"),
        ("0x06 0x3b 0x03", "0x81"),
        ("0x06 0x3b 0x04", "0x81"),
        ("0x06 0x3b 0x01", "0xcc"),
    ] {
        let ran = board.ipmitool(&format!("-L USER raw {raw}"));
        assert!(
            ran.stderr.contains(&format!("rsp={code}")),
            "{raw}: {ran:?}"
        );
    }
    let long = "twenty-bytes-is-max!";
    board
        .ipmitool_as("long", long, "-L OPERATOR chassis power on")
        .out();
    assert_eq!(board.machine.acts(), ["power on"]);
}

#[test]
fn unknown_commands_are_answered() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    for raw in [
        "0x06 0x7f",
        "0x3a 0x01",
        "0x2c 0x00 0x00",
        "0x2e 0x01 0 0 0",
        "0x04 0x2d 1",
    ] {
        let started = Instant::now();
        let ran = board.ipmitool(&format!("raw {raw}"));
        assert!(ran.stderr.contains("rsp=0xc1"), "{ran:?}");
        assert!(started.elapsed() < Duration::from_secs(2), "{raw}");
    }
}

#[test]
fn junk_does_no_harm() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let mut noise = 12345u32;
    for length in 0..200usize {
        let mut datagram: Vec<u8> = std::iter::repeat_with(|| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            noise.to_le_bytes()[3]
        })
        .take(length)
        .collect();
        let head = [6, 0, 0xff, 7, 6, 0x10 + noise.to_le_bytes()[2] % 6];
        if length % 2 == 0 {
            let replaced = head.len().min(length);
            datagram[..replaced].copy_from_slice(&head[..replaced]);
        }
        socket
            .send_to(&datagram, ("127.0.0.1", board.port))
            .expect("sent");
    }
    assert_eq!(
        board.ipmitool("chassis power status").out(),
        "Chassis Power is off"
    );
}

#[test]
fn many_sessions() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| board.ipmitool("chassis power status").out()))
            .collect();
        for client in clients {
            assert_eq!(client.join().expect("no panic"), "Chassis Power is off");
        }
    });
    for _ in 0..100 {
        assert_eq!(
            board.ipmitool("-C 17 chassis power status").out(),
            "Chassis Power is off"
        );
    }
}

#[test]
fn a_lying_bmc_says_what_was_asked_and_does_nothing() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    board.ipmitool("chassis power on").out();
    board.bmc.set_fault(Fault::LiesAboutPower, true);
    board.ipmitool("chassis power off").out();
    assert_eq!(
        board.ipmitool("chassis power status").out(),
        "Chassis Power is off"
    );
    assert_eq!(board.machine.acts(), ["power on"]);
    board.bmc.set_fault(Fault::LiesAboutPower, false);
    board.runtime.block_on(async {
        let mut watch = board.bmc.watch();
        watch
            .wait_for(placemat_bmc::chassis::Chassis::is_on)
            .await
            .expect("alive");
    });
    assert_eq!(
        board.ipmitool("chassis power status").out(),
        "Chassis Power is on"
    );
}

#[test]
fn an_unreachable_bmc_is_silent_until_it_is_mended() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    board.bmc.set_fault(Fault::Unreachable, true);
    assert!(!board.ipmitool("-N 1 -R 1 chassis power status").ok);
    board.bmc.set_fault(Fault::Unreachable, false);
    assert_eq!(
        board.ipmitool("chassis power status").out(),
        "Chassis Power is off"
    );
}

#[test]
fn mains_power_lost_and_back() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    board.ipmitool("chassis power on").out();
    board
        .runtime
        .block_on(board.bmc.mains_lost())
        .expect("unplugged");
    assert!(!board.ipmitool("-N 1 -R 1 chassis power status").ok);
    board
        .runtime
        .block_on(board.bmc.mains_back())
        .expect("plugged in");
    assert_eq!(
        board.ipmitool("chassis power status").out(),
        "Chassis Power is on"
    );
    let cause = board.ipmitool("chassis restart_cause").out();
    assert!(
        cause.contains("power-up due to restore-previous power policy"),
        "{cause}"
    );
    assert_eq!(board.machine.acts(), ["power on", "power off", "power on"]);
}
