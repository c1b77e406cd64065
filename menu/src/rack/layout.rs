//! `racks:` or `pods:`: where servers are. Both are lists of runs:
//! `{count: 20, servers: [28 x light]}`, `{count: 3, racks: [...]}`.

use super::{Rack, ServerType, servers};
use crate::allocation::{MAX_PODS, MAX_RACKS};
use indexmap::IndexMap;
use placemat_spec::document::{At, Fields, Item};
use placemat_spec::{Place, Problem};

/// Server types by name.
type Types = IndexMap<String, ServerType>;

/// Racks, pods and what joins them.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) super_spines: u32,
    pub(super) pods: u32,
    pub(super) racks: Vec<Rack>,
    /// Where the racks are listed.
    pub(super) place: Place,
}

/// `types` are none where they could not be read.
pub(super) fn layout(fields: &mut Fields, types: Option<&Types>, kind: Place) -> Layout {
    let tors = fields.opt("tors").and_then(|it| it.integer(1..=2u32));
    let place = fields.key_place("racks").or(fields.key_place("pods"));
    let super_place = fields.key_place("super-spines");
    let super_spines = fields.opt("super-spines");
    let super_spines = super_spines.and_then(|it| it.integer(1..=64u32));
    let mut reader = Reader {
        types,
        tors,
        racks: Vec::new(),
    };
    let pods_place = fields.key_place("pods");
    let pods = if let Some(pods) = fields.opt("pods") {
        exclude(fields, &pods);
        if super_place.is_none() {
            fields.missing(
                &["super-spines"],
                no_super_spines(pods_place.unwrap_or(kind)),
            );
        }
        reader.pods(&pods)
    } else {
        if let Some(racks) = fields.req("racks") {
            reader.runs(&racks, None);
            too_many(&racks, &mut reader.racks);
        }
        if let (Some(place), None) = (super_place, pods_place) {
            fields.findings().error(
                Problem::new("no-pods", "super-spines have no pods to join")
                    .at(place, "nothing to join")
                    .help("list the racks in pods: `pods: [{count: 2, racks: [...]}]`"),
            );
        }
        0
    };
    Layout {
        super_spines: match pods {
            0 => 0,
            _ => super_spines.map_or(1, |it| it.value),
        },
        pods,
        racks: reader.racks,
        place: place.unwrap_or(kind),
    }
}

fn exclude(fields: &mut Fields, pods: &Item) {
    let place = fields.key_place("racks");
    if let (Some(_), Some(place)) = (fields.opt("racks"), place) {
        pods.findings().error(
            Problem::new(
                "racks-and-pods",
                "racks stand in `racks` or in `pods`, not in both",
            )
            .at(place, "racks here")
            .at(pods.place(), "and here")
            .help("make a pod of the racks: `pods: [{racks: [...]}, ...]`"),
        );
    }
}

fn no_super_spines(place: Place) -> Problem {
    Problem::new(
        "no-super-spines",
        "there are pods, and no `super-spines` to join them",
    )
    .at(place, "`super-spines` are required with these")
    .help("for example `super-spines: 2`")
}

struct Reader<'a> {
    types: Option<&'a Types>,
    /// ToRs of racks that do not say, where the data center does.
    tors: Option<At<u32>>,
    racks: Vec<Rack>,
}

impl Reader<'_> {
    /// How many pods there are.
    fn pods(&mut self, item: &Item) -> u32 {
        let runs = item.list().unwrap_or_default();
        if item.tree().as_list().is_some_and(<[_]>::is_empty) {
            item.findings()
                .error(item.problem("no-pod", "has no pod", "at least one is needed"));
        }
        let mut pods = 0;
        for run in runs {
            let Some(mut fields) = run.fields() else {
                continue;
            };
            let count = fields.opt("count");
            let count = count.map_or(Some(1), |it| it.integer(1..=MAX_PODS).map(|it| it.value));
            let first = self.racks.len();
            pods += 1;
            if let Some(racks) = fields.req("racks") {
                self.runs(&racks, Some(pods));
            }
            fields.finish();
            let pod = self.racks[first..].to_vec();
            for _ in 1..count.unwrap_or(1) {
                // One too many is enough to see that it is too many.
                if self.racks.len() > MAX_RACKS || pods > MAX_PODS {
                    break;
                }
                pods += 1;
                let again = pod.iter().cloned();
                self.racks.extend(again.map(|rack| Rack {
                    pod: Some(pods),
                    ..rack
                }));
            }
        }
        if pods > MAX_PODS {
            let message = format!("holds more than {MAX_PODS} pods");
            item.findings()
                .error(item.problem("too-many-pods", &message, "too many"));
        }
        too_many(item, &mut self.racks);
        pods
    }

    /// Runs of racks.
    fn runs(&mut self, item: &Item, pod: Option<u32>) {
        let runs = item.list().unwrap_or_default();
        if item.tree().as_list().is_some_and(<[_]>::is_empty) {
            item.findings()
                .error(item.problem("no-rack", "has no rack", "at least one is needed"));
        }
        for run in runs {
            let Some(mut fields) = run.fields() else {
                continue;
            };
            let count = fields.opt("count").map_or(Some(1), |it| {
                it.integer(1..=MAX_RACKS as u64).map(|it| it.value)
            });
            let tors = fields.opt("tors").and_then(|it| it.integer(1..=2u32));
            let given = tors.or(self.tors);
            let tors = given.map_or(2, |it| it.value);
            let servers = fields.req("servers");
            if let Some(servers) = &servers {
                self.wired(servers, tors);
            }
            let servers = servers.map(|it| servers::servers(&it, self.types));
            fields.finish();
            let rack = Rack {
                place: run.place(),
                tors_place: given.map(|it| it.place),
                servers: servers.unwrap_or_default(),
                tors,
                pod,
            };
            // One too many is enough to see that it is too many.
            let room = (MAX_RACKS + 1).saturating_sub(self.racks.len());
            let count = usize::try_from(count.unwrap_or(0)).unwrap_or(room);
            self.racks
                .extend((0..count.min(room)).map(|_| rack.clone()));
        }
    }

    /// Whether each server has a ToR for each of its NICs.
    fn wired(&self, servers: &Item, tors: u32) {
        let Some(types) = self.types else { return };
        for run in servers.tree().as_list().unwrap_or_default() {
            let name = run.text().unwrap_or_default();
            let name = name
                .rsplit_once(" x ")
                .map_or(name, |(_, name)| name.trim());
            let nics = types.get(name).and_then(|kind| kind.nics);
            if nics.is_some_and(|nics| nics > tors) {
                let message =
                    format!("servers of type `{name}` have more NICs than this rack has ToRs");
                servers.findings().error(
                    Problem::new("too-few-tors", message)
                        .at(run.place, "2 NICs, 1 ToR")
                        .help("give the type `nics: 1`, or the rack `tors: 2`"),
                );
            }
        }
    }
}

/// What is too much is told once, and not gone on with.
fn too_many(item: &Item, racks: &mut Vec<Rack>) {
    if racks.len() > MAX_RACKS {
        let message = format!("holds more than {MAX_RACKS} racks");
        item.findings()
            .error(item.problem("too-many-racks", &message, "too many"));
        racks.clear();
    }
}
