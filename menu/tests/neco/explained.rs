//! What `explain` says of each kind of thing of Neco's menu.

use crate::folder::{Folder, MENU, source};
use crate::terms::lines;
use placemat_menu::neco::explain::explain;
use placemat_spec::explain::Explanation;
use std::path::Path;

fn explained(name: &str) -> Explanation {
    let folder = Folder::usual();
    explain(&source(MENU), &folder, Path::new("/dc/out"), name)
        .unwrap_or_else(|error| panic!("{error}"))
}

macro_rules! thing {
    ($test:ident, $name:expr) => {
        #[test]
        fn $test() {
            insta::assert_snapshot!(lines(&explained($name)));
        }
    };
}

thing!(core, "core");
thing!(spine, "spine2");
thing!(tor, "rack1-tor2");
thing!(client, "router/operation");
thing!(boot_server, "boot-1");
thing!(compute_server, "rack0-cs1");
thing!(storage_server, "rack1-ss2");
thing!(time_server, "chrony");
thing!(bmc_network, "network/bmc");

#[test]
fn a_name_that_there_is_not() {
    let folder = Folder::usual();
    let error = explain(&source(MENU), &folder, Path::new("/dc/out"), "rack1-cs9");
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "there is no `rack1-cs9` here");
}
