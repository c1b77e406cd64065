//! YAML to [`DataCenter`]: every key, its default, and what it may be. All problems at once.

use super::{BmcAccount, Boot, DataCenter, Family, Image};
use super::{asn, core, layout, pools, power, servers, timers};
use placemat_spec::document::{self, At, Document, Fields, Item};
use placemat_spec::problem::Findings;
use placemat_spec::{Problem, Problems, Source};
use std::path::{Component, Path, PathBuf};

/// The only kind of document in a rack spec.
const KIND: &str = "DataCenter";

const FAMILIES: [(&str, Family); 3] = [
    ("ipv4", Family::Ipv4),
    ("dual", Family::Dual),
    ("ipv6", Family::Ipv6),
];

const BOOTS: [(&str, Boot); 2] = [("built-in", Boot::BuiltIn), ("sabakan", Boot::Sabakan)];

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
    let findings = Findings::new().explicit();
    let dc = look(source, &findings);
    let warnings = findings.finish(sources)?;
    // Nothing read without an error cannot be; if it is, there is nothing to go on with either.
    dc.ok_or(warnings)
}

/// Reads what can be read of a rack spec, and reports the rest.
pub fn look(source: &Source, findings: &Findings) -> Option<DataCenter> {
    let documents = document::load(std::slice::from_ref(source), findings);
    let document = only(&documents, findings)?;
    data_center(document.fields(findings)?, &source.dir)
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
    let family = fields.opt("family").and_then(|it| it.choice(&FAMILIES));
    let image = image(&mut fields, dir);
    let types = servers::types(&mut fields, &image.name);
    let layout = layout::layout(&mut fields, types.as_ref(), kind);
    let family = family.map_or(Family::Ipv4, |it| it.value);
    let core = core::core(&mut fields);
    let exposed = core::exposed(&mut fields, core.is_some(), family);
    let boot = fields.opt("boot").and_then(|it| it.choice(&BOOTS));
    let dc = DataCenter {
        name,
        spines: spines.map_or(1, |it| it.value),
        super_spines: layout.super_spines,
        pods: layout.pods,
        family,
        image,
        types: types.unwrap_or_default(),
        racks: layout.racks,
        racks_place: layout.place,
        asn: asn::asn(&mut fields, layout.place),
        pools: pools::pools(&mut fields),
        bfd: timers::bfd(&mut fields),
        bgp: timers::bgp(&mut fields),
        bmc: bmc(&mut fields),
        core,
        exposed,
        power: power::power(&mut fields),
        boot: boot.map_or(Boot::BuiltIn, |it| it.value),
        templates: folder(&mut fields, "templates", dir),
    };
    fields.finish();
    Some(dc)
}

fn image(fields: &mut Fields, dir: &Path) -> Image {
    let mut image = Image {
        name: "node-os".into(),
        bundle: At::new(PathBuf::new(), fields.place()),
    };
    if let Some(mut fields) = fields.req("image").and_then(|it| it.fields()) {
        if let Some(name) = fields.opt("name").and_then(|it| word(&it)) {
            image.name = name;
        }
        if let Some(bundle) = fields.req("bundle").and_then(|it| it.string()) {
            image.bundle = bundle.map(|bundle| normal(&dir.join(bundle)));
        }
        fields.finish();
    }
    image
}

/// A path, resolved against the folder of the rack spec.
fn folder(fields: &mut Fields, key: &'static str, dir: &Path) -> Option<At<PathBuf>> {
    let path = fields.opt(key)?.string()?;
    Some(path.map(|path| normal(&dir.join(path))))
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
                let message =
                    format!("must be 1 to {longest} printable ASCII characters without spaces");
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
    if name == "null" {
        // Templates write words without quotes.
        item.findings()
            .error(item.problem("bad-name", "cannot be `null`", "nothing, in YAML"));
        return None;
    }
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
