//! Convergence: how long after a fault the routes of everything else kept changing.

use placemat_spec::selector::Target;

/// A fault as a measurement sees it, on the run's clock in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FaultSpan {
    /// What it broke.
    pub(crate) of: Vec<Target>,
    /// When it began to be applied.
    pub(crate) applied_ms: f64,
    /// When it began to be undone; absent while it lasts.
    pub(crate) healing_ms: Option<f64>,
}

/// When the routes of a target changed, on the run's clock in milliseconds.
pub(crate) type RouteChange = (Target, f64);

/// The slowest convergence of several faults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Convergence {
    /// When its fault began.
    pub(crate) start_ms: f64,
    /// From there to the last change of a route before the fault was undone.
    pub(crate) length_ms: f64,
}

/// Held against each fault: changes elsewhere, for what is broken itself has nothing to converge.
pub(crate) fn slowest(faults: &[FaultSpan], changes: &[RouteChange]) -> Option<Convergence> {
    let of_one = |fault: &FaultSpan| {
        let end = fault.healing_ms.unwrap_or(f64::INFINITY);
        let last = changes
            .iter()
            .filter(|(at, when)| (fault.applied_ms..end).contains(when) && !fault.of.contains(at))
            .map(|(_, when)| *when)
            .reduce(f64::max)?;
        Some(Convergence {
            start_ms: fault.applied_ms,
            length_ms: last - fault.applied_ms,
        })
    };
    faults
        .iter()
        .filter_map(of_one)
        .max_by(|a, b| a.length_ms.total_cmp(&b.length_ms))
}

/// How long the shortest of the faults lasted, `ended_ms` for what still lasts.
pub(crate) fn shortest(faults: &[FaultSpan], ended_ms: f64) -> Option<f64> {
    faults
        .iter()
        .map(|fault| fault.healing_ms.unwrap_or(ended_ms) - fault.applied_ms)
        .reduce(f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use placemat_spec::selector::TargetKind;

    fn router(name: &str) -> Target {
        Target {
            kind: TargetKind::Router,
            name: name.to_owned(),
        }
    }

    fn fault(applied_ms: f64, healing_ms: Option<f64>) -> FaultSpan {
        FaultSpan {
            of: vec![router("spine-1")],
            applied_ms,
            healing_ms,
        }
    }

    #[test]
    fn from_the_fault_to_the_last_change_elsewhere_before_it_is_undone() {
        let changes = [
            (router("tor-1"), 90.0),
            (router("tor-1"), 120.0),
            (router("tor-2"), 450.0),
            (router("spine-1"), 900.0),
            (router("tor-1"), 2100.0),
        ];
        let slowest_of = |faults: &[FaultSpan]| slowest(faults, &changes);
        let first = fault(100.0, Some(2000.0));
        let expected = Convergence {
            start_ms: 100.0,
            length_ms: 350.0,
        };
        assert_eq!(slowest_of(std::slice::from_ref(&first)), Some(expected));
        let later = fault(2050.0, None);
        assert_eq!(slowest_of(&[later.clone(), first]), Some(expected));
        assert_eq!(slowest_of(&[fault(500.0, Some(2000.0))]), None);
        assert_eq!(slowest_of(&[]), None);
        assert_eq!(
            shortest(&[later, fault(0.0, Some(900.0))], 2500.0),
            Some(450.0)
        );
    }
}
