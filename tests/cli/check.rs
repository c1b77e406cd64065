//! Mistakes in cluster files and rack specs: all of them are told, with their place, and nothing
//! starts.

use crate::says;
use placemat_tests::{Place, repository};

/// A mistake in an otherwise good cluster, told by `up`, which must not begin.
fn cluster(text: &str) -> (Place, String) {
    let place = Place::new();
    place.write("r.conf", "");
    let file = place.write("cluster.yml", text);
    let file = file.to_string_lossy().into_owned();
    (place, file)
}

const NETWORK: &str = "kind: Network\nname: lan\ntype: internal\n---\n";
const BMC: &str = "kind: Network\nname: bmc\ntype: bmc\naddress: 10.72.16.1/20\n---\n";

macro_rules! mistake {
    ($name:ident, $text:expr) => {
        #[test]
        fn $name() {
            let (place, file) = cluster(&$text);
            says!(place, &["up", &file]);
        }
    };
}

mistake!(
    unknown_key,
    format!("{NETWORK}kind: Router\nname: r1\ninterfces:\n  - {{network: lan}}\n")
);
mistake!(
    duplicate_name,
    format!("{NETWORK}kind: Router\nname: r1\n---\nkind: Router\nname: r1\n")
);
mistake!(
    dangling_reference,
    format!(
        "{NETWORK}kind: Router\nname: r1\ninterfaces:\n  - {{network: lam, addresses: [10.0.0.1/24]}}\n"
    )
);
mistake!(
    bad_cidr,
    format!(
        "{NETWORK}kind: Router\nname: r1\ninterfaces:\n  - {{network: lan, addresses: [10.0.0.1/33]}}\n"
    )
);
mistake!(
    address_used_twice,
    format!(
        "{NETWORK}kind: Router\nname: r1\ninterfaces:\n  - {{network: lan, addresses: [10.0.0.1/24]}}\n---\n\
         kind: Router\nname: r2\ninterfaces:\n  - {{network: lan, addresses: [10.0.0.1/24]}}\n"
    )
);
mistake!(
    bmc_address_used_twice,
    format!(
        "{NETWORK}{BMC}kind: Node\nname: a\ntier: mock\ninterfaces: [lan]\nbmc: {{address: 10.72.17.4}}\n---\n\
         kind: Node\nname: b\ntier: mock\ninterfaces: [lan]\nbmc: {{address: 10.72.17.4}}\n"
    )
);
mistake!(
    boot_server_address_used_twice,
    format!(
        "{NETWORK}kind: BootServer\nname: one\ninterfaces: [{{network: lan, addresses: [10.0.0.1/24]}}]\nloopback: [10.9.0.1/32]\n---\n\
         kind: BootServer\nname: two\ninterfaces: [{{network: lan, addresses: [10.0.0.2/24]}}]\nloopback: [10.9.0.1/32]\n"
    )
);
mistake!(
    missing_image_bundle,
    format!(
        "{NETWORK}kind: Image\nname: os\nbundle: no/such/bundle\n---\n\
         kind: Node\nname: a\ntier: netns\ninterfaces: [lan]\nimage: os\n"
    )
);
mistake!(
    empty_image_bundle,
    format!(
        "{NETWORK}kind: Image\nname: os\nbundle: .\n---\n\
         kind: Node\nname: a\ntier: netns\ninterfaces: [lan]\nimage: os\n---\n\
         kind: Node\nname: b\ntier: kernel\ninterfaces: [lan]\nimage: os\n"
    )
);
mistake!(
    missing_bird_config,
    format!(
        "{NETWORK}kind: Router\nname: r1\ninterfaces: [{{network: lan}}]\nbird: {{config: none.conf}}\n"
    )
);
mistake!(
    everything_at_once,
    "kind: Netwrk\nname: lan\n---\nkind: Router\nname: r1\nbird: 7\ninterfaces:\n  - {network: lan, addresses: [10.0.0.300/24]}\n"
);
mistake!(no_yaml, "kind: [\n");
mistake!(empty, "");
mistake!(
    rack_spec_with_an_unknown_key,
    "kind: DataCenter\nname: dc\nspines: 2\ntors: 2\nrakcs:\n  - servers: [full]\n"
);
mistake!(
    rack_spec_with_an_unknown_type,
    "kind: DataCenter\nname: dc\nspines: 2\ntors: 2\nracks:\n  - servers: [fulll]\ntypes:\n  full: {tier: full}\n"
);
mistake!(
    rack_spec_with_a_bad_duration,
    "kind: DataCenter\nname: dc\nspines: 2\ntors: 2\nracks:\n  - servers: []\nbfd: {interval: 400mz, multiplier: 5}\n"
);

#[test]
fn a_file_that_is_not_there() {
    let place = Place::new();
    says!(place, &["check", "no/such/file.yml"]);
}

mistake!(
    files_below_run,
    format!(
        "{NETWORK}kind: Router\nname: r1\ninterfaces: [{{network: lan}}]\nbird: {{config: /run/no/such/r1.conf}}\n\
         init-scripts: [/var/run/r1.sh]\n"
    )
);

#[test]
fn a_file_that_is_too_large() {
    let place = Place::new();
    let file = place.write("huge.yml", "");
    // Sparse: it takes no room.
    let sparse = std::fs::OpenOptions::new().write(true).open(&file);
    sparse
        .and_then(|it| it.set_len(100 << 20))
        .expect("grow the file");
    says!(place, &["check", &file.to_string_lossy()]);
}

#[test]
fn a_file_that_is_no_text() {
    let place = Place::new();
    let file = place.write("latin1.yml", "");
    std::fs::write(&file, b"kind: Node\n# gr\xfc\xdfe\n").expect("write the file");
    says!(place, &["check", &file.to_string_lossy()]);
}

#[test]
fn json() {
    let (place, file) = cluster(&format!(
        "{NETWORK}kind: Router\nname: r1\ninterfaces: [{{network: lan, addresses: [10.0.0.1/24]}}]\n---\n\
         kind: Network\nname: idle\ntype: internal\n"
    ));
    says!(place, &["check", "--json", &file]);
    let file = place.write(
        "bad.yml",
        "kind: Router\nname: r1\ninterfaces:\n  - {network: lam, mac: 1}\nbrid: {}\n",
    );
    insta::assert_snapshot!(
        "json_of_problems",
        crate::shown(
            &place,
            &place.say(&["check", "--json", &file.to_string_lossy()])
        )
    );
    insta::assert_snapshot!(
        "json_of_no_file",
        crate::shown(&place, &place.say(&["check", "--json", "no/such.yml"]))
    );
}

/// What `--print` writes is the same cluster, wherever it is read.
#[test]
fn print() {
    let (place, file) = cluster(&format!(
        "{NETWORK}{BMC}kind: Router\nname: r1\ninterfaces: [{{network: lan, addresses: [10.0.0.1/24]}}]\nbird: {{config: r.conf}}\n---\n\
         kind: Node\nname: n1\ninterfaces: [lan]\nsmbios: {{product: 'no'}}\nbmc: {{address: 10.72.17.4}}\n"
    ));
    let said = place.say(&["check", "--print", &file]);
    insta::assert_snapshot!(crate::shown(&place, &said));
    let elsewhere = place.write("else/where.yml", &said.out);
    let again = place.say(&["check", "--print", &elsewhere.to_string_lossy()]);
    assert_eq!(again.well().out, said.out);
    let spec = repository().join("menu/examples/routers.yml");
    says!(place, &["check", "--print", &spec.to_string_lossy()]);
    let neco = repository().join("menu/examples/neco/menu.yml");
    let said = place.say(&["check", "--print", &neco.to_string_lossy()]);
    insta::assert_snapshot!("print_of_necos_menu", crate::shown(&place, &said));
}

/// A rack spec without power that two feeds share, and nothing else of its own.
const SPEC: &str = "kind: DataCenter\nname: dc\nspines: 2\nracks: [{servers: [light]}]\n\
                    types: {light: {tier: netns}}\nimage: {bundle: bundle}\n";

/// A place with a rack spec, and with what its image would be.
fn rack_spec(more: &str) -> (Place, String) {
    let place = Place::new();
    for part in [
        "manifest.json",
        "kernel",
        "initramfs",
        "node.efi",
        "rootfs/init",
    ] {
        place.write(&format!("bundle/{part}"), "");
    }
    let file = place.write("dc.yml", &format!("{SPEC}{more}"));
    let file = file.to_string_lossy().into_owned();
    (place, file)
}

/// What the text form has as a note.
#[test]
fn json_of_a_rack_spec() {
    let (place, file) = rack_spec("");
    says!(place, &["check", "--json", &file]);
}

#[test]
fn templates_of_a_rack_spec() {
    let (place, file) = rack_spec("templates: own\n");
    let mut all = crate::shown(&place, &place.say(&["check", &file]));
    place.write("own/README", "none\n");
    all += &crate::shown(&place, &place.say(&["check", &file]));
    place.write("own/node.env.j2", "NAME={{ own.nmae }}\n");
    all += &crate::shown(&place, &place.say(&["check", &file]));
    insta::assert_snapshot!(all);
    let built_in = place.say(&["menu", "--print-template", "node.env"]);
    let built_in = built_in.well().out;
    place.write("own/node.env.j2", &format!("{built_in}OWN=1\n"));
    let flag = place.write("flag/node.env.j2", &format!("{built_in}FLAG=1\n"));
    let out = place.dir().join("out").to_string_lossy().into_owned();
    let written = || {
        let env = place.dir().join("out/boot/rack1-cs1/node.env");
        std::fs::read_to_string(env).expect("a file that was written")
    };
    place.say(&["check", &file]).well();
    place.say(&["menu", &file, "-o", &out]).well();
    assert!(written().ends_with("OWN=1\n"), "{}", written());
    // The flag counts instead.
    let flag = flag
        .parent()
        .expect("a folder")
        .to_string_lossy()
        .into_owned();
    place
        .say(&["menu", &file, "-o", &out, "--templates", &flag])
        .well();
    assert!(written().ends_with("FLAG=1\n"), "{}", written());
    let differs = place.say(&["menu", &file, "-o", &out, "--diff"]).well().out;
    assert!(
        differs.contains("+OWN=1") && differs.contains("-FLAG=1"),
        "{differs}"
    );
    place.assert_nothing_left();
}

#[test]
fn reports_below_run() {
    let place = Place::new();
    for flag in ["--html", "--junit", "--events", "--bundle"] {
        let said = place.say(&["test", "no/such", flag, "/run/placemat-test/out"]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(
            said.err
                .contains(&format!("{flag} /run/placemat-test/out lies below /run"))
        );
    }
    says!(
        place,
        &["test", "no/such", "--html", "/run/placemat-test/out"]
    );
}

#[test]
fn a_data_directory_below_run() {
    let place = Place::new();
    let file = place.write("cluster.yml", NETWORK);
    let mut command = place.command(&["up", &file.to_string_lossy()]);
    command.env("PLACEMAT_DATA_DIR", "/run/no/such/data");
    let said = placemat_tests::run::run(command, placemat_tests::lab::PATIENCE);
    insta::assert_snapshot!(crate::shown(&place, &said));
    place.assert_nothing_left();
}

#[test]
fn a_good_rack_spec() {
    if !placemat_tests::needs(&[placemat_tests::Need::Image]) {
        return;
    }
    let place = Place::new();
    let file = repository().join("menu/examples/small.yml");
    says!(place, &["check", &file.to_string_lossy()]);
}
