//! The event log by the real `ipmitool`, and the same log by Redfish.

mod support;

use serde_json::Value;
use std::sync::atomic::Ordering;
use support::{Board, have};

/// Lines of `sel list` without number, date and time.
fn listed(board: &Board) -> Vec<String> {
    let lines = board.ipmitool("sel list").out();
    lines
        .lines()
        .map(|line| {
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            columns[3..].join(" | ")
        })
        .collect()
}

#[test]
fn the_event_log_tells_what_happened() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    board.ipmitool("chassis bootdev pxe options=efiboot").out();
    board.ipmitool("chassis power on").out();
    board.ipmitool("chassis power reset").out();
    board.ipmitool("chassis bootdev disk options=efiboot").out();
    board.ipmitool("chassis power cycle").out();
    board.ipmitool("chassis power soft").out();
    board.ipmitool("chassis power on").out();
    board.runtime.block_on(async {
        board.bmc.mains_lost().await.expect("unplugged");
        board.bmc.mains_back().await.expect("plugged in");
    });
    board.machine.broken.store(true, Ordering::SeqCst);
    assert!(!board.ipmitool("chassis power off").ok);
    insta::assert_snapshot!(listed(&board).join("\n"));

    let entries = "/redfish/v1/Systems/1/LogServices/Sel/Entries";
    let (status, body) = board.curl(&[], entries);
    assert_eq!(status, "200");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let messages: Vec<String> = body["Members"]
        .as_array()
        .expect("members")
        .iter()
        .map(|entry| {
            let text = |property: &str| entry[property].as_str().expect("text").to_owned();
            format!(
                "{} {} {}: {}",
                text("Id"),
                text("EntryCode"),
                text("Severity"),
                text("Message")
            )
        })
        .collect();
    assert_eq!(messages.len(), listed(&board).len(), "one log");
    let first = &body["Members"][0];
    let (_, alone) = board.curl(&[], first["@odata.id"].as_str().expect("a link"));
    assert_eq!(*first, serde_json::from_str::<Value>(&alone).expect("JSON"));
    insta::assert_snapshot!("the_same_log_by_redfish", messages.join("\n"));
}

#[test]
fn the_event_log_is_written_read_and_cleared() {
    if !have("ipmitool") {
        return;
    }
    let board = Board::start();
    let info = |field: &str| {
        let info = board.ipmitool("sel info").out();
        let line = info.lines().find(|line| line.starts_with(field));
        line.and_then(|line| Some(line.split_once(": ")?.1.trim().to_owned()))
            .expect("the field")
    };
    assert_eq!(
        (info("Entries"), info("Free Space")),
        ("0".into(), "8192 bytes".into())
    );
    // Set SEL Time: noon of 15 June 2030, UTC. (`sel time set` takes one argument with a space.)
    board.ipmitool("raw 0x0a 0x49 0xc0 0x08 0xb6 0x71").out();
    let time = board.ipmitool("sel time get").out();
    assert!(time.starts_with("06/1"), "{time}");
    board.ipmitool("event 1").out(); // over the Platform Event command
    // Add SEL Entry: a record of a fan, whose number and time are the log's to choose.
    let added = board
        .ipmitool("raw 0x0a 0x44 9 9 2 0 0 0 0 0x20 0 4 4 9 1 0 0xff 0xff")
        .out();
    assert_eq!(added, "02 00");
    board
        .ipmitool("raw 0x0a 0x44 9 9 0xe0 1 2 3 4 5 6 7 8 9 10 11 12 13")
        .out();
    let list = board.ipmitool("sel list").out();
    assert_eq!(list.lines().count(), 3, "{list}");
    assert!(
        list.contains("Temperature") && list.contains("Fan #0x09"),
        "{list}"
    );
    assert_eq!(info("Entries"), "3");
    assert!(info("Last Add Time").starts_with("06/1"), "{list}");
    for raw in [
        "0x0a 0x46 0 0 1 0",                 // Delete SEL Entry
        "0x0a 0x47 0 0 0x43 0x4c 0x52 0xaa", // Clear SEL
        "0x0a 0x43 0 0 0 0 1 4",             // part of an entry
    ] {
        let ran = board.ipmitool(&format!("raw {raw}"));
        assert!(
            ran.stderr.contains("rsp=0xc5"),
            "without a reservation: {ran:?}"
        );
    }
    board.ipmitool("sel delete 2").out();
    let list = board.ipmitool("sel list").out();
    assert!(!list.contains("Fan"), "{list}");
    let ran = board.ipmitool_as("reader", "look", "-L USER sel clear");
    assert!(!ran.ok, "{ran:?}");
    assert_eq!(info("Entries"), "2");
    let sel = "/redfish/v1/Systems/1/LogServices/Sel";
    assert!(
        board
            .curl(&[], sel)
            .1
            .contains("\"DateTime\":\"2030-06-15T12:0")
    );
    board.ipmitool("sel clear").out();
    assert_eq!(info("Entries"), "0");
    board.ipmitool("event 3").out();
    assert_eq!(listed(&board).len(), 1);
    let clear = format!("{sel}/Actions/LogService.ClearLog");
    assert_eq!(board.curl(&["-X", "POST", "-d", "{}"], &clear).0, "204");
    assert_eq!(info("Entries"), "0");
}
