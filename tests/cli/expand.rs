//! `menu`, and menus where cluster files are wanted: what is read is spared, what is left is told, and
//! what a menu's author wrote is told where it was written.

use crate::says;
use placemat_tests::{Place, repository};
use std::fs;
use std::path::Path;

const SPEC: &str = "kind: DataCenter
name: two
spines: 2
racks: [{count: 2, servers: [2 x light]}]
types: {light: {tier: netns}}
image: {bundle: bundle}
";

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("a text")
}

/// A copy of the example of Neco's menu.
fn neco(place: &Place) -> String {
    let from = repository().join("menu/examples/neco");
    for entry in fs::read_dir(from).expect("the example") {
        let entry = entry.expect("an entry");
        let to = place.dir().join(entry.file_name());
        fs::copy(entry.path(), to).expect("copy a file");
    }
    place.dir().join("menu.yml").display().to_string()
}

#[test]
fn the_rack_spec_itself_is_not_written_over() {
    let place = Place::new();
    let file = place.write("cluster.yml", SPEC).display().to_string();
    let dir = place.dir().display().to_string();
    says!(place, &["menu", &file, "-o", &dir]);
    assert_eq!(text(&file), SPEC);
    assert!(!place.dir().join("bird").exists());
}

#[test]
fn nor_is_a_template_of_a_seed() {
    let place = Place::new();
    let menu = neco(&place);
    let dir = place.dir();
    let (seed, other) = (dir.join("boot-seed.yml.template"), dir.join("network.yml"));
    fs::rename(seed, other).expect("rename the seed");
    let menu_text = text(&menu);
    fs::write(
        &menu,
        menu_text.replace("boot-seed.yml.template", "network.yml"),
    )
    .expect("write a file");
    let seed = text(dir.join("network.yml"));
    says!(place, &["menu", &menu, "-o", &dir.display().to_string()]);
    assert_eq!(text(dir.join("network.yml")), seed);
    assert!(!dir.join("cluster.yml").exists());
}

#[test]
fn what_is_left_of_a_rack_that_is_gone_is_told() {
    let place = Place::new();
    let file = place.write("dc.yml", SPEC).display().to_string();
    let out = place.dir().join("out").display().to_string();
    place.say(&["menu", &file, "-o", &out]).well();
    place.write("dc.yml", &SPEC.replace("count: 2, ", ""));
    says!(place, &["menu", &file, "-o", &out]);
}

/// The folder of the image is told where the rack spec names it.
#[test]
fn a_bundle_that_is_not_there() {
    let place = Place::new();
    let file = place.write("dc.yml", SPEC).display().to_string();
    says!(place, &["check", &file]);
}

#[test]
fn a_bundle_without_its_files() {
    let place = Place::new();
    let file = place.write("dc.yml", SPEC).display().to_string();
    fs::create_dir(place.dir().join("bundle")).expect("make a folder");
    says!(place, &["plan", &file]);
}

/// An image that Neco's menu passes through lies beside the menu, also where nothing is written.
#[test]
fn an_image_beside_a_menu() {
    let place = Place::new();
    let menu = neco(&place);
    let menu_text = text(&menu);
    let (before, rest) = menu_text.split_once("\nurl: ").expect("an image");
    let (_, after) = rest.split_once('\n').expect("more lines");
    fs::write(&menu, format!("{before}\nfile: images/docker.img\n{after}")).expect("write a file");
    says!(place, &["check", &menu]);
    fs::create_dir(place.dir().join("images")).expect("make a folder");
    fs::write(place.dir().join("images/docker.img"), "").expect("write a file");
    place.say(&["check", &menu]).well();
}
