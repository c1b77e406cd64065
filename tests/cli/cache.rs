//! `placemat image`: the cache, through the real program and a server on loopback.

use crate::shown;
use placemat_tests::http::serve;
use placemat_tests::{Place, Said};

fn say(place: &Place, address: &str, arguments: &[&str]) -> String {
    let cache = place.dir().join("cache").display().to_string();
    let arguments = [&["image"], arguments, &["--cache-dir", &cache]].concat();
    let said = place.say(&arguments);
    let clean = |text: &str| text.replace(address, "SERVER");
    let said = Said {
        out: clean(&said.out),
        err: clean(&said.err),
        ..said
    };
    // Dates, and names made of the server's port.
    let text = shown(place, &said);
    let words = text.split_inclusive([' ', '\n', '"']).map(|word| {
        let core = word.trim_end_matches([' ', '\n', '"']);
        let date = core.len() >= 10 && core.starts_with("20") && core.as_bytes()[4] == b'-';
        if date {
            word.replace(core, "DATE")
        } else if let Some((folder, _)) = core.split_once("/images/")
            && folder.starts_with("PLACE")
        {
            word.replace(core, "PLACE/cache/images/FILE")
        } else {
            word.to_owned()
        }
    });
    words.collect()
}

#[test]
fn from_empty_to_full_to_empty() {
    let place = Place::new();
    let address = serve(b"disk".to_vec());
    let file = place.write(
        "dc.yml",
        &format!(
            "kind: Image\nname: one\nurl: http://{address}/one.img\n---\n\
             kind: DataFolder\nname: tools\nfiles: [{{name: a, url: \"http://{address}/a.txt\"}}]\n"
        ),
    );
    let file = file.display().to_string();
    insta::assert_snapshot!("empty", say(&place, &address, &["ls"]));
    insta::assert_snapshot!("pull", say(&place, &address, &["pull", &file]));
    insta::assert_snapshot!(
        "pull_again",
        say(&place, &address, &["pull", "--json", &file])
    );
    insta::assert_snapshot!("ls", say(&place, &address, &["ls"]));
    insta::assert_snapshot!("ls_json", say(&place, &address, &["ls", "--json"]));
    let young = say(&place, &address, &["prune", "--unused-for", "1d", "--json"]);
    insta::assert_snapshot!("prune_nothing", young);
    let all = say(&place, &address, &["prune"]);
    assert!(all.contains("removed 2 files"), "{all}");
    insta::assert_snapshot!("empty", say(&place, &address, &["ls"]));
    place.assert_nothing_left();
}

#[test]
fn a_file_that_was_not_meant() {
    let place = Place::new();
    let address = serve(b"another disk".to_vec());
    let digest = "0".repeat(64);
    let file = place.write(
        "dc.yml",
        &format!("kind: Image\nname: one\nurl: http://{address}/one.img\nsha256: \"{digest}\"\n"),
    );
    let file = file.display().to_string();
    insta::assert_snapshot!(say(&place, &address, &["pull", &file]));
    place.assert_nothing_left();
}

#[test]
fn a_packed_image_that_nobody_calls_packed() {
    let place = Place::new();
    std::fs::write(place.dir().join("disk.img"), b"\x1f\x8b\x08rest").expect("write");
    let file = place.write("dc.yml", "kind: Image\nname: one\nfile: disk.img\n");
    let file = file.display().to_string();
    insta::assert_snapshot!(say(&place, "none", &["pull", &file]));
    place.assert_nothing_left();
}
