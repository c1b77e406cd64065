//! BGP sessions of the ring of routers, as BIRD tells them.

use placemat_tests::{Lab, fixture};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(40);

/// Established sessions of a router.
pub(crate) fn established(lab: &Lab, router: &str) -> usize {
    let target = format!("router/{router}");
    let said = lab.exec(
        &target,
        &["birdc", "-s", "/run/bird/bird.ctl", "show", "protocols"],
    );
    let lines = said.out.lines();
    lines
        .filter(|line| line.contains(" BGP ") && line.contains("Established"))
        .count()
}

/// Waits until both sessions of every router are up.
pub(crate) fn converges(lab: &Lab) {
    for number in 1..=fixture::ROUTERS {
        reaches(lab, &format!("r{number}"), 2);
    }
}

/// Waits until a router has so many sessions.
pub(crate) fn reaches(lab: &Lab, router: &str, sessions: usize) {
    let reached = placemat_tests::poll(PATIENCE, || {
        (established(lab, router) == sessions).then_some(())
    });
    assert!(
        reached.is_some(),
        "{router} has {} sessions, not {sessions}",
        established(lab, router)
    );
}
