//! What `explain` says of each kind of thing: its values, how they were made, and of which keys.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

#[path = "terms/mod.rs"]
mod terms;

use placemat_menu::Source;
use placemat_menu::explain::explain;
use placemat_spec::explain::Explanation;
use terms::lines;

const SMALL: &str = include_str!("../examples/small.yml");
const MEDIUM: &str = include_str!("inputs/medium.yml");
const TURNED: &str = include_str!("inputs/turned.yml");

fn explained(text: &str, name: &str) -> Explanation {
    let source = Source {
        dir: "/dc".into(),
        ..Source::inline("dc.yml", text)
    };
    explain(&source, name).unwrap_or_else(|error| panic!("{error}"))
}

macro_rules! thing {
    ($test:ident, $text:expr, $name:expr) => {
        #[test]
        fn $test() {
            insta::assert_snapshot!(lines(&explained($text, $name)));
        }
    };
}

thing!(spine, SMALL, "spine-1");
thing!(tor, SMALL, "rack2-tor1");
thing!(boot_server, SMALL, "rack1-boot");
thing!(machine, SMALL, "rack1-cs1");
thing!(processes, SMALL, "rack2-cs2");
thing!(bmc, SMALL, "bmc/rack2-cs1");
thing!(image, SMALL, "node-os");
thing!(feed, SMALL, "feed-rack1");
thing!(link, SMALL, "s1-r1t1");
thing!(segment, SMALL, "r1-node1");
thing!(segment_of_both_families, MEDIUM, "r2-node2");
thing!(turned_segment, TURNED, "r1-node1");
thing!(super_spine, MEDIUM, "super-spine-2");
thing!(spine_of_a_pod, MEDIUM, "pod2-spine-1");
thing!(core, MEDIUM, "core");
thing!(behind_the_core, MEDIUM, "router/external");
thing!(way_out, MEDIUM, "internet");
thing!(both_families, MEDIUM, "rack2-ss2");
thing!(bastion, MEDIUM, "rack2-boot");
thing!(pdu, MEDIUM, "pod1-pdu-b");
thing!(turned_tor, TURNED, "rack1-tor1");
thing!(turned_boot_server, TURNED, "rack1-boot");

/// What a key says stands where the explanation says it does.
#[test]
fn keys_are_at_their_place() {
    for (text, name) in [
        (SMALL, "rack1-cs1"),
        (MEDIUM, "core"),
        (TURNED, "rack2-cs2"),
    ] {
        let mut found = 0;
        for value in explained(text, name).values {
            let [origin] = value.from.as_slice() else {
                continue;
            };
            let Some(at) = origin.at.as_ref().filter(|_| value.how == "given") else {
                continue;
            };
            let line = text.lines().nth(at.line as usize - 1).unwrap();
            let rest: String = line.chars().skip(at.column as usize - 1).collect();
            assert!(rest.contains(&value.value), "{}: {rest}", value.what);
            let key = origin.key.rsplit('.').next().unwrap();
            assert!(line.contains(key), "{key}: {line}");
            found += 1;
        }
        assert!(found > 1, "{name}");
    }
}
