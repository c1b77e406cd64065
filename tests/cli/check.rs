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

#[test]
fn a_good_rack_spec() {
    if !placemat_tests::needs(&[placemat_tests::Need::Image]) {
        return;
    }
    let place = Place::new();
    let file = repository().join("menu/examples/small.yml");
    says!(place, &["check", &file.to_string_lossy()]);
}
