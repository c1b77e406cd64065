//! The log by itself, and what a chassis writes into it.

use super::*;
use crate::boot::{BootOverride, BootSource};
use crate::chassis::{Cause, Chassis, Command, Fact, Power, PowerCommand};
use proptest::prelude::*;
use std::time::Duration;

fn body(kind: u8) -> [u8; RECORD - 2] {
    let mut body = [7; RECORD - 2];
    body[0] = kind;
    body
}

#[test]
fn records_are_read_one_after_the_other() {
    let mut sel = Sel::default();
    assert_eq!(sel.get(FIRST), None);
    assert_eq!(sel.get(LAST), None);
    for (id, now) in (1..=3).zip(100..) {
        assert_eq!(sel.add(now, body(SYSTEM_EVENT)), Ok(id));
    }
    let walk = |sel: &Sel| {
        let mut ids = Vec::new();
        let mut next = FIRST;
        while let Some((record, after)) = sel.get(next).filter(|_| next != LAST) {
            ids.push((record.id, record.time()));
            next = after;
        }
        ids
    };
    assert_eq!(walk(&sel), [(1, Some(100)), (2, Some(101)), (3, Some(102))]);
    assert_eq!(sel.get(LAST).map(|(record, _)| record.id), Some(3));
    assert_eq!(sel.delete(110, 2), Some(2));
    assert_eq!(sel.delete(110, 2), None);
    assert_eq!(walk(&sel), [(1, Some(100)), (3, Some(102))]);
    assert_eq!((sel.last_addition(), sel.last_erasure()), (102, 110));
}

#[test]
fn a_full_log_loses_what_comes_and_says_so() {
    let mut sel = Sel::default();
    for _ in 0..CAPACITY {
        sel.add(1, body(SYSTEM_EVENT)).expect("room");
    }
    assert!(!sel.has_overflowed());
    assert_eq!(sel.add(2, body(SYSTEM_EVENT)), Err(Full));
    assert!(sel.has_overflowed());
    sel.clear(3);
    assert!(!sel.has_overflowed());
    assert!(sel.add(4, body(SYSTEM_EVENT)).is_ok());
}

#[test]
fn numbers_go_round_without_the_two_that_mean_something_else() {
    let mut sel = Sel {
        next: 0xfffe,
        ..Sel::default()
    };
    let mut add = || sel.add(1, body(SYSTEM_EVENT));
    assert_eq!([add(), add()], [Ok(0xfffe), Ok(1)]);
    sel.next = LAST;
    assert_eq!(sel.add(1, body(SYSTEM_EVENT)), Ok(2), "1 is taken");
}

#[test]
fn its_clock_can_be_set() {
    let mut sel = Sel::default();
    sel.set_time(1_000_000, 500);
    assert_eq!(sel.time(1_000_007), 507);
    sel.add(1_000_010, body(SYSTEM_EVENT)).expect("room");
    sel.add(1_000_010, body(0xe0)).expect("room");
    let times: Vec<_> = sel.records().iter().map(Record::time).collect();
    assert_eq!(times, [Some(510), None]);
    assert_eq!(sel.records()[1].body, body(0xe0), "kept as it came");
    sel.set_time(0, u32::MAX);
    assert_eq!(sel.time(i64::from(u32::MAX)), u32::MAX);
    sel.set_time(1_000, 0);
    assert_eq!(sel.time(0), 0);
}

#[test]
fn a_reservation_ends_with_the_next_and_with_a_removal() {
    let mut sel = Sel::default();
    assert!(!sel.is_reserved(0));
    let one = sel.reserve();
    assert!(sel.is_reserved(one));
    let two = sel.reserve();
    assert!(!sel.is_reserved(one) && sel.is_reserved(two));
    sel.add(1, body(SYSTEM_EVENT)).expect("room");
    assert!(sel.is_reserved(two), "what comes takes nothing away");
    sel.clear(2);
    assert!(!sel.is_reserved(two) && !sel.is_reserved(0));
}

/// Each kind of thing that a chassis goes through.
#[test]
fn what_a_chassis_logs() {
    let once = |source| Some(BootOverride::once(source));
    let power = |command| Command::Power(command, Cause::Ipmi);
    let facts = [
        Command::SetBoot(once(BootSource::Pxe)),
        power(PowerCommand::On),
        Command::Fact(Fact::Started(once(BootSource::Pxe))),
        power(PowerCommand::Cycle),
        Command::Fact(Fact::Stopped),
        Command::Fact(Fact::Started(once(BootSource::Hdd))),
        power(PowerCommand::Reset),
        Command::Fact(Fact::WasReset(None)),
        Command::SetBoot(Some(BootOverride::continuous(BootSource::BiosSetup))),
        Command::Fact(Fact::GuestReset),
        Command::Fact(Fact::GuestOff),
        Command::Fact(Fact::GuestOff),
        power(PowerCommand::On),
        Command::Fact(Fact::Failed),
        Command::Fact(Fact::Observed(Power::On)),
        Command::Fact(Fact::MainsLost),
        Command::Fact(Fact::Started(None)),
        Command::Fact(Fact::MainsBack),
        Command::Fact(Fact::MainsBack),
    ];
    let mut chassis = Chassis::default();
    let mut report = String::new();
    for command in facts {
        let (next, _) = chassis
            .step(Duration::from_secs(1), &command)
            .expect("accepted");
        report.extend([format!("{command:?}\n")]);
        for event in Event::of(&chassis, &command, &next) {
            let trouble = if event.is_trouble() { " (trouble)" } else { "" };
            report.extend([format!(
                "  {}{trouble} {:02x?}\n",
                event.words(),
                event.data
            )]);
        }
        chassis = next;
    }
    insta::assert_snapshot!(report);
}

proptest! {
    #[test]
    fn events_there_and_back(bytes: [u8; 9]) {
        prop_assert_eq!(Event::decode(bytes).encode(), bytes);
        prop_assert!(!Event::decode(bytes).words().is_empty());
    }
}
