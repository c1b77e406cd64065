//! Mistakes in scenarios: told with their place, before a lab is made.

use crate::says;
use placemat_tests::{Place, fixture};

fn suite(steps: &str) -> (Place, String) {
    let place = Place::new();
    fixture::ring(&place);
    place.write("suite.yml", "kind: Suite\nname: s\ndc: ring.yml\n");
    place.write(
        "1.yml",
        &format!("kind: Scenario\nname: one\nsteps:\n{steps}"),
    );
    // A folder of its own: the cluster is no scenario.
    let dir = place.dir().join("suite");
    std::fs::create_dir(&dir).expect("a folder");
    for name in ["suite.yml", "1.yml"] {
        std::fs::rename(place.dir().join(name), dir.join(name)).expect("move a file");
    }
    place.write("suite/suite.yml", "kind: Suite\nname: s\ndc: ../ring.yml\n");
    (place, dir.to_string_lossy().into_owned())
}

macro_rules! mistake {
    ($name:ident, $steps:expr) => {
        #[test]
        fn $name() {
            let (place, dir) = suite($steps);
            says!(place, &["test", &dir]);
        }
    };
}

mistake!(
    unknown_step,
    "  - eventualy: {that: {bgp: {of: router/r1}}}\n"
);
mistake!(
    unknown_key,
    "  - eventually: {that: {bgp: {of: router/r1}}, timout: 3s}\n"
);
mistake!(
    bad_selector,
    "  - eventually: {that: {bgp: {of: routr/r1}}, timeout: 3s}\n"
);
mistake!(
    selector_of_nothing,
    "  - eventually: {that: {bgp: {of: router/r77}}, timeout: 3s}\n"
);
mistake!(
    bad_duration,
    "  - eventually: {that: {bgp: {of: router/r1}}, timeout: 3 parsecs}\n"
);
mistake!(sleep_of_nothing, "  - sleep: soon\n");

#[test]
fn a_folder_without_scenarios() {
    let place = Place::new();
    std::fs::create_dir(place.dir().join("none")).expect("a folder");
    let dir = place.dir().join("none");
    says!(place, &["test", &dir.to_string_lossy()]);
}

#[test]
fn a_folder_with_files_of_other_kinds_alone() {
    let place = Place::new();
    let dir = place.dir().join("other");
    std::fs::create_dir(&dir).expect("a folder");
    let text = "{kind: Node, name: n, tier: mock}\n";
    std::fs::write(dir.join("cluster.yml"), text).expect("a file");
    says!(place, &["test", &dir.to_string_lossy()]);
}
