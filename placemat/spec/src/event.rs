//! The vocabulary of what happens in a lab: emitted by `lab`, read by `scenario`, shown live and
//! written to `events.jsonl`. Plain data, versioned.

use serde::{Deserialize, Serialize};

/// Version of the event schema. Raised on every incompatible change.
pub const SCHEMA_VERSION: u32 = 1;

/// One thing that happened in a lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabEvent {
    /// Milliseconds since the lab began to start, from the monotonic clock.
    pub t_ms: f64,
    /// What it happened to: `node/rack1-cs1`, `router/spine-1`, `lab`.
    pub object: String,
    /// What happened.
    #[serde(flatten)]
    pub what: LabEventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LabEventKind {
    /// The lab entered a phase of its own life.
    Lab {
        /// The phase.
        phase: LabPhase,
    },
    /// A server entered a boot phase.
    Boot {
        /// The phase.
        phase: BootPhase,
        /// Counts boots of this node since the lab started, from 1.
        boot: u32,
        /// What it booted, as far as known: `network`, `disk`, an image name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// Power of a server, router, boot server changed.
    Power {
        /// Whether it is on now.
        on: bool,
        /// Who did it: `ipmi`, `redfish`, `guest`, `cli`, `scenario`, `feed`, `start`.
        cause: String,
    },
    /// A supervised program started, became ready, or ended.
    App {
        /// The program's name in its container.
        app: String,
        /// What happened to it.
        state: AppState,
        /// Exit code, signal, or error in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// Carrier of an interface changed by the lab.
    Link {
        /// Interface.
        interface: String,
        /// Whether it is up now.
        up: bool,
    },
    /// A request to a boot server whose answer is over.
    Http {
        /// The machine that asked, where its address tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// Path.
        path: String,
        /// Status code; 0 where a fault kept it from being answered.
        status: u16,
        /// Bytes of the body sent.
        bytes: u64,
        /// Client address.
        client: String,
    },
    /// What the DHCP of a boot server did.
    Dhcp {
        /// What.
        act: DhcpAct,
        /// The machine, where its MAC address tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// MAC address.
        mac: String,
        /// The address that it was about; a search has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
    /// Something worth knowing that changes no state.
    Note {
        /// In words.
        text: String,
    },
}

/// What DHCP does, in the words of RFC 2131.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DhcpAct {
    /// Somebody looks for an address.
    Discover,
    /// An address was given.
    Ack,
    /// An address was refused.
    Nak,
}

/// Phases of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabPhase {
    /// Networks, namespaces and links are being made.
    Links,
    /// Routing daemons are being started.
    Routers,
    /// Boot servers are being started.
    BootServers,
    /// Servers are being powered on.
    Nodes,
    /// Everything that was to start has been started.
    Running,
    /// Shutting down.
    Stopping,
    /// Everything is down.
    Stopped,
}

/// Phases of a server's boot, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootPhase {
    /// No power.
    Off,
    /// Power is on; no sign of life yet.
    Power,
    /// Firmware runs.
    Firmware,
    /// DHCP gave it an address.
    Dhcp,
    /// It fetches its boot file.
    Http,
    /// The kernel runs.
    Kernel,
    /// Its own userspace runs.
    Userspace,
    /// Its guest agent answers (or, for a namespace, its services run).
    Agent,
    /// Its own BIRD has a BGP session that is Established. Servers that speak no BGP never come
    /// here: they are up without.
    Bgp,
}

/// States of a supervised program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppState {
    /// It was started.
    Started,
    /// It is ready.
    Ready,
    /// It ended.
    Ended,
    /// It will be started again.
    Restarting,
    /// It could not be started.
    Failed,
}
