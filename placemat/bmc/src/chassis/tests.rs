//! The rules of the chassis, as a table and as sequences.

use super::*;
use crate::boot::BootSource;
use proptest::prelude::*;

const NOW: Duration = Duration::from_secs(10);

fn after(chassis: &Chassis, command: &Command) -> (Chassis, Vec<Effect>) {
    chassis.step(NOW, command).expect("accepted")
}

fn fact(chassis: &Chassis, fact: Fact) -> (Chassis, Vec<Effect>) {
    after(chassis, &Command::Fact(fact))
}

fn running() -> Chassis {
    let (chassis, _) = after(
        &Chassis::default(),
        &Command::Power(PowerCommand::On, Cause::Ipmi),
    );
    fact(&chassis, Fact::Started(None)).0
}

const COMMANDS: [PowerCommand; 8] = [
    PowerCommand::On,
    PowerCommand::Off,
    PowerCommand::Cycle,
    PowerCommand::Reset,
    PowerCommand::Shutdown,
    PowerCommand::Restart,
    PowerCommand::Nmi,
    PowerCommand::Button,
];

#[test]
fn every_command_in_every_state() {
    let mut table = String::new();
    let dark = fact(&running(), Fact::MainsLost).0;
    for (state, chassis) in [
        ("off", Chassis::default()),
        ("on", running()),
        ("no mains", dark),
    ] {
        for command in COMMANDS {
            let answer = chassis.step(NOW, &Command::Power(command, Cause::Ipmi));
            let cell = match answer {
                Ok((_, effects)) => format!("{effects:?}"),
                Err(refusal) => format!("refused: {refusal}"),
            };
            table.extend([format!("{state:9} {:21} {cell}\n", command.to_string())]);
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_boot_uses_up_a_one_time_override_and_no_other() {
    for (boot, left) in [
        (BootOverride::once(BootSource::Pxe), None),
        (
            BootOverride::continuous(BootSource::Pxe),
            Some(BootOverride::continuous(BootSource::Pxe)),
        ),
    ] {
        let (chassis, effects) = after(&Chassis::default(), &Command::SetBoot(Some(boot)));
        assert_eq!(
            effects,
            [],
            "a machine that is off takes it along when it starts"
        );
        let (chassis, effects) = fact(&chassis, Fact::Started(Some(boot)));
        assert_eq!(chassis.boot, left);
        assert_eq!(effects.len(), usize::from(left.is_none()));
    }
}

#[test]
fn an_override_set_during_a_start_is_for_the_next_one() {
    let boot = Some(BootOverride::once(BootSource::Hdd));
    let (chassis, _) = after(&Chassis::default(), &Command::SetBoot(boot));
    let (chassis, effects) = fact(&chassis, Fact::Started(None));
    assert_eq!((chassis.boot, effects), (boot, vec![]));
}

#[test]
fn a_reboot_of_the_guest_obeys_and_uses_up_the_override() {
    let boot = Some(BootOverride::once(BootSource::Hdd));
    let (chassis, effects) = after(&running(), &Command::SetBoot(boot));
    assert_eq!(effects, [Effect::ArmBoot]);
    let (chassis, effects) = fact(&chassis, Fact::GuestReset);
    assert_eq!(effects, [Effect::ArmBoot]);
    assert_eq!(
        (chassis.boot, chassis.restart_cause),
        (None, Cause::GuestReset)
    );
}

#[test]
fn a_restart_powers_on_when_the_guest_is_down() {
    let (chassis, effects) = after(
        &running(),
        &Command::Power(PowerCommand::Restart, Cause::Redfish),
    );
    assert_eq!(effects, [Effect::Shutdown]);
    let (chassis, effects) = fact(&chassis, Fact::GuestOff);
    assert_eq!(effects, [Effect::PowerOn]);
    let (chassis, _) = fact(&chassis, Fact::Started(None));
    assert_eq!(chassis.restart_cause, Cause::Redfish);
    // ... and only once
    assert_eq!(fact(&chassis, Fact::GuestOff).1, []);
}

#[test]
fn a_later_command_calls_off_a_restart() {
    let (chassis, _) = after(
        &running(),
        &Command::Power(PowerCommand::Restart, Cause::Ipmi),
    );
    let (chassis, _) = after(
        &chassis,
        &Command::Power(PowerCommand::Shutdown, Cause::Ipmi),
    );
    let (chassis, effects) = fact(&chassis, Fact::GuestOff);
    assert_eq!((chassis.power, effects), (Power::Off, vec![]));
}

#[test]
fn mains_power_comes_back_by_the_policy() {
    let cases = [
        (PowerPolicy::AlwaysOff, true, None),
        (PowerPolicy::Previous, true, Some(Cause::PolicyPrevious)),
        (PowerPolicy::Previous, false, None),
        (PowerPolicy::AlwaysOn, false, Some(Cause::PolicyAlwaysOn)),
    ];
    for (policy, on, cause) in cases {
        let chassis = if on { running() } else { Chassis::default() };
        let (chassis, _) = after(&chassis, &Command::SetPolicy(policy));
        let (chassis, _) = fact(&chassis, Fact::MainsLost);
        assert_eq!(chassis.power, Power::Off);
        let (late, _) = fact(&chassis, Fact::Started(None));
        assert_eq!(late.power, Power::Off, "nothing starts without mains power");
        let (chassis, effects) = fact(&chassis, Fact::MainsBack);
        assert_eq!(
            effects,
            if cause.is_some() {
                vec![Effect::PowerOn]
            } else {
                vec![]
            }
        );
        if let Some(cause) = cause {
            assert_eq!(fact(&chassis, Fact::Started(None)).0.restart_cause, cause);
        }
    }
}

#[test]
fn counts_time_on_over_runs() {
    let (chassis, _) = Chassis::default()
        .step(Duration::from_secs(5), &Command::Fact(Fact::Started(None)))
        .expect("accepted");
    let (chassis, _) = chassis
        .step(Duration::from_secs(9), &Command::Fact(Fact::Stopped))
        .expect("accepted");
    let (chassis, _) = chassis
        .step(Duration::from_secs(20), &Command::Fact(Fact::Started(None)))
        .expect("accepted");
    assert_eq!(
        chassis.time_on(Duration::from_secs(21)),
        Duration::from_secs(5)
    );
    assert_eq!(chassis.power_ons, 2);
}

fn any_command() -> impl Strategy<Value = Command> {
    let boot = proptest::option::of(prop_oneof![
        Just(BootOverride::once(BootSource::Pxe)),
        Just(BootOverride::continuous(BootSource::Hdd)),
    ]);
    prop_oneof![
        proptest::sample::select(COMMANDS.to_vec())
            .prop_map(|command| Command::Power(command, Cause::Ipmi)),
        boot.clone().prop_map(Command::SetBoot),
        boot.prop_map(|boot| Command::Fact(Fact::Started(boot))),
        proptest::sample::select(vec![
            Fact::Stopped,
            Fact::Failed,
            Fact::GuestOff,
            Fact::GuestReset,
            Fact::MainsLost,
            Fact::MainsBack,
        ])
        .prop_map(Command::Fact),
    ]
}

proptest! {
    #[test]
    fn no_sequence_breaks_the_invariants(commands in proptest::collection::vec(any_command(), 0..60)) {
        let mut chassis = Chassis::default();
        let mut now = Duration::ZERO;
        for command in commands {
            now += Duration::from_secs(1);
            let before = chassis.time_on(now);
            if let Ok((next, effects)) = chassis.step(now, &command) {
                prop_assert!(next.mains || next.power == Power::Off);
                prop_assert!(next.mains || !effects.contains(&Effect::PowerOn));
                prop_assert_eq!(next.time_on(now), before);
                chassis = next;
            }
            prop_assert!(chassis.time_on(now) <= now);
        }
    }
}
