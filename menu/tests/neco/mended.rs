//! Faults of placemat-menu that are none here: what crashed it, and what it lost without a word.

use crate::folder::{Folder, IPAM, MENU, documents, expand, expand_with, file};
use serde_json::{Value, json};

/// The volumes of a node, by name, in order.
fn volumes(text: &str, node: &str) -> Vec<Value> {
    let documents = documents(text);
    let node = documents.iter().find(|document| document["name"] == node);
    node.unwrap()["volumes"].as_array().unwrap().clone()
}

fn names(volumes: &[Value]) -> Vec<&str> {
    volumes
        .iter()
        .map(|volume| volume["name"].as_str().unwrap())
        .collect()
}

#[test]
fn without_ntp_there_is_no_time_server() {
    let menu = MENU.replace("  ntp: 172.16.4.64/29\n", "").replace(
        "--- \n{kind: Image, name: flatcar, file: flatcar.img}\n",
        "",
    );
    let expansion = expand(&menu);
    assert!(
        file(&expansion, "chrony.ign").is_none() && file(&expansion, "chrony-ign.yml").is_none()
    );
    let cluster = &expansion.files[0].contents;
    assert!(!cluster.contains("ntp") && !cluster.contains("chrony"));
    let script = file(&expansion, "setup-iptables").unwrap();
    assert_eq!(script.matches("MASQUERADE").count(), 1);
}

#[test]
fn without_proxy_there_is_no_address_for_it() {
    let expansion = expand(&MENU.replace("  proxy: 10.0.49.3\n", ""));
    assert!(!expansion.files[0].contents.contains("core-node0"));
}

#[test]
fn an_image_of_a_worker_is_its_root_disk() {
    let menu = MENU.replace(
        "  data: [extra-image]\n  uefi: true",
        "  image: root-image\n  uefi: true",
    );
    let volumes = volumes(&expand(&menu).files[0].contents, "rack0-cs1");
    assert_eq!(names(&volumes), ["root", "data1", "data2"]);
    assert_eq!(
        volumes[0],
        json!({"kind": "image", "name": "root", "image": "root-image", "copy-on-write": "true", "cache": "writeback"})
    );
}

#[test]
fn data_and_disks_of_a_boot_server_are_there() {
    let menu = MENU.replace(
        "image: root-image, cloud-init-template: seed.template",
        "image: root-image, disk-count: 1, data: [extra-image], cloud-init-template: seed.template",
    );
    let volumes = volumes(&expand(&menu).files[0].contents, "boot-0");
    assert_eq!(
        names(&volumes),
        ["root", "seed", "sabakan", "data1", "extra0"]
    );
    assert_eq!(volumes[3]["size"], "50G");
}

#[test]
fn a_seed_of_a_worker_is_attached() {
    let menu = MENU.replace(
        "  uefi: true\n",
        "  uefi: true\n  cloud-init-template: seed.template\n",
    );
    let expansion = expand(&menu);
    let volumes = volumes(&expansion.files[0].contents, "rack1-cs2");
    assert_eq!(names(&volumes), ["data1", "data2", "extra0", "seed"]);
    assert_eq!(
        volumes[3],
        json!({"kind": "localds", "name": "seed", "user-data": "seed_rack1-cs2.yml", "network-config": "network.yml"})
    );
    assert!(
        file(&expansion, "seed_rack1-cs2.yml")
            .unwrap()
            .contains("hostname: rack1-cs2\n")
    );
}

#[test]
fn a_boot_server_without_an_image_has_an_empty_disk_and_its_seed() {
    let menu = MENU.replace("image: root-image, cloud", "cloud");
    let volumes = volumes(&expand(&menu).files[0].contents, "boot-0");
    assert_eq!(names(&volumes), ["root", "seed", "sabakan"]);
    assert_eq!(
        volumes[0],
        json!({"kind": "raw", "name": "root", "size": "30G"})
    );
}

#[test]
fn a_type_that_nobody_uses_may_be_missing() {
    let (before, rest) = MENU.split_once("---\nkind: Node\ntype: ss").unwrap();
    assert!(rest.contains("disks"));
    let menu = before.replace("ss: 2", "ss: 0");
    assert_eq!(
        documents(&expand(&menu).files[0].contents).len(),
        20 + 3 + 2 + 7 + 9
    );
}

#[test]
fn pods_that_meet_something_else_are_a_warning() {
    let expansion = expand(&MENU.replace("pod: 10.64.0.0/14", "pod: 10.68.0.0/14"));
    insta::assert_snapshot!(expansion.warnings);
}

#[test]
fn twenty_one_racks_fit_and_a_larger_pool_holds_more() {
    let racks = |count: usize| {
        MENU.replace(
            "rack: [{cs: 2, ss: 0}, {cs: 2, ss: 2}]",
            &format!("rack: [{}]", vec!["{cs: 1}"; count].join(", ")),
        )
    };
    expand(&racks(21));
    let larger = Folder::usual().with("ipam.json", &IPAM.replace("10.69.0.0/20", "10.69.0.0/16"));
    let expansion =
        expand_with(&racks(31), &larger).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(expansion.files[0].contents.contains("10.69.22.193/26"));
}

#[test]
fn the_time_server_can_have_keys_and_another_image() {
    let menu = MENU.replace("  pod:", "  chrony: {image: \"registry.example/chrony:1\", ssh-authorized-keys: [ssh-ed25519 AAAA me]}\n  pod:");
    let expansion = expand(&menu);
    let config = documents(file(&expansion, "chrony-ign.yml").unwrap()).remove(0);
    assert_eq!(
        config["passwd"]["users"][0]["ssh_authorized_keys"],
        json!(["ssh-ed25519 AAAA me"])
    );
    let ignition: Value = serde_json::from_str(file(&expansion, "chrony.ign").unwrap()).unwrap();
    assert_eq!(
        ignition["passwd"]["users"][0]["sshAuthorizedKeys"],
        json!(["ssh-ed25519 AAAA me"])
    );
    assert!(
        config["systemd"]["units"][1]["contents"]
            .as_str()
            .unwrap()
            .contains("registry.example/chrony:1")
    );
}
