//! Convergence, budgets on a starved host, and watches that see too little.

use super::*;

#[tokio::test(start_paused = true)]
async fn convergence_is_from_the_fault_to_the_last_change_of_a_route() {
    let text = "
kind: Scenario
name: converges
steps:
  - measure:
      flows: {from: node/rack=1+tier=netns, to: node/rack=2, count: 2, every: 10ms}
      during:
        - fault: {kind: carrier-down, of: router/spine-1, for: 3s}
      expect: {max-convergence: 500ms}
";
    let message = async |reroutes: Option<u64>, starved: f64, text: &str| {
        let lab = FakeLab::new();
        lab.set(|knobs| {
            knobs.reroutes = reroutes.map(Duration::from_millis);
            knobs.starved = starved;
        });
        let ended = run(suite(text), Arc::new(lab), options(1.0)).await;
        let message = ended.scenarios[0].message.clone().unwrap_or_default();
        format!("{:?}\n{message}", ended.verdict)
    };
    insta::assert_snapshot!("converges", message(Some(400), 0.02, text).await);
    insta::assert_snapshot!("converges_late", message(Some(900), 0.02, text).await);
    insta::assert_snapshot!("converges_starved", message(Some(900), 0.9, text).await);
    insta::assert_snapshot!("nothing_changes", message(None, 0.02, text).await);
    let short = text.replace("for: 3s", "for: 450ms");
    insta::assert_snapshot!("fault_too_short", message(Some(400), 0.02, &short).await);
    let calm = text.replace(
        "fault: {kind: carrier-down, of: router/spine-1, for: 3s}",
        "sleep: {for: 1s, reason: nothing happens}",
    );
    insta::assert_snapshot!("no_fault", message(Some(400), 0.02, &calm).await);
}

#[tokio::test(start_paused = true)]
async fn a_budget_exceeded_on_a_starved_host_is_inconclusive() {
    let text = "
kind: Scenario
name: starved
steady-state: {that: {use: lib.steady}, timeout: 30s}
steps:
  - measure:
      flows: {from: node/rack=1+tier=netns, to: node/rack=2, count: 2, every: 10ms, through: router/spine-1}
      during:
        - fault: {kind: carrier-down, of: router/spine-1, for: 2s}
      expect: {max-gap: 1s}
---
kind: Scenario
name: watched
steady-state: {that: {use: lib.steady}, timeout: 30s}
steps:
  - always:
      that: {bgp: {of: router/spine-2}}
      max-gap: 2s
      during:
        - fault: {kind: carrier-down, of: router/spine-2, for: 30s}
";
    let lab = FakeLab::new();
    lab.set(|knobs| {
        knobs.loss = Duration::from_millis(1500);
        knobs.starved = 0.8;
    });
    insta::assert_snapshot!(told(lab, text).await);
}

#[tokio::test(start_paused = true)]
async fn answers_slower_than_the_budget_are_inconclusive() {
    let text = "
kind: Scenario
name: blind
steps:
  - always:
      that: {exec: {at: router/spine-1, argv: [slow]}}
      max-gap: 3s
      during:
        - sleep: {for: 12s, reason: two answers come}
";
    let ended = run(suite(text), Arc::new(FakeLab::new()), options(1.0)).await;
    let message = ended.scenarios[0].message.clone().unwrap_or_default();
    insta::assert_snapshot!("blind", format!("{:?}\n{message}", ended.verdict));
}
