//! YAML to [`Menu`]: a document of each kind, and the files that they name. All problems at once.

mod inventory;
mod ipam;
mod network;
mod passed;
mod server;

use super::input::{Menu, Network, Passed, Rack, ServerType, Types};
use super::seed::{self, Templates};
use super::{Beside, Inputs};
use placemat_spec::document::{self, Document, Fields};
use placemat_spec::problem::Findings;
use placemat_spec::{Place, Problem};

/// Every kind of document.
const KINDS: [&str; 5] = ["Network", "Inventory", "Image", "DeviceClass", "Node"];

/// A type of server: its word, and what it is.
type Typed = (&'static str, ServerType);

/// What was read so far. Each with where it was named.
#[derive(Default)]
struct Draft {
    network: Option<(Option<Network>, Place)>,
    inventory: Option<(Option<super::input::Inventory>, Place)>,
    types: Vec<(Typed, Place)>,
    /// Whether there is a `Node` of which nobody can say what type it is.
    untyped: bool,
}

/// Reads a menu and the templates that it names. `None` where there is nothing to go on with; why is
/// in `findings`.
pub(super) fn read(
    inputs: &mut Inputs,
    beside: &dyn Beside,
    findings: &Findings,
) -> (Option<Menu>, Templates) {
    let documents = document::load(&inputs.sources, findings);
    if documents.is_empty() && findings.error_count() == 0 {
        findings.error(Problem::new("empty", "the menu is empty").help(HELP));
    }
    let mut draft = Draft::default();
    let mut passed = Vec::new();
    let mut unknown = false;
    for document in &documents {
        match one(document, inputs, beside, findings, &mut draft) {
            None => unknown = true,
            Some("Image" | "DeviceClass") => passed.push(document),
            Some(_) => {}
        }
    }
    let (images, device_classes) = passed::read(&passed, &inputs.sources[0], findings);
    let servers = || draft.types.iter().map(|((_, server), _)| server);
    server::references(servers(), &images, &device_classes, findings);
    let templates = seed::templates(servers(), inputs, beside, findings);
    // What seems to be missing may be the document whose kind could not be read.
    if !unknown {
        missing(&draft, documents.first(), findings);
    }
    let menu = whole(draft, images, device_classes, findings);
    (menu, templates)
}

fn whole(
    draft: Draft,
    images: Vec<Passed>,
    device_classes: Vec<Passed>,
    findings: &Findings,
) -> Option<Menu> {
    let network = draft.network.and_then(|(network, _)| network);
    if let Some(network) = &network {
        server::time_server(network, &images, findings);
    }
    let inventory = draft.inventory.and_then(|(inventory, _)| inventory)?;
    // A type that seems to be missing may be that one.
    let types = if draft.untyped {
        None
    } else {
        types(&draft.types, &inventory.racks, inventory.place, findings)
    }?;
    Some(Menu {
        network: network?,
        inventory,
        images,
        device_classes,
        types,
    })
}

const HELP: &str = "it has documents of `kind: Network`, `kind: Inventory` and `kind: Node`; menu/examples/neco/menu.yml is one";

fn one(
    document: &Document,
    inputs: &mut Inputs,
    beside: &dyn Beside,
    findings: &Findings,
    draft: &mut Draft,
) -> Option<&'static str> {
    let mut fields = document.fields(findings)?;
    let kind = fields.kind(&KINDS)?;
    let place = fields.place();
    match kind {
        "Network" => {
            let again = draft.network.as_ref().map(|(_, first)| *first);
            let network = of_spec(fields, |spec| network::read(spec, inputs, beside));
            once(kind, place, again, findings);
            draft.network.get_or_insert((network, place));
        }
        "Inventory" => {
            let again = draft.inventory.as_ref().map(|(_, first)| *first);
            let inventory = of_spec(fields, inventory::read);
            once(kind, place, again, findings);
            draft.inventory.get_or_insert((inventory, place));
        }
        "Node" => {
            let word = fields.req_or("type", "types are `boot`, `cs` and `ss`");
            let word = word.and_then(|it| it.choice(&server::TYPES));
            let server = of_spec(fields, |spec| Some(server::read(spec)));
            if let (Some(word), Some(server)) = (word, server) {
                let same = draft.types.iter().find(|((it, _), _)| *it == word.value);
                let what = format!("Node of type `{}`", word.value);
                once(&what, word.place, same.map(|(_, first)| *first), findings);
                draft.types.push(((word.value, server), word.place));
            } else {
                draft.untyped = true;
            }
        }
        // Another reader's; what it does not know, it says.
        _ => drop(fields),
    }
    Some(kind)
}

/// Takes `spec`, and what `read` makes of it.
fn of_spec<T>(
    mut fields: Fields<'_>,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Option<T> {
    let spec = fields.req("spec").and_then(|it| it.fields());
    let read = spec.and_then(|mut spec| {
        let read = read(&mut spec);
        spec.finish();
        read
    });
    fields.finish();
    read
}

/// Of two, Neco's menu took the last, and said nothing.
fn once(what: &str, place: Place, first: Option<Place>, findings: &Findings) {
    if let Some(first) = first {
        findings.error(
            Problem::new(
                "duplicate-document",
                format!("there are two documents for {what}"),
            )
            .at(place, "the second")
            .at(first, "the first")
            .help("keep one of the two"),
        );
    }
}

fn missing(draft: &Draft, first: Option<&Document>, findings: &Findings) {
    let Some(first) = first else { return };
    let there = [
        ("Network", draft.network.is_some()),
        ("Inventory", draft.inventory.is_some()),
    ];
    for (kind, _) in there.iter().filter(|(_, there)| !there) {
        findings.error(
            Problem::new(
                "missing-document",
                format!("there is no document of `kind: {kind}`"),
            )
            .at(first.root.place, "the menu begins here")
            .help(HELP),
        );
    }
}

/// Every type that the inventory uses must be there.
fn types(
    read: &[(Typed, Place)],
    racks: &[Rack],
    inventory: Place,
    findings: &Findings,
) -> Option<Types> {
    let take = |wanted: &str| {
        let found = read.iter().find(|((word, _), _)| *word == wanted);
        found.map(|((_, server), _)| server.clone())
    };
    let types = (take("boot"), take("cs"), take("ss"));
    let users = [
        ("boot", types.0.is_some(), racks.first()),
        (
            "cs",
            types.1.is_some(),
            racks.iter().find(|rack| rack.cs > 0),
        ),
        (
            "ss",
            types.2.is_some(),
            racks.iter().find(|rack| rack.ss > 0),
        ),
    ];
    for (word, there, user) in users {
        let Some(user) = user.filter(|_| !there) else {
            continue;
        };
        let (place, label) = match word {
            "boot" => (inventory, "every rack has a boot server".to_owned()),
            _ => (
                user.place,
                format!("this rack has servers of type `{word}`"),
            ),
        };
        findings.error(
            Problem::new(
                "missing-type",
                format!("no `kind: Node` is of type `{word}`"),
            )
            .at(place, label)
            .help(format!(
                "add a document: `kind: Node`, `type: {word}`, and its `spec`"
            )),
        );
    }
    Some(Types {
        boot: types.0?,
        cs: types.1,
        ss: types.2,
    })
}
