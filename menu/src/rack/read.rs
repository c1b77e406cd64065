//! YAML to [`DataCenter`]: every key, its default, and what it may be. All problems at once.

use super::{AsnBase, Bfd, Bgp, BmcAccount, DataCenter, Image, Pool, Pools, servers};
use ipnet::Ipv4Net;
use placemat_spec::document::{self, Document, Fields, Item};
use placemat_spec::problem::Findings;
use placemat_spec::{Problem, Problems, Source};
use std::ops::RangeInclusive;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// The only kind of document in a rack spec.
const KIND: &str = "DataCenter";

/// Whether a source is a rack spec rather than a cluster: its first document is a `DataCenter`.
pub fn is_rack_spec(source: &Source) -> bool {
    // Most sources are settled by the word alone; cluster files can be long.
    source.text.contains(KIND)
        && document::load(std::slice::from_ref(source), &Findings::new())
            .first()
            .and_then(|document| document.root.as_map()?.get("kind")?.tree.text())
            == Some(KIND)
}

/// Reads a rack spec.
pub fn read(source: &Source) -> Result<DataCenter, Problems> {
    let sources = std::slice::from_ref(source);
    let findings = Findings::new();
    let documents = document::load(sources, &findings);
    let dc = only(&documents, &findings).and_then(|document| {
        let fields = document.fields(&findings)?;
        data_center(fields, &source.dir)
    });
    let warnings = findings.finish(sources)?;
    // Nothing read without an error cannot be; if it is, there is nothing to go on with either.
    dc.ok_or(warnings)
}

fn only<'a>(documents: &'a [Document], findings: &Findings) -> Option<&'a Document> {
    let (first, others) = documents.split_first().or_else(|| {
        if findings.error_count() == 0 {
            findings.error(
                Problem::new("empty", "the rack spec is empty")
                    .help("it starts with `kind: DataCenter`"),
            );
        }
        None
    })?;
    if let Some(other) = others.first() {
        findings.error(
            Problem::new("more-documents", "a rack spec is one document")
                .at(other.root.place, "another one begins here")
                .at(first.root.place, "the rack spec")
                .help("resources of other kinds belong into a cluster file"),
        );
    }
    Some(first)
}

fn data_center(mut fields: Fields, dir: &Path) -> Option<DataCenter> {
    fields.kind(&[KIND])?;
    let kind = fields.place();
    let named = fields.name().is_some();
    let name = fields.opt("name").filter(|_| named);
    let name = name.and_then(|it| word(&it)).unwrap_or_default();
    let spines = fields.req("spines");
    let spines = spines.and_then(|it| it.integer(1..=64u32));
    let tors = fields.opt("tors").and_then(|it| it.integer(1..=2u32));
    let image = image(&mut fields, dir);
    let types = servers::types(&mut fields, &image.name);
    let (racks, racks_place) = servers::racks(&mut fields, types.as_ref());
    let asn_base = fields
        .opt("asn-base")
        .and_then(|it| it.integer(1..=u32::MAX));
    let dc = DataCenter {
        name,
        spines: spines.map_or(1, |it| it.value),
        tors: tors.map_or(2, |it| it.value),
        image,
        types: types.unwrap_or_default(),
        racks,
        racks_place: racks_place.unwrap_or(kind),
        asn_base: AsnBase {
            number: asn_base.map_or(64600, |it| it.value),
            place: asn_base.map_or(kind, |it| it.place),
        },
        pools: pools(&mut fields),
        bfd: bfd(&mut fields),
        bgp: bgp(&mut fields),
        bmc: bmc(&mut fields),
    };
    fields.finish();
    Some(dc)
}

fn image(fields: &mut Fields, dir: &Path) -> Image {
    let mut image = Image {
        name: "node-os".into(),
        bundle: PathBuf::new(),
    };
    if let Some(mut fields) = fields.req("image").and_then(|it| it.fields()) {
        if let Some(name) = fields.opt("name").and_then(|it| word(&it)) {
            image.name = name;
        }
        if let Some(bundle) = fields.req("bundle").and_then(|it| it.string()) {
            image.bundle = normal(&dir.join(bundle.value));
        }
        fields.finish();
    }
    image
}

fn pools(fields: &mut Fields) -> Pools {
    let mut given = fields.opt("pools").and_then(|it| it.fields());
    let mut pool = |key: &'static str| {
        let prefix = given.as_mut().and_then(|pools| pools.opt(key));
        let prefix = prefix.and_then(|it| it.parse("bad-prefix", PREFIX, prefix_from));
        Pool {
            prefix: prefix.map_or(Pools::default_prefix(key), |it| it.value),
            place: prefix.map(|it| it.place),
        }
    };
    let pools = Pools {
        node: pool("node"),
        fabric: pool("fabric"),
        loopback: pool("loopback"),
        bmc: pool("bmc"),
    };
    if let Some(given) = given {
        given.finish();
    }
    pools
}

const PREFIX: &str = "an IPv4 prefix such as `10.69.0.0/20`";

fn prefix_from(text: &str) -> Result<Ipv4Net, String> {
    let prefix: Ipv4Net = text.parse().map_err(|_| "not an IPv4 prefix".to_owned())?;
    if prefix.trunc() == prefix {
        Ok(prefix)
    } else {
        Err(format!("host bits are set: {} is meant?", prefix.trunc()))
    }
}

fn bfd(fields: &mut Fields) -> Bfd {
    let mut bfd = Bfd {
        interval: Duration::from_millis(400),
        multiplier: 5,
    };
    if let Some(mut fields) = fields.opt("bfd").and_then(|it| it.fields()) {
        let unit = Duration::from_millis(1);
        if let Some(interval) = fields
            .opt("interval")
            .and_then(|it| time(&it, unit, 10..=60_000))
        {
            bfd.interval = interval;
        }
        if let Some(multiplier) = fields
            .opt("multiplier")
            .and_then(|it| it.integer(1..=255u32))
        {
            bfd.multiplier = multiplier.value;
        }
        fields.finish();
    }
    bfd
}

fn bgp(fields: &mut Fields) -> Bgp {
    let second = Duration::from_secs(1);
    let mut bgp = Bgp {
        hold: 30 * second,
        connect: second,
        error_wait: second,
    };
    if let Some(mut fields) = fields.opt("bgp").and_then(|it| it.fields()) {
        let mut set = |key, timer: &mut Duration, range| {
            let given = fields.opt(key).and_then(|it| time(&it, second, range));
            *timer = given.unwrap_or(*timer);
        };
        set("hold", &mut bgp.hold, 3..=65_535);
        set("connect", &mut bgp.connect, 1..=3_600);
        set("error-wait", &mut bgp.error_wait, 1..=3_600);
        fields.finish();
    }
    bgp
}

/// A duration that is a whole number of `unit` within `range`.
fn time(item: &Item, unit: Duration, range: RangeInclusive<u32>) -> Option<Duration> {
    let (low, high) = (unit * *range.start(), unit * *range.end());
    let given = item.duration()?;
    let whole = given.as_nanos().is_multiple_of(unit.as_nanos());
    if whole && (low..=high).contains(&given.value) {
        return Some(given.value);
    }
    let message = format!("must be a multiple of {unit:?} from {low:?} to {high:?}");
    let label = if whole { "out of range" } else { "too fine" };
    item.findings()
        .error(item.problem("bad-timer", &message, label));
    None
}

fn bmc(fields: &mut Fields) -> BmcAccount {
    let mut account = BmcAccount {
        user: "admin".into(),
        password: "placemat".into(),
    };
    if let Some(mut fields) = fields.opt("bmc").and_then(|it| it.fields()) {
        // IPMI 2.0, table 22-30 and 22-28: 16 bytes of user name, 20 of password.
        for (key, longest, value) in [
            ("user", 16, &mut account.user),
            ("password", 20, &mut account.password),
        ] {
            let Some(item) = fields.opt(key) else {
                continue;
            };
            let Some(given) = item.string() else { continue };
            let graphic = given.bytes().all(|byte| byte.is_ascii_graphic());
            if graphic && (1..=longest).contains(&given.len()) {
                *value = given.value;
            } else {
                let message = format!("must be 1 to {longest} printable ASCII characters");
                item.findings().error(item.problem(
                    "bad-account",
                    &message,
                    "not possible in IPMI",
                ));
            }
        }
        fields.finish();
    }
    account
}

/// A name that is safe in YAML, file names and shells.
pub(super) fn word(item: &Item) -> Option<String> {
    let name = item.string()?.value;
    let safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let first = name.starts_with(|c: char| c.is_ascii_lowercase());
    if first && name.len() <= 63 && name.chars().all(safe) {
        return Some(name);
    }
    let message =
        "must be a lower-case letter, then lower-case letters, digits and `-`, 63 in all at most";
    item.findings()
        .error(item.problem("bad-name", message, "not a name"));
    None
}

/// Without `.` and, as far as the names before them are known, without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match (component, normal.components().next_back()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                normal.pop();
            }
            _ => normal.push(component),
        }
    }
    normal
}
