//! The one trait through which scenarios see a lab. `lab` knows nothing of it: the CLI implements
//! it on top of a live lab, tests on top of a fake one.

use async_trait::async_trait;
use ipnet::IpNet;
use placemat_spec::Cluster;
use placemat_spec::event::{BootPhase, LabEvent};
pub use placemat_spec::power::PowerAction;
use placemat_spec::resource::{DhcpFault, HttpFault};
use placemat_spec::selector::Target;
pub use placemat_spec::session::{BfdSession, BgpSession};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;

/// Why the lab could not do or answer something: a sentence that names object and act.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct PortError(pub String);

/// Result of a port call.
pub type PortResult<T> = Result<T, PortError>;

/// A live lab, as scenarios see it. Every call is bounded by its caller with a timeout and may be
/// cancelled by dropping it.
#[async_trait]
pub trait LabPort: Send + Sync {
    /// What the lab is made from now.
    fn cluster(&self) -> Arc<Cluster>;

    /// Everything that happens in the lab from now on.
    fn events(&self) -> broadcast::Receiver<LabEvent>;

    /// Runs a command in a router, boot server, netns node, the hub, or (through the guest agent)
    /// a VM, and collects its output.
    async fn exec(&self, at: &Target, request: ExecRequest) -> PortResult<ExecOutput>;

    /// BGP sessions as the target's own BIRD sees them.
    async fn bgp(&self, of: &Target) -> PortResult<Vec<BgpSession>>;

    /// BFD sessions as the target's own BIRD sees them.
    async fn bfd(&self, of: &Target) -> PortResult<Vec<BfdSession>>;

    /// Kernel routes (FIB) of the target that match one of `to` exactly.
    async fn routes(&self, at: &Target, to: &[IpNet]) -> PortResult<Vec<Route>>;

    /// Interfaces of the target with state and counters.
    async fn links(&self, of: &Target) -> PortResult<Vec<Link>>;

    /// Pings every address once from `source` (or the default address) of the target.
    /// One entry an address, `None` where no reply came within `timeout`.
    async fn ping(
        &self,
        from: &Target,
        source: Option<IpAddr>,
        to: &[IpAddr],
        timeout: Duration,
    ) -> PortResult<Vec<Option<Duration>>>;

    /// Whether the machine itself is powered: what is really running, not what its BMC says.
    async fn is_powered(&self, of: &Target) -> PortResult<bool>;

    /// Acts on a server's chassis as its BMC would, or on the power of a router or boot server.
    async fn power(&self, of: &Target, action: PowerAction) -> PortResult<()>;

    /// Sets the boot override of a server.
    async fn set_boot(&self, of: &Target, device: BootDevice, once: bool) -> PortResult<()>;

    /// How far a server's current boot has come.
    async fn boot_status(&self, of: &Target) -> PortResult<BootStatus>;

    /// How long work on the host has waited for a processor; a count that only grows, from a
    /// beginning of its own.
    async fn host_waited(&self) -> PortResult<Duration>;

    /// Opens probe flows; nothing is sent yet.
    async fn flows(&self, flows: Vec<Flow>, every: Duration) -> PortResult<Box<dyn Flows>>;

    /// Watches the kernel routes (FIB) of everything but VMs, from now on.
    async fn watch_routes(&self) -> PortResult<Box<dyn RouteWatch>>;

    /// Applies a fault, without waiting for its effect. Where that fails or is cut short, part of
    /// it may be in effect: heal it all the same.
    async fn apply_fault(&self, fault: &Fault) -> PortResult<()>;

    /// Whether the fault is seen to be in effect on every target, by observation of the system.
    async fn fault_in_effect(&self, fault: &Fault) -> PortResult<bool>;

    /// Whether every target is seen to be free of the fault, by observation of the system. Not the
    /// opposite of [`Self::fault_in_effect`]: with some targets back and some not, neither holds.
    async fn fault_is_healed(&self, fault: &Fault) -> PortResult<bool>;

    /// Undoes a fault. Undoing it twice, or one that was applied in part, is fine.
    async fn heal_fault(&self, fault: &Fault) -> PortResult<()>;
}

/// A command.
#[derive(Debug, Clone, Default)]
pub struct ExecRequest {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Environment on top of the target's.
    pub env: Vec<(String, String)>,
    /// Standard input.
    pub stdin: Vec<u8>,
}

/// How a command ended.
#[derive(Debug, Clone, Default)]
pub struct ExecOutput {
    /// Exit code; 128 + signal number when a signal ended it.
    pub exit: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// A route in the kernel's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Destination.
    pub to: IpNet,
    /// Next hops, as `ADDRESS dev INTERFACE`.
    pub via: Vec<String>,
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Name inside its namespace.
    pub name: String,
    /// Administrative state.
    pub up: bool,
    /// Whether the other end is there.
    pub carrier: bool,
    /// Packets received since it was made.
    pub rx_packets: u64,
    /// Packets sent since it was made.
    pub tx_packets: u64,
}

/// Boot override targets, in Redfish's words (`BootSourceOverrideTarget`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootDevice {
    /// No override.
    None,
    /// Network (PXE), by whatever the firmware does with it.
    Pxe,
    /// UEFI HTTP boot.
    UefiHttp,
    /// First disk.
    Hdd,
}

/// How far a boot has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootStatus {
    /// Phase now.
    pub phase: BootPhase,
    /// Boots since the lab started.
    pub boots: u32,
    /// What runs: the image's own name of itself, once userspace has said it.
    pub image: Option<String>,
}

/// One probe flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Where packets start: a router, boot server or netns node.
    pub from: Target,
    /// Source address.
    pub source: IpAddr,
    /// Where they go: as `from`, or a VM (then its echo service answers, and a packet counts as
    /// received when the answer is back).
    pub to: Target,
    /// Destination address.
    pub destination: IpAddr,
    /// UDP source port; it decides the ECMP path.
    pub source_port: u16,
}

/// Open probe flows.
#[async_trait]
pub trait Flows: Send {
    /// Sends `packets` of one flow back to back, outside of any record. For finding its path by
    /// link counters.
    async fn burst(&mut self, index: usize, packets: u32) -> PortResult<()>;
    /// Starts sending on all flows.
    async fn start(&mut self) -> PortResult<()>;
    /// Stops, waits a moment for stragglers, and gives what was recorded, one entry a flow.
    async fn stop(&mut self) -> PortResult<Vec<FlowRecord>>;
}

/// Watched routes.
#[async_trait]
pub trait RouteWatch: Send {
    /// Stops, and gives what changed.
    async fn stop(&mut self) -> PortResult<Vec<RouteChange>>;
}

/// Routes of a target changed.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteChange {
    /// Whose.
    pub at: Target,
    /// When, in milliseconds on the clock of [`LabEvent::t_ms`].
    pub t_ms: f64,
}

/// What was seen of one flow. Times are milliseconds on the clock of [`LabEvent::t_ms`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FlowRecord {
    /// When each packet was sent.
    pub sent: Vec<f64>,
    /// When it arrived, `None` if it did not.
    pub received: Vec<Option<f64>>,
}

/// A fault, resolved to targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What breaks.
    pub kind: FaultKind,
    /// What it breaks.
    pub of: Vec<Target>,
}

/// What breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The plugs of machines are pulled, or feeds and PDUs fail, which takes what has no other supply:
    /// routers, boot servers, servers and their BMCs, nothing flushed.
    PowerLoss,
    /// Every interface of the target loses carrier, on both ends.
    CarrierDown,
    /// A supervised daemon of the target is killed with SIGKILL and not restarted until healed.
    DaemonKill {
        /// Its app name.
        app: String,
    },
    /// HTTP of a boot server misbehaves.
    BootHttp(HttpFault),
    /// DHCP of a boot server misbehaves.
    BootDhcp(DhcpFault),
}
