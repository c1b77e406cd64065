//! The lab as scenarios see it: [`LabPort`] on a live [`Lab`].

use async_trait::async_trait;
use ipnet::IpNet;
use placemat_bmc::boot::{BootOverride, BootSource, Persistence};
use placemat_host::pressure::Pressure;
use placemat_lab::fault::{Fault as LabFault, FaultKind as LabFaultKind};
use placemat_lab::lab::Lab;
use placemat_lab::probe::{Flows as LabFlows, RouteChanges};
use placemat_scenario::port::{
    BfdSession, BgpSession, BootDevice, BootStatus, ExecOutput, ExecRequest, Fault, FaultKind,
    Flow, FlowRecord, Flows, LabPort, Link, PortError, PortResult, PowerAction, Route, RouteChange,
    RouteWatch,
};
use placemat_spec::Cluster;
use placemat_spec::event::LabEvent;
use placemat_spec::selector::Target;
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;

/// A live lab behind the scenarios' trait.
#[derive(Debug)]
pub(crate) struct LivePort {
    lab: Lab,
    pressure: Mutex<Pressure>,
}

impl LivePort {
    /// A port onto a lab.
    pub(crate) fn new(lab: Lab) -> Self {
        Self {
            lab,
            pressure: Mutex::default(),
        }
    }
}

#[async_trait]
impl LabPort for LivePort {
    fn cluster(&self) -> Arc<Cluster> {
        self.lab.cluster()
    }

    fn events(&self) -> broadcast::Receiver<LabEvent> {
        self.lab.bus().subscribe()
    }

    async fn exec(&self, at: &Target, request: ExecRequest) -> PortResult<ExecOutput> {
        let done = self
            .lab
            .exec(at, request.argv, request.env, request.stdin)
            .await;
        let output = done.map_err(|error| PortError(error.message))?;
        Ok(ExecOutput {
            exit: output.exit,
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }

    async fn bgp(&self, of: &Target) -> PortResult<Vec<BgpSession>> {
        self.lab.bgp(of).await.map_err(PortError)
    }

    async fn bfd(&self, of: &Target) -> PortResult<Vec<BfdSession>> {
        self.lab.bfd(of).await.map_err(PortError)
    }

    async fn routes(&self, at: &Target, to: &[IpNet]) -> PortResult<Vec<Route>> {
        let routes = self.lab.routes(at).await.map_err(PortError)?;
        let wanted: HashSet<&IpNet> = to.iter().collect();
        let wanted = routes.into_iter().filter(|(net, _)| wanted.contains(net));
        Ok(wanted.map(|(to, via)| Route { to, via }).collect())
    }

    async fn links(&self, of: &Target) -> PortResult<Vec<Link>> {
        let links = self.lab.links(of).await.map_err(PortError)?;
        let link = |link: placemat_host::netlink::LinkState| Link {
            name: link.name,
            up: link.up,
            carrier: link.carrier,
            rx_packets: link.rx_packets,
            tx_packets: link.tx_packets,
        };
        Ok(links.into_iter().map(link).collect())
    }

    async fn ping(
        &self,
        from: &Target,
        source: Option<IpAddr>,
        to: &[IpAddr],
        timeout: Duration,
    ) -> PortResult<Vec<Option<Duration>>> {
        self.lab
            .ping(from, source, to, timeout)
            .await
            .map_err(PortError)
    }

    async fn is_powered(&self, of: &Target) -> PortResult<bool> {
        Ok(self.lab.is_powered(of).await)
    }

    async fn power(&self, of: &Target, action: PowerAction) -> PortResult<()> {
        self.lab
            .power(of, action, "scenario")
            .await
            .map_err(|error| PortError(error.message))
    }

    async fn set_boot(&self, of: &Target, device: BootDevice, once: bool) -> PortResult<()> {
        let server = self.lab.server(&of.name);
        let server = server.ok_or_else(|| PortError(format!("{of} is no server")))?;
        let source = match device {
            BootDevice::None => None,
            BootDevice::Pxe => Some(BootSource::Pxe),
            BootDevice::UefiHttp => Some(BootSource::UefiHttp),
            BootDevice::Hdd => Some(BootSource::Hdd),
        };
        let persistence = if once {
            Persistence::Once
        } else {
            Persistence::Continuous
        };
        let boot = source.map(|source| BootOverride {
            source,
            persistence,
            efi: true,
        });
        server
            .bmc()
            .set_boot(boot)
            .await
            .map_err(|error| PortError(format!("{of}: {error}")))
    }

    async fn boot_status(&self, of: &Target) -> PortResult<BootStatus> {
        let server = self.lab.server(&of.name);
        let server = server.ok_or_else(|| PortError(format!("{of} is no server")))?;
        let track = server.track();
        Ok(BootStatus {
            phase: track.phase(),
            boots: track.boots(),
            image: track.image(),
        })
    }

    async fn host_waited(&self) -> PortResult<Duration> {
        let mut pressure = self.pressure.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = pressure.waited();
        waited.map_err(|error| PortError(format!("read how busy the host is: {error}")))
    }

    async fn flows(&self, flows: Vec<Flow>, every: Duration) -> PortResult<Box<dyn Flows>> {
        let flow = |flow: Flow| {
            let source = SocketAddr::new(flow.source, flow.source_port);
            (flow.from, source, flow.to, flow.destination)
        };
        let flows = flows.into_iter().map(flow).collect();
        let opened = self.lab.flows(flows, every).await.map_err(PortError)?;
        Ok(Box::new(LiveFlows(Some(opened))))
    }

    async fn watch_routes(&self) -> PortResult<Box<dyn RouteWatch>> {
        let watch = self.lab.watch_routes().await.map_err(PortError)?;
        Ok(Box::new(LiveRouteWatch(Some(watch))))
    }

    async fn apply_fault(&self, fault: &Fault) -> PortResult<()> {
        let applied = self.lab.apply_fault(&on_lab(fault)).await;
        applied.map_err(PortError)
    }

    async fn fault_in_effect(&self, fault: &Fault) -> PortResult<bool> {
        let seen = self.lab.fault_in_effect(&on_lab(fault)).await;
        seen.map_err(PortError)
    }

    async fn fault_is_healed(&self, fault: &Fault) -> PortResult<bool> {
        let seen = self.lab.fault_is_healed(&on_lab(fault)).await;
        seen.map_err(PortError)
    }

    async fn heal_fault(&self, fault: &Fault) -> PortResult<()> {
        let healed = self.lab.heal_fault(&on_lab(fault)).await;
        healed.map_err(PortError)
    }
}

/// A scenario's fault in the lab's words.
fn on_lab(fault: &Fault) -> LabFault {
    let kind = match &fault.kind {
        FaultKind::PowerLoss => LabFaultKind::PowerLoss,
        FaultKind::CarrierDown => LabFaultKind::CarrierDown,
        FaultKind::DaemonKill { app } => LabFaultKind::DaemonKill { app: app.clone() },
        FaultKind::BootHttp(how) => LabFaultKind::BootHttp(*how),
        FaultKind::BootDhcp(how) => LabFaultKind::BootDhcp(*how),
    };
    LabFault {
        kind,
        of: fault.of.clone(),
    }
}

/// Watched routes; absent once stopped.
struct LiveRouteWatch(Option<RouteChanges>);

#[async_trait]
impl RouteWatch for LiveRouteWatch {
    async fn stop(&mut self) -> PortResult<Vec<RouteChange>> {
        let stopped = || PortError("routes are no longer watched".into());
        let mut watch = self.0.take().ok_or_else(stopped)?;
        let done = tokio::task::spawn_blocking(move || watch.stop()).await;
        let changes = done
            .map_err(|error| PortError(error.to_string()))?
            .map_err(|error| PortError(format!("watch routes: {error}")))?;
        let change = |(at, t_ms)| RouteChange { at, t_ms };
        Ok(changes.into_iter().map(change).collect())
    }
}

/// Open flows; absent while a blocking thread has them.
struct LiveFlows(Option<LabFlows>);

impl LiveFlows {
    async fn on_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut LabFlows) -> T + Send + 'static,
    ) -> PortResult<T> {
        let gone = || PortError("the probe flows are closed".into());
        let mut flows = self.0.take().ok_or_else(gone)?;
        let done = tokio::task::spawn_blocking(move || (work(&mut flows), flows)).await;
        let (done, flows) = done.map_err(|error| PortError(error.to_string()))?;
        self.0 = Some(flows);
        Ok(done)
    }
}

#[async_trait]
impl Flows for LiveFlows {
    async fn burst(&mut self, index: usize, packets: u32) -> PortResult<()> {
        let sent = self
            .on_thread(move |flows| flows.burst(index, packets))
            .await?;
        sent.map_err(|error| PortError(format!("send a burst of probes: {error}")))
    }

    async fn start(&mut self) -> PortResult<()> {
        let started = self.on_thread(LabFlows::start).await?;
        started.map_err(|error| PortError(format!("start the probe flows: {error}")))
    }

    async fn stop(&mut self) -> PortResult<Vec<FlowRecord>> {
        let records = self.on_thread(LabFlows::stop).await?;
        let record = |record: placemat_lab::probe::FlowRecord| FlowRecord {
            sent: record.sent,
            received: record.received,
        };
        Ok(records.into_iter().map(record).collect())
    }
}
