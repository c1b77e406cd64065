//! What must hold between resources: one file a matter, each working on the ledger, so that every
//! message points at the very word that is wrong.

mod addresses;
mod bmc;
mod bundles;
mod cycles;
mod dhcp;
mod interfaces;
mod machines;
pub(crate) mod names;
mod power;
mod references;
mod subnets;

use crate::Place;
use crate::draft::Draft;
use crate::problem::{Findings, Problem};
use std::collections::HashMap;
use std::hash::Hash;

/// Runs every check. Two of them write: the network that each BMC is on, and the files that bundles
/// must have.
pub(crate) fn all(draft: &mut Draft, findings: &Findings) {
    names::check(&draft.ledger, findings);
    interfaces::check(&draft.ledger, findings);
    addresses::check(&draft.ledger, findings);
    addresses::carried(draft, findings);
    subnets::check(&draft.ledger, findings);
    dhcp::check(&draft.ledger, findings);
    machines::check(draft, findings);
    bmc::check(draft, findings);
    cycles::check(draft, findings);
    // A name that seems to be missing may stand in a document that could not be read.
    if !draft.ledger.lost {
        references::check(draft, findings);
        power::check(draft, findings);
    }
    bundles::note(draft);
}

/// Finds the second use of whatever may be used once.
struct Once<K>(HashMap<K, (Place, String)>);

impl<K: Hash + Eq> Once<K> {
    fn new() -> Self {
        Self(HashMap::new())
    }

    /// Notes a use; if it is not the first, the place of the first and whose it is.
    fn again(&mut self, key: K, place: Place, owner: &str) -> Option<(Place, String)> {
        match self.0.entry(key) {
            std::collections::hash_map::Entry::Occupied(first) => Some(first.get().clone()),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert((place, owner.to_owned()));
                None
            }
        }
    }
}

/// The problem that `what` is used twice.
fn twice(code: &'static str, message: String, place: Place, first: &(Place, String)) -> Problem {
    Problem::new(code, message)
        .at(place, "used again here")
        .at(first.0, format!("first used by {}", first.1))
}
