//! What is explained adds up: the terms that are printed, computed by hand, are the value that stands
//! in the plan, and every address, ASN, MAC and serial of a machine is explained.

use crate::shape::shape;
use crate::terms::{adds_up, lines};
use placemat_menu::addresses::addresses;
use placemat_menu::explain::{explain, names};
use proptest::prelude::*;

/// Names that are explained of one plan: all of them would take long.
const SAMPLE: usize = 14;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_explained_adds_up_to_the_plan(shape in shape(), offset in 0..SAMPLE) {
        let source = shape.source();
        let plan = shape.plan();
        let rows = addresses(&plan);
        let all: Vec<String> = names(&plan).collect();
        let step = all.len().div_ceil(SAMPLE).max(1);
        for target in all.iter().skip(offset % step).step_by(step) {
            let explained = explain(&source, target).unwrap_or_else(|error| panic!("{error}"));
            prop_assert_eq!(&explained.target, target);
            adds_up(&explained)?;
            let (kind, name) = target.split_once('/').unwrap();
            if !["router", "boot-server", "node", "network"].contains(&kind) {
                continue;
            }
            // Prefixes of links are told by their ends.
            let own = rows.iter().filter(|row| row.name == name);
            let own = own.filter(|row| row.role != "pool" && (kind == "network") == (row.role == "network"));
            for row in own.filter(|row| row.what != "prefix" || name.contains("-node")) {
                let parts = row.value.split('-').filter(|_| row.what == "range");
                let parts: Vec<&str> = parts.collect();
                let parts = if parts.is_empty() { vec![row.value.as_str()] } else { parts };
                for part in parts {
                    let told = explained.values.iter().any(|value| value.value == part);
                    let whole = || lines(&explained);
                    prop_assert!(told, "{} {part} is not explained:\n{}", row.what, whole());
                }
            }
        }
    }
}
