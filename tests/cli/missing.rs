//! A host that lacks something: said before anything starts, with the remedy.

use crate::{says, shown};
use placemat_tests::{Need, Place, fixture, lab, needs, repository, run};

/// Runs `placemat` after `setup`, a shell script, in a mount namespace of its own.
fn in_private_mounts(place: &Place, setup: &str, arguments: &[&str]) -> placemat_tests::Said {
    let command = place.command(arguments);
    let mut shell = run::command("unshare");
    shell
        .args(["--mount", "--propagation", "private", "sh", "-c"])
        .arg(format!("{setup}\nexec \"$@\""))
        .arg("sh")
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    run::run(shell, lab::PATIENCE)
}

/// Shell that hides a program, wherever it is: what is on its place cannot be executed.
fn hide(program: &str) -> String {
    format!(
        "for dir in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do\n\
         if [ -e $dir/{program} ]; then mount --bind /dev/null $dir/{program}; fi; done"
    )
}

#[test]
fn bird() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let file = fixture::ring(&place);
    let said = in_private_mounts(&place, &hide("bird"), &["up", &file.to_string_lossy()]);
    insta::assert_snapshot!(shown(&place, &said));
    place.assert_nothing_left();
}

#[test]
fn a_way_out() {
    if !needs(&[Need::Root]) {
        return;
    }
    let place = Place::new();
    let text =
        "kind: Network\nname: internet\ntype: external\nuse-nat: true\naddress: 10.3.0.1/24\n";
    let file = place.write("cluster.yml", text);
    let setup = [hide("pasta"), hide("slirp4netns")].join("\n");
    let said = in_private_mounts(&place, &setup, &["up", &file.to_string_lossy()]);
    assert_eq!(said.code, Some(4), "{}", said.text());
    insta::assert_snapshot!(shown(&place, &said));
    place.assert_nothing_left();
}

/// Links of virtual machines take a wire, whatever else the kernel has.
#[test]
fn what_a_wire_needs() {
    if !needs(&[Need::Root, Need::Qemu]) {
        return;
    }
    let place = Place::new();
    let text = "kind: Network\nname: slow\ntype: internal\nimpair: {delay: 10ms}\n---\n\
                kind: Node\nname: vm\ncpu: 1\ninterfaces:\n  - {network: slow, impair: {rate: 1mbit}}\n";
    let file = place.write("cluster.yml", text);
    let setup = "mount --bind /dev/null /dev/net/tun";
    let said = in_private_mounts(&place, setup, &["up", &file.to_string_lossy()]);
    assert_eq!(said.code, Some(4), "{}", said.text());
    insta::assert_snapshot!(shown(&place, &said));
    place.assert_nothing_left();
}

#[test]
fn qemu() {
    if !needs(&[Need::Root, Need::Image, Need::Qemu]) {
        return;
    }
    let place = Place::new();
    let file = repository().join("menu/examples/small.yml");
    let setup = hide("qemu-system-x86_64");
    let said = in_private_mounts(&place, &setup, &["up", &file.to_string_lossy()]);
    insta::assert_snapshot!(shown(&place, &said));
    place.assert_nothing_left();
}

#[test]
fn swtpm_and_a_cpu_model() {
    if !needs(&[Need::Root, Need::Qemu]) {
        return;
    }
    let place = Place::new();
    let node = "kind: Node\nname: n1\ncpu: 1\ntpm: true\ncpu-model: EPIC\n";
    let file = place.write("dc.yml", node);
    let said = in_private_mounts(&place, &hide("swtpm"), &["up", &file.to_string_lossy()]);
    insta::assert_snapshot!(shown(&place, &said));
    place.assert_nothing_left();
}

/// KVM is taken away, so that it is the same everywhere.
#[test]
fn a_cpu_model_of_kvm() {
    if !needs(&[Need::Root, Need::Qemu]) {
        return;
    }
    let place = Place::new();
    let node = |name: &str, rest: &str| format!("kind: Node\nname: {name}\n{rest}\n---\n");
    let text = node("n1", "cpu-model: host")
        + &node("n2", "accel: kvm")
        + &node("n3", "cpu-model: \"max,+wings\"");
    let file = place.write("dc.yml", &text);
    let setup = "if [ -e /dev/kvm ]; then mount --bind /dev/null /dev/kvm && mount -o remount,bind,nodev /dev/kvm; fi";
    let said = in_private_mounts(&place, setup, &["up", &file.to_string_lossy()]);
    assert_eq!(said.code, Some(4), "{said:?}");
    for words in [
        "error[cpu-model-of-kvm]",
        "error[no-kvm]",
        "error[bad-cpu-model]",
        "max-x86_64-cpu.wings",
    ] {
        assert!(said.err.contains(words), "{words} is not in {}", said.err);
    }
    place.assert_nothing_left();
}

#[test]
fn tun() {
    if !needs(&[Need::Root, Need::Image, Need::Qemu]) {
        return;
    }
    let place = Place::new();
    let file = repository().join("menu/examples/small.yml");
    let setup = "mount --bind /dev/net /dev/net\nmount -o remount,bind,nodev /dev/net";
    let said = in_private_mounts(&place, setup, &["up", &file.to_string_lossy()]);
    insta::assert_snapshot!(shown(&place, &said));
    place.assert_nothing_left();
}

#[test]
fn room_for_the_run_directory() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let file = fixture::ring(&place);
    let setup = "mkdir -p $PLACEMAT_RUN_DIR\nmount -t tmpfs -o size=4k placemat $PLACEMAT_RUN_DIR\n\
                 head -c 8k /dev/zero > $PLACEMAT_RUN_DIR/full 2>/dev/null";
    let said = in_private_mounts(&place, setup, &["up", &file.to_string_lossy()]);
    full(&place, &said);
}

#[test]
fn room_for_the_data_directory() {
    if !needs(&[Need::Root, Need::Image, Need::Bird, Need::Dnsmasq]) {
        return;
    }
    let place = Place::new();
    let file = repository().join("menu/examples/routers.yml");
    let setup =
        "mkdir -p $PLACEMAT_DATA_DIR\nmount -t tmpfs -o size=16k placemat $PLACEMAT_DATA_DIR";
    let said = in_private_mounts(&place, setup, &["up", &file.to_string_lossy()]);
    full(&place, &said);
}

/// Which file did not fit is a matter of chance.
fn full(place: &Place, said: &placemat_tests::Said) {
    assert!(matches!(said.code, Some(4 | 5)), "{said:?}");
    assert!(said.err.starts_with("error: "), "{said:?}");
    assert!(said.err.contains("No space left on device"), "{said:?}");
    place.assert_nothing_left();
}

#[test]
fn a_run_directory_that_cannot_be() {
    let place = Place::new();
    let file = fixture::ring(&place);
    place.write("run", "a file");
    says!(place, &["up", &file.to_string_lossy()]);
}
