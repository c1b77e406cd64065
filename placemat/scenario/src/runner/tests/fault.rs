//! Faults that do not go, or do not heal, as they should.

use super::*;

const BOTH_SPINES: &str = "
kind: Scenario
name: fault
steps:
  - fault: {kind: carrier-down, of: router/role=spine, for: 1s}
";

#[tokio::test(start_paused = true)]
async fn a_fault_of_several_targets_is_healed_when_each_is_back() {
    let lab = FakeLab::new();
    lab.set(|knobs| knobs.stuck = vec![target("router/spine-2")]);
    insta::assert_snapshot!("one_stays", told(lab, BOTH_SPINES).await);
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_failed_half_way_is_healed_and_seen_to_be() {
    let lab = FakeLab::new();
    lab.set(|knobs| knobs.half_applies = true);
    insta::assert_snapshot!("half_applied", told(lab, BOTH_SPINES).await);
    let lab = FakeLab::new();
    lab.set(|knobs| {
        knobs.half_applies = true;
        knobs.stuck = vec![target("router/spine-1")];
    });
    insta::assert_snapshot!("half_applied_and_stuck", told(lab, BOTH_SPINES).await);
}

#[tokio::test(start_paused = true)]
async fn a_heal_that_fails_is_told_beside_the_failure_inside_and_after_an_interrupt() {
    let text = "
kind: Scenario
name: fails
steps:
  - fault:
      kind: carrier-down
      of: router/spine-1
      during:
        - exec: {at: router/spine-2, argv: ['false']}
";
    let stuck = || {
        let lab = FakeLab::new();
        lab.set(|knobs| knobs.stuck = vec![target("router/spine-1")]);
        lab
    };
    insta::assert_snapshot!("step_and_heal_fail", told(stuck(), text).await);
    let cancel = CancellationToken::new();
    let soon = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        cancel.cancel();
    };
    let hangs = text.replace("'false'", "hang");
    let (told, ()) = tokio::join!(told_until(stuck(), &hangs, cancel.clone()), soon);
    insta::assert_snapshot!("interrupted_and_heal_fails", told);
}
