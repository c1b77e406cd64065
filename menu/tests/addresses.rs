//! The plan of addresses: what it prints, and that a rack at the end only adds to it.

#![allow(clippy::unwrap_used)] // a failing step of a test is a failed test

use placemat_menu::addresses::{Row, addresses};
use placemat_menu::{Source, plan};
use std::collections::HashSet;

fn rows(text: &str) -> Vec<Row> {
    addresses(
        &plan(&Source::inline("dc.yml", text)).unwrap_or_else(|problems| panic!("{problems}")),
    )
}

fn table(rows: &[Row]) -> String {
    let line = |row: &Row| row.cells().join(",") + "\n";
    Row::COLUMNS.join(",") + "\n" + &rows.iter().map(line).collect::<String>()
}

#[test]
fn small() {
    insta::assert_snapshot!(table(&rows(include_str!("../examples/small.yml"))));
}

#[test]
fn medium() {
    insta::assert_snapshot!(table(&rows(include_str!("inputs/medium.yml"))));
}

#[test]
fn no_cell_needs_quotes_in_csv() {
    let rows = rows(include_str!("inputs/medium.yml"));
    let mut cells = rows.iter().flat_map(Row::cells);
    assert!(cells.all(|cell| !cell.contains([',', '"', '\n'])));
}

/// Racks, pods and servers at the end: what was planned before is planned still.
#[test]
fn what_is_added_at_the_end_moves_nothing() {
    let medium = include_str!("inputs/medium.yml");
    let pods = "{count: 2, racks: [{servers: [light, vm, single]}]}";
    for more in [
        "{count: 3, racks: [{servers: [light, vm, single]}]}",
        "{racks: [{servers: [light, vm, single]}]}\n  - {racks: [{servers: [light, vm, single, light]}]}",
        "{racks: [{servers: [light, vm, single]}]}\n  - {racks: [{servers: [light, vm, single]}, {count: 4, servers: [vm]}]}",
    ] {
        let after = medium.replace(pods, more);
        assert_ne!(after, medium);
        let after: HashSet<[String; 8]> = rows(&after).iter().map(Row::cells).collect();
        for row in rows(medium) {
            assert!(after.contains(&row.cells()), "{:?} moved", row.cells());
        }
    }
}
