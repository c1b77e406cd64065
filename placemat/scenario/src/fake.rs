//! A lab in memory, for tests of the runner: what it answers follows from what was done to it, on
//! tokio's paused clock.

use crate::port::{
    BfdSession, BgpSession, BootDevice, BootStatus, ExecOutput, ExecRequest, Fault, FaultKind,
    Flow, FlowRecord, Flows, LabPort, Link, PortError, PortResult, PowerAction, Route, RouteChange,
    RouteWatch,
};
use async_trait::async_trait;
use ipnet::IpNet;
use placemat_spec::event::{BootPhase, LabEvent};
use placemat_spec::selector::{Target, TargetKind};
use placemat_spec::supply::Supply;
use placemat_spec::{Cluster, Source};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::Instant;

/// Two spines, two racks of one ToR, a full and a netns server each.
pub(crate) const CLUSTER: &str = include_str!("fake/cluster.yml");

pub(crate) fn cluster() -> Cluster {
    match Cluster::load(vec![Source::inline("dc.yml", CLUSTER)]) {
        Ok((cluster, _)) => cluster,
        Err(problems) => panic!("{problems}"),
    }
}

/// What a test can set, and what the lab noted.
#[allow(clippy::struct_excessive_bools, reason = "each a knob of its own")]
pub(crate) struct Knobs {
    /// Sessions come up this long after the start, or after the last heal.
    pub(crate) converge: Duration,
    /// Faults that are applied take effect.
    pub(crate) effective: bool,
    /// Applying a fault stops half-way with an error: only its first target is broken.
    pub(crate) half_applies: bool,
    /// How long after carrier-down the ToR's routes change for the last time; none: never.
    pub(crate) reroutes: Option<Duration>,
    /// Share of the time in which work waits for a processor.
    pub(crate) starved: f64,
    /// What stays broken when its fault is healed.
    pub(crate) stuck: Vec<Target>,
    /// Servers that do not tell how often they booted.
    pub(crate) mute: Vec<Target>,
    /// After a heal, sessions never come back.
    pub(crate) fragile: bool,
    /// Flows whose source port divides by this cross spine-1; 0: none.
    pub(crate) crossing: u16,
    /// How long crossing flows lose packets after carrier-down.
    pub(crate) loss: Duration,
    /// What was done, in order.
    pub(crate) log: Vec<String>,
    settled_at: Instant,
    broken: bool,
    /// What is broken, and how.
    faults: Vec<(FaultKind, Target)>,
    off: Vec<Target>,
    boots: HashMap<Target, u32>,
    counters: u64,
    carrier_lost_at: Option<f64>,
}

pub(crate) struct FakeLab {
    cluster: Arc<Cluster>,
    start: Instant,
    events: broadcast::Sender<LabEvent>,
    pub(crate) knobs: Arc<Mutex<Knobs>>,
}

impl FakeLab {
    pub(crate) fn new() -> Self {
        let knobs = Knobs {
            converge: Duration::from_secs(1),
            effective: true,
            half_applies: false,
            reroutes: Some(Duration::from_millis(400)),
            starved: 0.02,
            stuck: Vec::new(),
            mute: Vec::new(),
            fragile: false,
            crossing: 2,
            loss: Duration::from_millis(300),
            log: Vec::new(),
            settled_at: Instant::now() + Duration::from_secs(1),
            broken: false,
            faults: Vec::new(),
            off: Vec::new(),
            boots: HashMap::new(),
            counters: 0,
            carrier_lost_at: None,
        };
        Self {
            cluster: Arc::new(cluster()),
            start: Instant::now(),
            events: broadcast::channel(16).0,
            knobs: Arc::new(Mutex::new(knobs)),
        }
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Knobs)) {
        change(&mut self.knobs.lock().unwrap());
    }

    /// As after a heal: sessions come up once more, or never where the lab is `fragile`.
    pub(crate) fn upset(&self) {
        self.set(|knobs| {
            knobs.broken = knobs.fragile;
            knobs.settled_at = Instant::now() + knobs.converge;
        });
    }

    /// What was done, one thing a line.
    pub(crate) fn log(&self) -> String {
        self.knobs.lock().unwrap().log.join("\n")
    }

    fn state<T>(&self, read: impl FnOnce(&mut Knobs) -> T) -> T {
        read(&mut self.knobs.lock().unwrap())
    }

    /// A fault of feeds as one of the machines behind them.
    fn behind(&self, fault: &Fault) -> Fault {
        let mut fault = fault.clone();
        if fault.kind == FaultKind::PowerLoss {
            fault.of = Supply::of(&self.cluster).behind(&fault.of);
        }
        fault
    }

    fn up(&self, of: &Target) -> PortResult<bool> {
        self.state(|knobs| {
            if knobs.is_off(of) {
                return Err(PortError(format!("cannot ask {of}: it is off")));
            }
            let down = knobs.faults.iter().any(|(_, broken)| broken == of);
            Ok(!down && !knobs.broken && Instant::now() >= knobs.settled_at)
        })
    }
}

impl Knobs {
    fn is_off(&self, of: &Target) -> bool {
        self.off.contains(of) || self.is_broken(&FaultKind::PowerLoss, of)
    }

    fn is_broken(&self, kind: &FaultKind, of: &Target) -> bool {
        self.faults
            .iter()
            .any(|(how, broken)| how == kind && broken == of)
    }
}

#[async_trait]
impl LabPort for FakeLab {
    fn cluster(&self) -> Arc<Cluster> {
        self.cluster.clone()
    }

    fn events(&self) -> broadcast::Receiver<LabEvent> {
        self.events.subscribe()
    }

    async fn exec(&self, at: &Target, request: ExecRequest) -> PortResult<ExecOutput> {
        let line = request.argv.join(" ");
        if line == "ip route show" {
            return Ok(ExecOutput::default());
        }
        let env: Vec<String> = request
            .env
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let line = [&[line], env.as_slice()].concat().join(" ");
        self.set(|knobs| knobs.log.push(format!("exec at {at}: {line}")));
        match request.argv.first().map(String::as_str) {
            Some("hang") => std::future::pending().await,
            Some("slow") => {
                tokio::time::sleep(Duration::from_secs(5)).await;
                Ok(ExecOutput::default())
            }
            Some("false") => Ok(ExecOutput {
                exit: 1,
                stdout: Vec::new(),
                stderr: b"no such luck\nreally".to_vec(),
            }),
            Some("echo") => Ok(ExecOutput {
                exit: 0,
                stdout: request.argv[1..].join(" ").into_bytes(),
                stderr: Vec::new(),
            }),
            Some("whoami") => Ok(ExecOutput {
                exit: 0,
                stdout: at.to_string().into_bytes(),
                stderr: Vec::new(),
            }),
            _ => Ok(ExecOutput::default()),
        }
    }

    async fn bgp(&self, of: &Target) -> PortResult<Vec<BgpSession>> {
        let state = if self.up(of)? {
            "Established"
        } else {
            "Active"
        };
        Ok(vec![BgpSession {
            name: "up1".to_owned(),
            neighbor: None,
            neighbor_as: Some(64600),
            state: state.to_owned(),
            last_error: (state == "Active").then(|| "Socket: No route to host".to_owned()),
        }])
    }

    async fn bfd(&self, of: &Target) -> PortResult<Vec<BfdSession>> {
        let state = if self.up(of)? { "Up" } else { "Down" };
        Ok(vec![BfdSession {
            neighbor: "10.72.1.0".parse().unwrap(),
            interface: "eth0".to_owned(),
            state: state.to_owned(),
        }])
    }

    async fn routes(&self, at: &Target, to: &[IpNet]) -> PortResult<Vec<Route>> {
        let route = |to: &IpNet| Route {
            to: *to,
            via: vec![
                "10.72.1.0 dev eth0".to_owned(),
                "10.72.1.2 dev eth1".to_owned(),
            ],
        };
        Ok(if self.up(at)? {
            to.iter().map(route).collect()
        } else {
            Vec::new()
        })
    }

    async fn links(&self, of: &Target) -> PortResult<Vec<Link>> {
        let down = self.state(|knobs| knobs.is_broken(&FaultKind::CarrierDown, of));
        let rx_packets = self.state(|knobs| knobs.counters);
        Ok(vec![Link {
            name: "eth0".to_owned(),
            up: true,
            carrier: !down,
            rx_packets,
            tx_packets: 0,
        }])
    }

    async fn ping(
        &self,
        from: &Target,
        source: Option<IpAddr>,
        to: &[IpAddr],
        timeout: Duration,
    ) -> PortResult<Vec<Option<Duration>>> {
        let other = |source: IpAddr| to.iter().any(|to| to.is_ipv4() != source.is_ipv4());
        if source.is_some_and(other) {
            return Err(PortError("not of one address family".to_owned()));
        }
        let up = self.up(from)?;
        if !up {
            tokio::time::sleep(timeout).await;
        }
        Ok(to
            .iter()
            .map(|_| up.then_some(Duration::from_millis(1)))
            .collect())
    }

    async fn is_powered(&self, of: &Target) -> PortResult<bool> {
        Ok(!self.state(|knobs| knobs.is_off(of)))
    }

    async fn power(&self, of: &Target, action: PowerAction) -> PortResult<()> {
        self.set(|knobs| {
            knobs.log.push(format!("power {of}: {action:?}"));
            knobs.off.retain(|off| off != of);
            match action {
                PowerAction::ForceOff | PowerAction::GracefulShutdown => knobs.off.push(of.clone()),
                _ => *knobs.boots.entry(of.clone()).or_insert(1) += 1,
            }
        });
        Ok(())
    }

    async fn set_boot(&self, of: &Target, device: BootDevice, once: bool) -> PortResult<()> {
        self.set(|knobs| knobs.log.push(format!("boot {of}: {device:?} once={once}")));
        Ok(())
    }

    async fn boot_status(&self, of: &Target) -> PortResult<BootStatus> {
        if self.state(|knobs| knobs.mute.contains(of)) {
            return Err(PortError(format!("{of} does not answer")));
        }
        Ok(self.state(|knobs| BootStatus {
            phase: if knobs.is_off(of) {
                BootPhase::Off
            } else {
                BootPhase::Agent
            },
            boots: knobs.boots.get(of).copied().unwrap_or(1),
            image: Some("network".to_owned()),
        }))
    }

    async fn host_waited(&self) -> PortResult<Duration> {
        let share = self.state(|knobs| knobs.starved);
        Ok(self.start.elapsed().mul_f64(share))
    }

    async fn flows(&self, flows: Vec<Flow>, every: Duration) -> PortResult<Box<dyn Flows>> {
        let (knobs, epoch) = (self.knobs.clone(), self.start);
        Ok(Box::new(FakeFlows {
            flows,
            every,
            knobs,
            epoch,
            began: None,
        }))
    }

    async fn watch_routes(&self) -> PortResult<Box<dyn RouteWatch>> {
        Ok(Box::new(FakeRouteWatch(self.knobs.clone())))
    }

    async fn apply_fault(&self, fault: &Fault) -> PortResult<()> {
        let fault = &self.behind(fault);
        let now = self.start.elapsed().as_secs_f64() * 1000.0;
        self.state(|knobs| {
            let of: Vec<String> = fault.of.iter().map(ToString::to_string).collect();
            knobs
                .log
                .push(format!("apply {:?} of {}", fault.kind, of.join(" ")));
            let reached = match (knobs.effective, knobs.half_applies) {
                (false, _) => 0,
                (true, true) => 1,
                (true, false) => fault.of.len(),
            };
            let broken = fault.of.iter().take(reached);
            knobs
                .faults
                .extend(broken.map(|of| (fault.kind.clone(), of.clone())));
            if reached > 0 && fault.kind == FaultKind::CarrierDown {
                knobs.carrier_lost_at = Some(now);
            }
            if knobs.half_applies {
                return Err(PortError("the switch is stuck".to_owned()));
            }
            Ok(())
        })
    }

    async fn fault_in_effect(&self, fault: &Fault) -> PortResult<bool> {
        let fault = &self.behind(fault);
        Ok(self.state(|knobs| fault.of.iter().all(|of| knobs.is_broken(&fault.kind, of))))
    }

    async fn fault_is_healed(&self, fault: &Fault) -> PortResult<bool> {
        let fault = &self.behind(fault);
        Ok(self.state(|knobs| !fault.of.iter().any(|of| knobs.is_broken(&fault.kind, of))))
    }

    async fn heal_fault(&self, fault: &Fault) -> PortResult<()> {
        let fault = &self.behind(fault);
        self.set(|knobs| {
            knobs.log.push("heal".to_owned());
            let stuck = knobs.stuck.clone();
            knobs.faults.retain(|(kind, of)| {
                *kind != fault.kind || !fault.of.contains(of) || stuck.contains(of)
            });
        });
        self.upset();
        Ok(())
    }
}

struct FakeRouteWatch(Arc<Mutex<Knobs>>);

#[async_trait]
impl RouteWatch for FakeRouteWatch {
    async fn stop(&mut self) -> PortResult<Vec<RouteChange>> {
        let knobs = self.0.lock().unwrap();
        let Some((lost, last)) = knobs.carrier_lost_at.zip(knobs.reroutes) else {
            return Ok(Vec::new());
        };
        let change = |name: &str, after: f64| RouteChange {
            at: Target {
                kind: TargetKind::Router,
                name: name.to_owned(),
            },
            t_ms: lost + after,
        };
        let last = last.as_secs_f64() * 1000.0;
        Ok(vec![
            change("rack1-tor1", last / 2.0),
            change("rack1-tor1", last),
            // What is cut off itself forgets its routes in its own time.
            change("spine-1", last + 1000.0),
        ])
    }
}

struct FakeFlows {
    flows: Vec<Flow>,
    every: Duration,
    knobs: Arc<Mutex<Knobs>>,
    epoch: Instant,
    began: Option<Instant>,
}

#[async_trait]
impl Flows for FakeFlows {
    async fn burst(&mut self, index: usize, packets: u32) -> PortResult<()> {
        let mut knobs = self.knobs.lock().unwrap();
        let divisor = knobs.crossing;
        if divisor != 0 && self.flows[index].source_port.is_multiple_of(divisor) {
            knobs.counters += u64::from(packets);
        }
        // Routing protocols never rest.
        knobs.counters += 2;
        Ok(())
    }

    async fn start(&mut self) -> PortResult<()> {
        self.began = Some(Instant::now());
        Ok(())
    }

    async fn stop(&mut self) -> PortResult<Vec<FlowRecord>> {
        let began = self
            .began
            .ok_or_else(|| PortError("flows were never started".to_owned()))?;
        let (from, every) = (began - self.epoch, self.every.as_secs_f64() * 1000.0);
        let first = from.as_secs_f64() * 1000.0;
        let until = self.epoch.elapsed().as_secs_f64() * 1000.0;
        let knobs = self.knobs.lock().unwrap();
        let (divisor, window) = (knobs.crossing, knobs.loss.as_secs_f64() * 1000.0);
        Ok(self
            .flows
            .iter()
            .map(|flow| {
                let crosses = divisor != 0 && flow.source_port.is_multiple_of(divisor);
                let mut record = FlowRecord::default();
                let mut at = first;
                while at < until {
                    let lost = crosses
                        && knobs
                            .carrier_lost_at
                            .is_some_and(|t| at >= t && at < t + window);
                    record.sent.push(at);
                    record.received.push((!lost).then_some(at + 0.2));
                    at += every;
                }
                record
            })
            .collect())
    }
}
