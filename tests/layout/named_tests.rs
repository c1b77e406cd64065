//! Tests that documents name must be there.

use placemat_tests::repository;
use std::fs;
use std::path::Path;

/// docs/from-placemat2.md tells of each fault of placemat v2 which test shows that it is none here.
#[test]
fn tests_that_from_placemat2_names() {
    let root = repository();
    let page = fs::read_to_string(root.join("docs/from-placemat2.md")).expect("the page");
    let faults = page.split("## Faults of v2").nth(1).expect("the faults");
    let rows = faults.lines().filter(|line| line.starts_with("| "));
    let rows = rows.filter_map(|row| row.trim_end().trim_end_matches('|').rsplit('|').next());
    let named: Vec<&str> = rows
        .flat_map(|tests| tests.split('`').skip(1).step_by(2))
        .collect();
    assert!(named.len() > 25, "{named:?}");
    let mut code = String::new();
    for folder in ["placemat", "tests", "menu"] {
        read(&root.join(folder), &mut code);
    }
    for name in named {
        assert!(code.contains(&format!("fn {name}(")), "no test {name}");
    }
}

fn read(folder: &Path, code: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" {
            read(&path, code);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            code.push_str(&fs::read_to_string(&path).expect("a file"));
        }
    }
}
