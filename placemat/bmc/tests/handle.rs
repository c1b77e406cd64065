//! The handle: acts never mix, survive their callers, and end when the plug is pulled.

mod support;

use placemat_bmc::boot::{BootOverride, BootSource};
use placemat_bmc::chassis::{Cause, Chassis, Power, PowerCommand};
use placemat_bmc::fault::Fault;
use placemat_bmc::hardware::Hardware;
use placemat_bmc::{ActError, Bmc};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use support::Machine;

fn setup() -> (Arc<Machine>, Bmc) {
    let machine = Arc::new(Machine::default());
    let bmc = support::bmc(&machine);
    (machine, bmc)
}

async fn until(bmc: &Bmc, wanted: impl FnMut(&Chassis) -> bool) {
    let mut watch = bmc.watch();
    watch.wait_for(wanted).await.expect("the handle lives");
}

#[tokio::test]
async fn acts_take_turns() {
    let (machine, bmc) = setup();
    let orders = [
        PowerCommand::On,
        PowerCommand::Cycle,
        PowerCommand::Off,
        PowerCommand::On,
    ];
    let acts = orders.map(|order| bmc.power(order, Cause::Ipmi));
    let [one, two, three, four] = acts;
    let answers = tokio::join!(one, two, three, four);
    assert_eq!(answers, (Ok(()), Ok(()), Ok(()), Ok(())));
    assert_eq!(
        machine.acts(),
        ["power on", "power off", "power on", "power off", "power on"]
    );
}

#[tokio::test]
async fn orders_do_not_pile_up() {
    let (machine, bmc) = setup();
    bmc.power(PowerCommand::On, Cause::Lab).await.expect("on");
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let bmc = bmc.clone();
        answers.spawn(async move { bmc.power(PowerCommand::Reset, Cause::Ipmi).await });
    }
    let answers = answers.join_all().await;
    let busy = answers
        .iter()
        .filter(|answer| **answer == Err(ActError::Busy));
    let (busy, resets) = (busy.count(), machine.acts().len() - 1);
    assert!(busy > 0 && resets > 0, "{busy} {resets}");
    assert_eq!(busy + resets, 200);
    bmc.power(PowerCommand::Reset, Cause::Ipmi)
        .await
        .expect("room again");
}

#[tokio::test]
async fn an_act_outlives_its_caller() {
    let (machine, bmc) = setup();
    bmc.power(PowerCommand::On, Cause::Ipmi).await.expect("on");
    {
        let cycle = bmc.power(PowerCommand::Cycle, Cause::Ipmi);
        tokio::select! {
            _ = cycle => panic!("the pause is longer than that"),
            () = until(&bmc, |chassis| !chassis.is_on()) => {}
        }
    }
    until(&bmc, Chassis::is_on).await;
    assert_eq!(machine.acts(), ["power on", "power off", "power on"]);
}

#[tokio::test]
async fn a_pulled_plug_interrupts_a_cycle() {
    let (machine, bmc) = setup();
    bmc.power(PowerCommand::On, Cause::Ipmi).await.expect("on");
    let pull = async {
        until(&bmc, |chassis| !chassis.is_on()).await;
        bmc.mains_lost().await
    };
    let answers = tokio::join!(bmc.power(PowerCommand::Cycle, Cause::Ipmi), pull);
    assert_eq!(answers, (Err(ActError::Interrupted), Ok(())));
    assert!(!machine.is_on().await);
    assert!(!bmc.is_reachable());
    assert!(bmc.power(PowerCommand::On, Cause::Lab).await.is_err());
}

#[tokio::test]
async fn the_lab_is_not_lied_to() {
    let (machine, bmc) = setup();
    bmc.set_fault(Fault::LiesAboutPower, true);
    bmc.power(PowerCommand::On, Cause::Lab).await.expect("on");
    bmc.power(PowerCommand::Cycle, Cause::Redfish)
        .await
        .expect("so it says");
    bmc.power(PowerCommand::Restart, Cause::Redfish)
        .await
        .expect("so it says");
    assert!(bmc.chassis().is_on());
    bmc.power(PowerCommand::Shutdown, Cause::Operator)
        .await
        .expect("so it says");
    assert_eq!(bmc.chassis().power, Power::Off);
    assert!(machine.is_on().await);
    assert_eq!(machine.acts(), ["power on"]);
}

#[tokio::test]
async fn a_restart_waits_for_the_guest() {
    let (machine, bmc) = setup();
    machine.slow.store(true, Ordering::SeqCst);
    bmc.power(PowerCommand::On, Cause::Ipmi).await.expect("on");
    bmc.power(PowerCommand::Restart, Cause::Redfish)
        .await
        .expect("told");
    assert_eq!(machine.acts(), ["power on", "shutdown"]);
    machine.guest_goes_off();
    bmc.note_guest_off();
    until(&bmc, |chassis| chassis.power_ons == 2).await;
    assert!(bmc.chassis().is_on());
    assert_eq!(machine.acts(), ["power on"]);
}

#[tokio::test]
async fn a_machine_that_shuts_down_at_once_is_seen_to_be_off() {
    let (machine, bmc) = setup();
    bmc.power(PowerCommand::On, Cause::Ipmi).await.expect("on");
    bmc.power(PowerCommand::Shutdown, Cause::Ipmi)
        .await
        .expect("told");
    assert!(!bmc.chassis().is_on());
    bmc.power(PowerCommand::On, Cause::Ipmi).await.expect("on");
    bmc.power(PowerCommand::Restart, Cause::Ipmi)
        .await
        .expect("told");
    assert!(bmc.chassis().is_on());
    assert_eq!(
        machine.acts(),
        ["power on", "shutdown", "power on", "shutdown", "power on"]
    );
}

#[tokio::test]
async fn old_news_of_a_guest_that_went_off_is_no_news() {
    let (machine, bmc) = setup();
    bmc.power(PowerCommand::On, Cause::Lab).await.expect("on");
    bmc.note_guest_off();
    bmc.close().await; // waits for the note
    assert!(bmc.chassis().is_on());
    assert_eq!(machine.acts(), ["power on"]);
}

#[tokio::test]
async fn a_reboot_by_the_guest_uses_up_the_override() {
    let (machine, bmc) = setup();
    bmc.power(PowerCommand::On, Cause::Lab).await.expect("on");
    bmc.set_boot(Some(BootOverride::once(BootSource::Hdd)))
        .await
        .expect("set");
    bmc.note_guest_reset();
    until(&bmc, |chassis| chassis.boot.is_none()).await;
    bmc.close().await;
    assert_eq!(
        machine.acts(),
        ["power on", "arm from Hdd Once efi=true", "arm"]
    );
    assert_eq!(bmc.chassis().restart_cause, Cause::GuestReset);
}

#[tokio::test]
async fn errors_name_the_act() {
    let (machine, bmc) = setup();
    let mut errors = Vec::new();
    let mut note = |error: ActError| {
        let source = std::error::Error::source(&error).map_or(String::new(), |e| format!(": {e}"));
        errors.push(format!("{error}{source}"));
    };
    note(
        bmc.power(PowerCommand::Reset, Cause::Ipmi)
            .await
            .expect_err("off"),
    );
    machine.broken.store(true, Ordering::SeqCst);
    note(
        bmc.power(PowerCommand::On, Cause::Ipmi)
            .await
            .expect_err("broken"),
    );
    assert!(bmc.chassis().power_fault);
    machine.broken.store(false, Ordering::SeqCst);
    bmc.power(PowerCommand::On, Cause::Ipmi)
        .await
        .expect("mended");
    assert!(!bmc.chassis().power_fault);
    note(
        bmc.power(PowerCommand::Nmi, Cause::Ipmi)
            .await
            .expect_err("none"),
    );
    bmc.mains_lost().await.expect("unplugged");
    note(
        bmc.power(PowerCommand::On, Cause::Ipmi)
            .await
            .expect_err("unplugged"),
    );
    note(ActError::Interrupted);
    note(ActError::Busy);
    insta::assert_snapshot!(errors.join("\n"));
}

/// Design section 11: a thousand BMCs in one process.
#[tokio::test]
async fn a_thousand_bmcs() {
    let mut bmcs = Vec::new();
    for _ in 0..1000 {
        let (_, bmc) = setup();
        bmc.power(PowerCommand::On, Cause::Lab).await.expect("on");
        bmcs.push(bmc);
    }
    assert!(bmcs.iter().all(|bmc| bmc.chassis().is_on()));
}
