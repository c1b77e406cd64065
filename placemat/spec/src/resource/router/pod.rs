//! Reads `kind: Pod`, placemat v1's: a router container whose apps each run on an OCI image of their own,
//! with volumes that they share.

use super::read::init_scripts;
use super::{App, OciImage, RestartPolicy, Router, RouterKind, app, image};
use crate::Place;
use crate::check::names;
use crate::document::{At, Fields, Item};
use crate::draft::{Reading, Want};
use crate::problem::{Problem, suggestion};
use crate::resource::{Name, interface, labels};
use crate::schema::{Key, NAME, OCI_IMAGE, Shape, USER, Variant};
use crate::value::Capabilities;
use std::collections::HashMap;
use std::path::PathBuf;

/// A volume of a pod.
#[derive(Debug, Clone, PartialEq)]
pub struct PodVolume {
    /// Its name, unique in the pod.
    pub name: Name,
    /// What it is.
    pub kind: PodVolumeKind,
    /// Where its name stands.
    pub place: Place,
}

/// What a volume of a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodVolumeKind {
    /// A new empty folder each time the pod's power comes on.
    Empty {
        /// Permission bits.
        mode: u32,
        /// Its owner.
        uid: u32,
        /// Its group.
        gid: u32,
    },
    /// The files of a data folder; what is written to it stays.
    Host {
        /// The data folder.
        folder: Name,
        /// It cannot be written to.
        read_only: bool,
    },
}

/// What an app of a pod runs on.
#[derive(Debug, Clone, PartialEq)]
pub struct PodApp {
    /// The image.
    pub image: OciImage,
    /// Its files can be written to; what is written is lost with the pod's power.
    pub writable: bool,
    /// Arguments in the place of the image's.
    pub args: Vec<String>,
    /// Volumes and where they are seen.
    pub mounts: Vec<PodMount>,
    /// Capabilities that it keeps; absent: all.
    pub keep: Option<Capabilities>,
}

/// Where an app sees a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodMount {
    /// The volume.
    pub volume: Name,
    /// An absolute path in the app's root.
    pub target: PathBuf,
}

const ID: Shape = Shape::Integer(0, u32::MAX as u64 - 1);

const VOLUME_NAME: Key = Key::required("name", Shape::Form(&NAME), "Its name in the pod.");

/// `volumes` of a pod.
pub(super) const VOLUMES: Key = Key::optional(
    "volumes",
    Shape::List(&Shape::Tagged(&[
        Variant {
            word: "empty",
            doc: "a new empty folder each time that the pod gets power",
            keys: &[
                VOLUME_NAME,
                Key::optional("mode", Shape::Text, "Permission bits, octal.").or("`0755`"),
                Key::optional("uid", ID, "Its owner.").or("`0`"),
                Key::optional("gid", ID, "Its group.").or("`0`"),
            ],
        },
        Variant {
            word: "host",
            doc: "a data folder",
            keys: &[
                VOLUME_NAME,
                Key::required("folder", Shape::Form(&NAME), "The `DataFolder`."),
                Key::optional(
                    "readonly",
                    Shape::Boolean,
                    "Its files cannot be written to.",
                ),
            ],
        },
    ])),
    "Folders that its apps share.",
);

/// `apps` of a pod.
pub(super) const APPS: Key = Key::required(
    "apps",
    Shape::List(&Shape::Map(&[
        Key::required(
            "name",
            Shape::Form(&NAME),
            "Its name; its log file is called so.",
        ),
        Key::required(
            "image",
            Shape::Form(&OCI_IMAGE),
            "The OCI image that it runs on.",
        ),
        Key::optional(
            "readonly-rootfs",
            Shape::Boolean,
            "Its files cannot be written to.",
        )
        .or("`false`"),
        Key::optional("user", Shape::Form(&USER), "Who it runs as.").or("the image's"),
        Key::optional("group", Shape::Text, "The group that it runs as."),
        Key::optional("exec", Shape::Text, "Program in the place of the image's."),
        Key::optional(
            "args",
            Shape::List(&Shape::Text),
            "Arguments in the place of the image's.",
        ),
        Key::optional("env", Shape::Dictionary(&Shape::Text), "Environment."),
        Key::optional(
            "mount",
            Shape::List(&Shape::Map(&[
                Key::required("volume", Shape::Form(&NAME), "A volume of the pod."),
                Key::required("target", Shape::Text, "Absolute path where it is seen."),
            ])),
            "Where it sees volumes.",
        ),
        Key::optional(
            "caps-retain",
            Shape::List(&Shape::Text),
            "Capabilities that it keeps, such as `CAP_NET_ADMIN`.",
        )
        .or("all"),
    ])),
    "Its programs, one at least.",
);

/// Reads a pod.
pub(crate) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) {
    let interfaces = interface::read(fields, reading);
    let scripts = init_scripts(fields, reading);
    let volumes = volumes(fields, reading);
    let apps = apps(fields, reading, &volumes);
    let router = Router {
        name: reading.name.value.clone(),
        kind: RouterKind::Pod,
        image: None,
        interfaces,
        loopback: Vec::new(),
        bird: None,
        volumes,
        apps,
        init_scripts: scripts,
        limits: None,
        labels: labels::read(fields),
        place: reading.place(),
    };
    reading
        .draft
        .cluster
        .routers
        .entry(router.name.clone())
        .or_insert(router);
}

/// Takes `volumes`.
fn volumes(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Vec<PodVolume> {
    let items = fields.opt("volumes").and_then(|it| it.list());
    let mut seen: HashMap<String, Place> = HashMap::new();
    let mut volumes = Vec::new();
    for item in items.unwrap_or_default() {
        let Some(volume) = volume(&item, reading) else {
            continue;
        };
        twice(fields, &mut seen, "volume", &volume.name, volume.place);
        volumes.push(volume);
    }
    volumes
}

fn volume(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<PodVolume> {
    let mut fields = item.fields()?;
    let name = fields.req("name").and_then(|it| it.string());
    let kind = fields
        .req("kind")
        .and_then(|it| it.choice(&[("empty", false), ("host", true)]));
    let kind = match kind {
        Some(At { value: true, .. }) => host(&mut fields, reading),
        Some(At { value: false, .. }) => Some(empty(&mut fields)),
        None => {
            // Of which kind its other keys are cannot be told.
            for key in ["mode", "uid", "gid", "folder", "readonly"] {
                fields.opt(key);
            }
            None
        }
    };
    fields.finish();
    let name = name?;
    names::part(&name, "a volume", item.findings());
    Some(PodVolume {
        place: name.place,
        name: name.value,
        // Without a kind there is no cluster.
        kind: kind.unwrap_or(PodVolumeKind::Empty {
            mode: 0,
            uid: 0,
            gid: 0,
        }),
    })
}

fn host(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<PodVolumeKind> {
    let folder = fields.req("folder").and_then(|it| it.string());
    let read_only = fields.opt("readonly").and_then(|it| it.boolean());
    let folder = folder?;
    reading
        .draft
        .ledger
        .refer(Want::DataFolder, &folder, &reading.owner);
    Some(PodVolumeKind::Host {
        folder: folder.value,
        read_only: read_only.is_some_and(|it| it.value),
    })
}

fn empty(fields: &mut Fields<'_>) -> PodVolumeKind {
    let mode = fields.opt("mode").and_then(|it| it.string());
    let mode = mode.and_then(|mode| {
        let bits = u32::from_str_radix(&mode.value, 8).ok();
        let bits = bits.filter(|bits| *bits <= 0o7777);
        if bits.is_none() {
            fields.findings().error(
                Problem::new(
                    "bad-mode",
                    format!("\"{}\" is no mode of a folder", mode.value),
                )
                .at(mode.place, "expected octal digits such as `0755`"),
            );
        }
        bits
    });
    let mut id = |key: &'static str| {
        let number = fields.opt(key).and_then(|it| it.integer(0..=u32::MAX - 1));
        number.map_or(0, |it| it.value)
    };
    PodVolumeKind::Empty {
        mode: mode.unwrap_or(0o755),
        uid: id("uid"),
        gid: id("gid"),
    }
}

fn twice(
    fields: &Fields<'_>,
    seen: &mut HashMap<String, Place>,
    what: &str,
    name: &str,
    place: Place,
) {
    if let Some(first) = seen.insert(name.to_owned(), place) {
        fields.findings().error(
            Problem::new(
                "duplicate-name",
                format!("{} has two {what}s named `{name}`", fields.describe()),
            )
            .at(place, "named again here")
            .at(first, "first named here"),
        );
    }
}

/// Takes `apps`, of which there is one at least.
fn apps(fields: &mut Fields<'_>, reading: &mut Reading<'_>, volumes: &[PodVolume]) -> Vec<App> {
    if fields.lacks("apps") {
        fields.findings().error(
            Problem::new("missing-key", format!("{} has no app", fields.describe()))
                .at(fields.place(), "a pod without `apps` can do nothing"),
        );
    }
    let items = fields.opt("apps").and_then(|it| it.list());
    let mut seen: HashMap<String, Place> = HashMap::new();
    let mut apps = Vec::new();
    for item in items.unwrap_or_default() {
        let Some(app) = one(&item, reading, volumes) else {
            continue;
        };
        twice(fields, &mut seen, "app", &app.name, app.place);
        apps.push(app);
    }
    apps
}

fn one(item: &Item<'_>, reading: &mut Reading<'_>, volumes: &[PodVolume]) -> Option<App> {
    let mut fields = item.fields()?;
    let name = fields.req("name").and_then(|it| app::name(&it));
    if fields.lacks("image") {
        fields.req("image");
    }
    let image = image::read(&mut fields, reading);
    let read_only = fields.opt("readonly-rootfs").and_then(|it| it.boolean());
    let user = user(&mut fields);
    let exec = fields.opt("exec").and_then(|it| program(&it));
    let args = fields.opt("args").and_then(|it| it.strings());
    let env = app::environment(&mut fields);
    let mounts = mounts(&mut fields, volumes);
    let keep = fields.opt("caps-retain").and_then(|it| capabilities(&it));
    fields.finish();
    let (name, image) = (name?, image?);
    let args: Vec<String> = args.into_iter().flatten().map(|it| it.value).collect();
    // What is to be executed stands alone: the image's own arguments belong to its own program.
    let command = exec.map_or_else(Vec::new, |exec| {
        std::iter::once(exec).chain(args.clone()).collect()
    });
    Some(App {
        name: name.value.clone(),
        command,
        env,
        user,
        restart: RestartPolicy::OnFailure,
        pod: Some(PodApp {
            image,
            writable: !read_only.is_some_and(|it| it.value),
            args,
            mounts,
            keep,
        }),
        ..App::new("", &[], name.place)
    })
}

/// Takes `user` and `group`.
fn user(fields: &mut Fields<'_>) -> Option<String> {
    let item = fields.opt("user");
    let user = item.as_ref().and_then(app::user);
    let group = fields.opt("group").and_then(|it| {
        let group = it.string()?;
        if !app::is_account(&group) {
            let message = format!("cannot be \"{}\"", group.value);
            it.findings().error(
                it.problem("bad-user", &message, "not a group")
                    .help("it is the name or number of a group: `nogroup`, `65534`"),
            );
        }
        Some(group)
    });
    let Some(group) = group else { return user };
    let user = user.unwrap_or_else(|| "0".into());
    if let Some(item) = item.filter(|_| user.contains(':')) {
        fields.findings().error(
            Problem::new(
                "conflict",
                format!("{} names its group twice", fields.describe()),
            )
            .at(group.place, "as `group`")
            .at(item.place(), "and behind the user")
            .help("keep one of the two"),
        );
    }
    Some(format!("{user}:{}", group.value))
}

/// Takes `exec`.
fn program(item: &Item<'_>) -> Option<String> {
    let program = item.string()?;
    if program.is_empty() {
        item.findings().error(item.problem(
            "empty-list",
            "names no program",
            "expected the path of a program",
        ));
    }
    Some(program.value)
}

/// Takes `mount`.
fn mounts(fields: &mut Fields<'_>, volumes: &[PodVolume]) -> Vec<PodMount> {
    let items = fields.opt("mount").and_then(|it| it.list());
    let mut mounts = Vec::new();
    for item in items.unwrap_or_default() {
        let Some(mut keys) = item.fields() else {
            continue;
        };
        let volume = keys.req("volume").and_then(|it| it.string());
        let target = keys.req("target").and_then(|it| app::folder(&it));
        keys.finish();
        let (Some(volume), Some(target)) = (volume, target) else {
            continue;
        };
        let names: Vec<&str> = volumes.iter().map(|it| it.name.as_str()).collect();
        if !names.contains(&volume.as_str()) {
            item.findings().error(
                Problem::new(
                    "unknown-volume",
                    format!(
                        "{} is of volume `{}`, which the pod does not have",
                        item.describe(),
                        volume.value
                    ),
                )
                .at(volume.place, "no volume has this name")
                .help(suggestion(&volume, "volumes are", &names)),
            );
        }
        mounts.push(PodMount {
            volume: volume.value,
            target,
        });
    }
    mounts
}

/// Names of capabilities, as `CAP_NET_ADMIN`.
fn capabilities(item: &Item<'_>) -> Option<Capabilities> {
    let mut keep = Capabilities::default();
    for name in item.strings()? {
        if keep.add(&name).is_none() {
            item.findings().error(
                Problem::new(
                    "unknown-capability",
                    format!("there is no capability `{}`", name.value),
                )
                .at(name.place, "unknown capability")
                .help(suggestion(&name, "capabilities are", &Capabilities::NAMES)),
            );
        }
    }
    Some(keep)
}
