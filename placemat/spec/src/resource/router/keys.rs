//! What a `Router` and a `NetworkNamespace` may say.

use super::{limits, pod};
use crate::resource::{interface, labels};
use crate::schema::{COMMAND, DURATION, Key, KindDoc, NAME, OCI_IMAGE, PATH, Shape, USER};

/// `bird` of routers and boot servers.
pub(in crate::resource) const BIRD: Key = Key::optional(
    "bird",
    Shape::Map(&[Key::required(
        "config",
        Shape::Form(&PATH),
        "Its configuration. Its control socket is `/run/bird/bird.ctl`.",
    )]),
    "The routing daemon, BIRD 2.",
);

const APP_NAME: &str = "Its name; its log file is called so.";
const APP_COMMAND: &str = "The program and its arguments.";

const ENV: Key = Key::optional(
    "env",
    Shape::Dictionary(&Shape::Text),
    "Environment on top of the lab's own.",
);

const WORKDIR: Key = Key::optional(
    "workdir",
    Shape::Text,
    "Absolute path of the folder that it runs in.",
)
.or("`/`, or the image's");

const APP_USER: Key =
    Key::optional("user", Shape::Form(&USER), "Who it runs as.").or("root, or the image's");

const RESTART: Key = Key::optional(
    "restart",
    Shape::Choice(&[
        (
            "always",
            "started again, after 100 ms that double up to 5 s",
        ),
        ("on-failure", "the same, after a non-zero exit or a signal"),
        ("never", "left as it is"),
        ("no", "the same as `never`"),
    ]),
    "What happens when it ends.",
);

const READY: Key = Key::optional(
    "ready",
    Shape::Map(&[
        Key::required("command", COMMAND, "Exits 0 once the program is ready."),
        Key::optional(
            "interval",
            Shape::Form(&DURATION),
            "How long after a failure it is tried again.",
        )
        .or("`50ms`"),
        Key::optional("timeout", Shape::Form(&DURATION), "How long it may take.").or("`10s`"),
    ]),
    "How to tell that it is ready.",
)
.or("as soon as it runs");

const AFTER: Key = Key::optional(
    "after",
    Shape::List(&Shape::Form(&NAME)),
    "Apps that must be ready first; `bird` is one, too.",
);

/// `init-scripts` of every kind of router.
pub(super) const INIT_SCRIPTS: Key = Key::optional(
    "init-scripts",
    Shape::List(&Shape::Form(&PATH)),
    "Scripts that run once when the interfaces are up, before the apps.",
);

pub(crate) const DOC: KindDoc = KindDoc {
    name: "Router",
    doc: "A router in a container: network, mount, PID and UTS namespace of its own, private `/run` and `/etc`, below them the host's file system or an OCI image.",
    keys: &[
        interface::KEY,
        interface::LOOPBACK,
        BIRD,
        Key::optional(
            "image",
            Shape::Form(&OCI_IMAGE),
            "The OCI image that it runs on.",
        ),
        Key::optional(
            "rootfs",
            Shape::Choice(&[("host", "the host's file system, read-only")]),
            "What it runs on, where it has no `image`.",
        )
        .or("`host`"),
        Key::optional(
            "apps",
            Shape::List(&Shape::Map(&[
                Key::required("name", Shape::Form(&NAME), APP_NAME),
                Key::optional("command", COMMAND, APP_COMMAND)
                    .or("the image's; required without one"),
                ENV,
                WORKDIR,
                APP_USER,
                RESTART.or("`always`"),
                READY,
                AFTER,
            ])),
            "Further programs, each supervised and with a log of its own.",
        ),
        INIT_SCRIPTS,
        limits::KEY,
        labels::KEY,
    ],
    example: "\
kind: Router
name: rack1-tor1
labels: {role: tor, rack: 1}
interfaces:
  - {network: r1-node1, addresses: [10.69.0.65/26]}
  - {network: uplinks, addresses: [10.72.1.1/31], impair: {rate: 100mbit}}
loopback: [10.69.0.1/32]
bird: {config: bird/rack1-tor1.conf}
apps:
  - name: dhcp-relay
    command: [dnsmasq, --keep-in-foreground, --port=0, \"--dhcp-relay=10.69.0.65,10.69.0.3\"]
    ready: {command: [pgrep, dnsmasq], interval: 100ms, timeout: 5s}
    after: [bird]
limits: {memory: 64M, cpu: 0.5, pids: 64}
---
kind: Network
name: uplinks
type: internal
",
};

pub(crate) const NAMESPACE_DOC: KindDoc = KindDoc {
    name: "NetworkNamespace",
    doc: "Placemat v2's sibling of `Router`: a network namespace with programs in it. It has at least one interface.",
    keys: &[
        interface::KEY,
        interface::LOOPBACK,
        BIRD,
        Key::optional(
            "apps",
            Shape::List(&Shape::Map(&[
                Key::optional("name", Shape::Form(&NAME), APP_NAME).or("`app0`, `app1`, ..."),
                Key::required("command", COMMAND, APP_COMMAND),
                ENV,
                WORKDIR,
                APP_USER,
                RESTART.or("`on-failure`"),
                READY,
                AFTER,
            ])),
            "Programs, each supervised and with a log of its own.",
        ),
        INIT_SCRIPTS,
        limits::KEY,
        labels::KEY,
    ],
    example: "\
kind: NetworkNamespace
name: operation
interfaces:
  - {network: internet, addresses: [10.0.0.3/24]}
apps:
  - {name: chrony, command: [chronyd, -d], workdir: /var/tmp, user: nobody}
---
kind: Network
name: internet
type: external
address: 10.0.0.1/24
",
};

/// Placemat v1's.
pub(crate) const POD_DOC: KindDoc = KindDoc {
    name: "Pod",
    doc: "Placemat v1's router: apps that each run on an OCI image of their own in one network namespace, with volumes that they share.",
    keys: &[
        interface::KEY,
        INIT_SCRIPTS,
        pod::VOLUMES,
        pod::APPS,
        labels::KEY,
    ],
    example: "\
kind: Pod
name: pod1
interfaces:
  - {network: internet, addresses: [10.0.0.4/24]}
volumes:
  - {name: run, kind: empty, mode: \"0755\"}
apps:
  - name: bird
    image: docker://quay.io/cybozu/bird:2.0
    readonly-rootfs: true
    caps-retain: [CAP_NET_ADMIN]
    mount: [{volume: run, target: /run/bird}]
",
};
