//! The change itself, object by object. What fails is noted, and the rest goes on; at the end the lab is known to be made
//! from as much of the new files as was done.

use super::super::{Lab, LabError};
use super::prepare::{Prepared, target_of};
use crate::change::{Act, How, ObjectChange};
use crate::machine::Machine;
use crate::server::{Body, Server};
use crate::unit::{Unit, Update};
use placemat_bmc::chassis::{Cause, PowerCommand, PowerPolicy};
use placemat_spec::event::BootPhase;
use placemat_spec::resource::{Node, PowerRestore, Tier};
use placemat_spec::selector::{Target, TargetKind};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

/// What was done to an object, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `router/r1`, `links`.
    pub object: String,
    /// In words.
    pub text: String,
    /// It was not done.
    pub failed: bool,
}

/// What a booted guest is given to power itself off before the plug is pulled.
const GRACE: Duration = Duration::from_millis(700);

/// Events of power tell that it was a change of the lab.
const CAUSE: &str = "apply";

/// A change under way.
pub(super) struct Work {
    lab: Lab,
    it: Prepared,
    steps: UnboundedSender<Step>,
    /// Who had power before it was taken for the change.
    was_on: HashSet<Target>,
    pub(super) failed: BTreeMap<Target, String>,
}

type Outcome = (Target, Result<String, String>);

impl Work {
    pub(super) fn new(lab: Lab, it: Prepared, steps: UnboundedSender<Step>) -> Self {
        Self {
            lab,
            it,
            steps,
            was_on: HashSet::new(),
            failed: BTreeMap::new(),
        }
    }

    /// Does all of it.
    pub(super) async fn run(&mut self) -> Vec<String> {
        self.take_down().await;
        self.rewire().await;
        self.lab.fleet_mut().blueprint = self.it.new.clone();
        for kind in [TargetKind::Router, TargetKind::BootServer] {
            self.change_units(kind).await;
        }
        self.offer();
        self.change_servers().await;
        if let Err(error) = self.lab.resupply().await {
            self.tell("power", &error, true);
        }
        self.settle()
    }

    fn tell(&self, object: &str, text: &str, failed: bool) {
        // The client may have gone; what it asked for is done all the same.
        let _ = self.steps.send(Step {
            object: object.to_owned(),
            text: text.to_owned(),
            failed,
        });
    }

    fn note(&mut self, (target, done): Outcome) {
        match done {
            Ok(text) => self.tell(&target.to_string(), &text, false),
            Err(why) => self.fail(target, why),
        }
    }

    fn fail(&mut self, target: Target, why: String) {
        self.tell(&target.to_string(), &why, true);
        self.lab.note_failure(&target, why.clone());
        self.failed.entry(target).or_insert(why);
    }

    /// Changes of one kind of object.
    fn of(&self, kind: TargetKind) -> Vec<(Target, ObjectChange)> {
        let changes = self.it.changes.objects.iter();
        let targets = changes.filter_map(|it| Some((target_of(&it.object)?, it.clone())));
        targets.filter(|(target, _)| target.kind == kind).collect()
    }

    /// What goes and what restarts loses its power: servers, boot servers, routers, as at the end of a lab.
    async fn take_down(&mut self) {
        let mut going = JoinSet::new();
        for (target, change) in self.of(TargetKind::Node) {
            let goes = change.act == Act::Remove || change.how == How::Restart;
            let Some(server) = self.lab.server(&target.name).filter(|_| goes) else {
                continue;
            };
            if server.bmc().chassis().is_on() {
                self.was_on.insert(target.clone());
            }
            let lab = self.lab.clone();
            going.spawn(async move {
                let done = retire(&lab, &server).await;
                (target, done.map(|()| change.act))
            });
        }
        let done = all(&mut going).await;
        self.gone(done);
        for kind in [TargetKind::BootServer, TargetKind::Router] {
            let mut going = JoinSet::new();
            for (target, change) in self.of(kind) {
                let Some(unit) = self.lab.unit(&target) else {
                    continue;
                };
                if change.act == Act::Remove {
                    if let Some(site) = self.lab.fleet().sites.get(&target) {
                        site.served().cancel();
                    }
                    going.spawn(async move {
                        unit.halt().await;
                        (target, Ok(Act::Remove))
                    });
                } else if change.how == How::Restart {
                    if unit.is_on() {
                        self.was_on.insert(target.clone());
                    }
                    going.spawn(async move {
                        let done = unit.power_off(CAUSE).await;
                        (
                            target,
                            done.map(|()| Act::Change)
                                .map_err(|error| error.to_string()),
                        )
                    });
                }
            }
            let done = all(&mut going).await;
            self.gone(done);
        }
    }

    fn gone(&mut self, done: Vec<(Target, Result<Act, String>)>) {
        for (target, done) in done {
            match done {
                Ok(Act::Remove) => {
                    self.lab.fleet_mut().remove(&target);
                    self.tell(&target.to_string(), "removed", false);
                }
                Ok(_) => {}
                Err(why) => self.fail(target, why),
            }
        }
    }

    /// Links, namespaces, addresses.
    async fn rewire(&mut self) {
        let (wiring, plan) = (self.lab.wiring().clone(), self.it.plan.clone());
        let cluster = self.it.new.cluster.clone();
        let work =
            move || wiring.change_to(plan, |it| super::super::start::loopback_of(&cluster, it));
        let unmade = match tokio::task::spawn_blocking(work).await {
            Ok(unmade) => unmade,
            Err(error) => {
                self.tell("links", &error.to_string(), true);
                return;
            }
        };
        let lost: HashSet<Target> = unmade.iter().map(|it| it.target.clone()).collect();
        for (target, change) in self.of(TargetKind::Network) {
            if !lost.contains(&target) {
                let text = match change.act {
                    Act::Add => "made",
                    Act::Change => "changed",
                    Act::Remove => "removed",
                };
                self.tell(&target.to_string(), text, false);
            }
        }
        for unmade in unmade {
            let why = crate::error::chain(&unmade.error);
            if unmade.target.kind == TargetKind::Network {
                for owner in self.changing_on(&unmade.target.name) {
                    let why = format!("its link on {} was not made: {why}", unmade.target);
                    self.fail(owner, why);
                }
            }
            self.fail(unmade.target, why);
        }
    }

    /// What changes and has an interface on a network.
    fn changing_on(&self, network: &str) -> Vec<Target> {
        let pairs = &self.it.plan.pairs;
        let pairs = pairs.iter().filter(|pair| pair.network == network);
        let owners = pairs.flat_map(crate::plan::ends).map(|end| &end.target);
        let changing = owners.filter(|owner| self.it.changes.of(&owner.to_string()).is_some());
        changing.cloned().collect()
    }

    /// Routers, then boot servers.
    async fn change_units(&mut self, kind: TargetKind) {
        let mut changing = JoinSet::new();
        for (target, change) in self.of(kind) {
            let Some(spec) = self.it.specs.remove(&target) else {
                continue;
            };
            if let Some(site) = self.it.sites.remove(&target) {
                let old = self.lab.fleet_mut().sites.insert(target.clone(), site);
                if let Some(old) = old {
                    old.served().cancel();
                }
            }
            let unit = self.lab.unit(&target);
            let was_on = self.was_on.contains(&target);
            let (lab, workshop) = (self.lab.clone(), self.it.workshop.clone());
            changing.spawn(async move {
                let done = match unit {
                    None => {
                        let unit = workshop.unit(spec);
                        lab.fleet_mut().units.insert(target.clone(), unit.clone());
                        let done = start(&unit).await.map(|()| "made");
                        if done.is_err() {
                            lab.fleet_mut().remove(&target);
                        }
                        done
                    }
                    Some(unit) if change.how == How::Restart => {
                        unit.respec(spec);
                        if was_on {
                            start(&unit).await.map(|()| "restarted")
                        } else {
                            Ok("changed; it has no power")
                        }
                    }
                    Some(unit) => match unit.update(spec, &update_of(&change)).await {
                        Ok(ready) => {
                            ready.wait().await;
                            Ok("changed")
                        }
                        Err(error) => Err(error.to_string()),
                    },
                };
                let problem = lab.unit(&target).and_then(|unit| unit.problem());
                let problem = problem.map_or_else(String::new, |why| format!("; {why}"));
                (target, done.map(|text| format!("{text}{problem}")))
            });
        }
        for outcome in all(&mut changing).await {
            let (target, made) = (outcome.0.clone(), outcome.1.is_ok());
            self.note(outcome);
            if made && kind == TargetKind::BootServer {
                self.serve(&target);
            }
        }
    }

    /// HTTP of a boot server that came, or serves elsewhere; what its file says of its faults.
    fn serve(&mut self, target: &Target) {
        let cluster = self.it.new.cluster.clone();
        let change = self.it.changes.of(&target.to_string()).cloned();
        let Some((change, server)) = change.zip(cluster.boot_servers.get(&target.name)) else {
            return;
        };
        let changes = |key: &str| change.keys.iter().any(|it| it.key == key);
        let http = server.faults.http;
        if change.act == Act::Add || changes("http-port") {
            if let Err(why) = self.lab.serve_http_on(target, server.http_port) {
                self.fail(target.clone(), why);
            }
        } else if changes("faults.http")
            && let Err(why) = self.lab.set_http_fault(target, http)
        {
            self.fail(target.clone(), why);
        }
    }

    /// Every boot server knows the servers as they are now.
    fn offer(&mut self) {
        for (target, offer) in std::mem::take(&mut self.it.offers) {
            if !self.failed.contains_key(&target)
                && let Some(site) = self.lab.fleet().sites.get(&target)
            {
                site.offer(offer);
            }
        }
    }

    async fn change_servers(&mut self) {
        let mut starting = Vec::new();
        for (target, change) in self.of(TargetKind::Node) {
            let Some(node) = self.it.new.cluster.nodes.get(&target.name).cloned() else {
                continue;
            };
            let anew = change.act == Act::Add || change.how == How::Restart;
            let done = if anew {
                self.make_server(&target, &node).await
            } else {
                self.describe_server(&target, &node).await
            };
            match done {
                Ok(server) if anew => {
                    let on = match change.act {
                        Act::Add => node.autostart,
                        _ => self.was_on.contains(&target),
                    };
                    let text = if change.act == Act::Add {
                        "made"
                    } else {
                        "made anew"
                    };
                    self.tell(&target.to_string(), text, false);
                    starting.extend(on.then_some(server));
                }
                Ok(_) => self.tell(&target.to_string(), "changed", false),
                Err(why) => self.fail(target, why),
            }
        }
        for (target, why) in self.lab.start_these(starting).await {
            // Its event is there already.
            self.tell(&target.to_string(), &why, true);
            self.failed.entry(target).or_insert(why);
        }
    }

    /// A server that comes, or comes back as another machine.
    async fn make_server(&mut self, target: &Target, node: &Node) -> Result<Server, String> {
        let unit = if let (Tier::Netns, Some(spec)) = (node.tier, self.it.specs.remove(target)) {
            let known = self.lab.unit(target);
            let unit = known.unwrap_or_else(|| self.it.workshop.unit(spec.clone()));
            unit.respec(spec);
            let mut fleet = self.lab.fleet_mut();
            fleet.units.insert(target.clone(), unit.clone());
            drop(fleet);
            Some(unit)
        } else {
            self.lab.fleet_mut().units.shift_remove(target);
            None
        };
        let (workshop, own) = (self.it.workshop.clone(), node.clone());
        // Disks are copied and devices made.
        let made = tokio::task::spawn_blocking(move || workshop.server(&own, unit)).await;
        let server = made
            .map_err(|error| error.to_string())?
            .map_err(|error: LabError| error.to_string());
        let server = match server {
            Ok(server) => server,
            Err(why) => {
                self.lab.fleet_mut().remove(target);
                return Err(why);
            }
        };
        self.lab
            .fleet_mut()
            .servers
            .insert(node.name.clone(), server.clone());
        self.lab.follow_bgp_on(server.clone());
        self.lab.serve_bmc_of(&server)?;
        Ok(server)
    }

    /// A server that stays, and of which the file says something else.
    async fn describe_server(&mut self, target: &Target, node: &Node) -> Result<Server, String> {
        let server = self.lab.server(&node.name);
        let server = server.ok_or_else(|| format!("{target} is not there"))?;
        let policy = policy_of(node.power_restore);
        if policy_of(server.node().power_restore) != policy {
            server.bmc().set_policy(policy);
        }
        if let (Some(unit), Some(spec)) = (self.lab.unit(target), self.it.specs.remove(target)) {
            let done = unit.update(spec, &Update::default()).await;
            done.map_err(|error| error.to_string())?;
        }
        let described = server.described_as(node.clone());
        self.lab
            .fleet_mut()
            .servers
            .insert(node.name.clone(), described.clone());
        Ok(described)
    }

    /// Notes what the lab is made from now; the sentences of what failed.
    fn settle(&self) -> Vec<String> {
        let blueprint = super::mixed::mixed(
            &self.it.old,
            &self.it.new,
            &self.failed,
            &self.lab.wiring().plan(),
        );
        let mut fleet = self.lab.fleet_mut();
        fleet.sort_as(&self.it.new.cluster);
        fleet.blueprint = blueprint;
        drop(fleet);
        let failures = self.failed.iter();
        failures
            .map(|(target, why)| format!("{target}: {why}"))
            .collect()
    }
}

/// Takes a server out of service for good: the machine behind it goes, its BMC answers no more.
async fn retire(lab: &Lab, server: &Server) -> Result<(), String> {
    if let Some(machine) = server.body().machine() {
        let booted = server.track().phase() >= BootPhase::Agent;
        let grace = if booted { GRACE } else { Duration::ZERO };
        Machine::halt(machine, grace, CAUSE).await;
    }
    // One without mains is off already.
    let _ = server.power(PowerCommand::Off, Cause::Lab).await;
    if let Body::Unit { unit, .. } = server.body() {
        unit.power_off(CAUSE)
            .await
            .map_err(|error| error.to_string())?;
    }
    let closed = lab.close_bmc_of(server).await;
    server.retired().cancel();
    if let Some(machine) = server.body().machine() {
        machine.release_taps();
    }
    closed
}

async fn start(unit: &Unit) -> Result<(), String> {
    let ready = unit
        .power_on(CAUSE)
        .await
        .map_err(|error| error.to_string())?;
    // A program that never gets ready is an event of its own.
    ready.wait().await;
    Ok(())
}

async fn all<T: 'static>(set: &mut JoinSet<T>) -> Vec<T> {
    let mut done = Vec::new();
    while let Some(one) = set.join_next().await {
        done.extend(one.ok());
    }
    done
}

/// What of a unit's programs a change takes.
fn update_of(change: &ObjectChange) -> Update {
    let programs = change.keys.iter().filter(|key| key.how == How::Program);
    let mut programs: Vec<String> = programs
        .map(|key| match key.key.strip_prefix("apps.") {
            Some(app) => app.to_owned(),
            None if key.key == "bird.config" => "bird".to_owned(),
            // All else of a boot server is in its DHCP's configuration.
            None => "dnsmasq".to_owned(),
        })
        .collect();
    programs.sort();
    programs.dedup();
    Update {
        programs,
        reload: change.keys.iter().any(|key| key.how == How::Reload),
    }
}

fn policy_of(restore: PowerRestore) -> PowerPolicy {
    match restore {
        PowerRestore::AlwaysOn => PowerPolicy::AlwaysOn,
        PowerRestore::Previous => PowerPolicy::Previous,
        PowerRestore::AlwaysOff => PowerPolicy::AlwaysOff,
    }
}
