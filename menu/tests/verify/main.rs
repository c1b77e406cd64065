//! Rules of a generated data center: each is broken once in the plan or in a rendered file, and found.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

mod medium;
mod small;
mod turned;

use placemat_menu::topology::Plan;
use placemat_menu::verify::{RULES, verify};
use placemat_menu::{File, Source, expand, plan};
use std::path::Path;

fn source(text: &str) -> Source {
    Source {
        dir: "/dc".into(),
        ..Source::inline("dc.yml", text)
    }
}

/// A rack spec, and what is broken in it, by rule.
type Table = (&'static str, &'static [(&'static str, Break)]);

const TABLES: [Table; 3] = [
    (include_str!("../../examples/small.yml"), small::BREAKS),
    (include_str!("../inputs/medium.yml"), medium::BREAKS),
    (include_str!("../inputs/turned.yml"), turned::BREAKS),
];

/// One thing broken in a data center.
enum Break {
    /// In a file: a text, and what stands there instead, once.
    Text(&'static str, &'static str, &'static str),
    /// The same, in several places.
    Texts(&'static [(&'static str, &'static str, &'static str)]),
    /// A file is not there.
    Without(&'static str),
    /// In the plan.
    Plan(fn(&mut Plan)),
}

fn replace(files: &mut [File], path: &str, from: &str, to: &str) {
    let file = files
        .iter_mut()
        .find(|file| file.path == Path::new(path))
        .unwrap();
    assert!(file.contents.contains(from), "{path} has no {from}");
    file.contents = file.contents.replacen(from, to, 1);
}

/// Every break, with what is said of it; nothing where the data center is still good.
fn breaks() -> impl Iterator<Item = (&'static str, String)> {
    TABLES.iter().flat_map(|(text, breaks)| {
        let source = source(text);
        let (plan, files) = (plan(&source).unwrap(), expand(&source).unwrap().files);
        let said = move |(name, broken): &'static (&'static str, Break)| {
            (*name, said(plan.clone(), files.clone(), broken))
        };
        breaks.iter().map(said)
    })
}

fn said(mut plan: Plan, mut files: Vec<File>, broken: &Break) -> String {
    use Break::{Plan as InPlan, Text, Texts, Without};
    match broken {
        Text(path, from, to) => replace(&mut files, path, from, to),
        Texts(all) => {
            for (path, from, to) in *all {
                replace(&mut files, path, from, to);
            }
        }
        Without(path) => files.retain(|file| file.path != Path::new(path)),
        InPlan(change) => change(&mut plan),
    }
    let said = verify(&plan, &files);
    said.map_or_else(
        |problems| problems.to_string(),
        |_| "nothing is wrong".into(),
    )
}

#[test]
fn whatever_is_broken_is_found() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots/verify");
    let _bound = settings.bind_to_scope();
    for (name, said) in breaks() {
        insta::assert_snapshot!(name, said);
    }
}

/// Each rule is broken here, in each of the ways in which it can be.
#[test]
fn no_rule_is_without_a_test() {
    let broken: Vec<(&str, String)> = breaks().collect();
    for rule in RULES {
        let mut names = broken.iter().map(|(name, _)| *name);
        assert!(
            names.any(|name| name.starts_with(rule.name)),
            "{} is never broken",
            rule.name
        );
    }
    let said: String = broken.into_iter().map(|(_, said)| said).collect();
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/verify/rule");
    for file in rules.read_dir().unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for after in text.split("Problem::new(\"").skip(1) {
            let code = after.split('"').next().unwrap();
            assert!(
                said.contains(&format!("error[{code}]")),
                "{code} is never provoked"
            );
        }
    }
}

#[test]
fn examples_keep_every_rule_and_tell_their_single_points_of_failure() {
    let one = "
kind: DataCenter
name: one
spines: 1
tors: 1
types: {light: {tier: netns}, chassis: {tier: mock}}
racks: [{count: 3, servers: [2 x light, chassis]}, {servers: []}]
image: {bundle: node}
";
    let lines = |text: &str| {
        let source = source(text);
        let report = verify(&plan(&source).unwrap(), &expand(&source).unwrap().files);
        report
            .unwrap_or_else(|problems| panic!("{problems}"))
            .single_points
            .join("\n")
    };
    // The servers of both examples are the same in number and place.
    for text in [
        include_str!("../../examples/small.yml"),
        include_str!("../../examples/routers.yml"),
    ] {
        insta::allow_duplicates! { insta::assert_snapshot!(lines(text), @r"
    feed feed-spines: 2 routers without power; what is left falls into 2 parts, the largest with 2 of 4 servers
    feed feed-rack1 or feed-rack2: 2 routers, 1 boot server and 2 servers without power
    boot server rack1-boot or rack2-boot: 2 servers find nobody to boot from
    ") }
    }
    insta::assert_snapshot!(lines(one), @r"
    spine spine-1: what is left falls into 4 parts, the largest with 2 of 6 servers
    any tor of 3 (rack1-tor1 ... rack3-tor1): 1 boot server and 2 servers cut off
    tor rack4-tor1: 1 boot server cut off
    any link of 3 (s1-r1t1 ... s1-r3t1): 1 router, 1 boot server and 2 servers cut off
    any link of 4 (r1b-t1 ... r4b-t1): 1 boot server cut off
    link s1-r4t1: 1 router and 1 boot server cut off
    feed feed-spines: 1 router without power; what is left falls into 4 parts, the largest with 2 of 6 servers
    any feed of 3 (feed-rack1 ... feed-rack3): 1 router, 1 boot server and 3 servers without power
    feed feed-rack4: 1 router and 1 boot server without power
    any boot server of 3 (rack1-boot ... rack3-boot): 2 servers find nobody to boot from
    ");
}

#[test]
fn what_has_a_core_pods_or_ipv6_keeps_every_rule() {
    for text in [
        include_str!("../inputs/medium.yml"),
        include_str!("../inputs/turned.yml"),
    ] {
        let output = expand(&source(text)).unwrap();
        if let Err(problems) = verify(&output.plan, &output.files) {
            panic!("{problems}");
        }
    }
}

#[test]
fn the_book_has_every_rule() {
    let rules = RULES
        .iter()
        .map(|rule| format!("| {} | {} |\n", rule.name, rule.holds));
    let table = format!(
        "| rule | what holds |\n|---|---|\n{}",
        rules.collect::<String>()
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/menu.md");
    let book = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = book.split_once("`menu/src/verify.rs` -->\n").unwrap();
    let (now, after) = rest.split_once("<!-- end -->").unwrap();
    if std::env::var_os("PLACEMAT_UPDATE").is_some() {
        let text = format!("{before}`menu/src/verify.rs` -->\n{table}<!-- end -->{after}");
        std::fs::write(path, text).unwrap();
    } else {
        assert_eq!(now, table, "PLACEMAT_UPDATE=1 writes it");
    }
}
