//! What can be seen of a live lab.

use super::{Lab, Output};
use crate::birdc;
use crate::error::ActError;
use crate::probe::{Flow, Flows, RouteChanges};
use crate::unit::BIRD_SOCKET;
use ipnet::IpNet;
use placemat_bmc::hardware::Hardware;
use placemat_host::netlink::LinkState;
use placemat_spec::selector::Target;
use placemat_spec::session::{BfdSession, BgpSession};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

impl Lab {
    /// Whether something really runs, whatever its BMC says.
    pub async fn is_powered(&self, target: &Target) -> bool {
        match self.node_server(target) {
            Some(server) => server.body().is_on().await,
            None => self.unit(target).is_some_and(|unit| unit.is_on()),
        }
    }

    /// BGP sessions as the target's own BIRD sees them.
    pub async fn bgp(&self, target: &Target) -> Result<Vec<BgpSession>, String> {
        let table = self.bird(target, "show protocols all").await?;
        Ok(birdc::bgp_sessions(&table))
    }

    /// BFD sessions as the target's own BIRD sees them.
    pub async fn bfd(&self, target: &Target) -> Result<Vec<BfdSession>, String> {
        let table = self.bird(target, "show bfd sessions").await?;
        Ok(birdc::bfd_sessions(&table))
    }

    async fn bird(&self, target: &Target, command: &str) -> Result<String, String> {
        if self.is_vm(target) {
            let argv = ["birdc", "-s", "/run/bird/bird.ctl"]
                .into_iter()
                .chain(command.split(' '));
            let argv = argv.map(str::to_owned).collect();
            let output = self
                .exec(target, argv, Vec::new(), Vec::new())
                .await
                .map_err(|error| error.message)?;
            if output.exit != 0 {
                let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                return Err(format!("ask BIRD on {target}: {error}"));
            }
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let unit = self
            .unit(target)
            .ok_or_else(|| format!("{target} has no BIRD"))?;
        if !unit.is_on() {
            return Err(format!("{target} has no power"));
        }
        let socket = unit.run_dir().join(BIRD_SOCKET);
        birdc::command(&socket, command)
            .await
            .map_err(|error| format!("ask BIRD on {target}: {error}"))
    }

    /// Interfaces with state and counters.
    pub async fn links(&self, target: &Target) -> Result<Vec<LinkState>, String> {
        let (wiring, of) = (self.wiring().clone(), target.clone());
        blocking(move || {
            wiring
                .links(&of)
                .map_err(|error| crate::error::chain(&error))
        })
        .await
    }

    /// Routes of the main table, next hops in words.
    pub async fn routes(&self, target: &Target) -> Result<Vec<(IpNet, Vec<String>)>, String> {
        let (wiring, of) = (self.wiring().clone(), target.clone());
        blocking(move || {
            wiring
                .routes(&of)
                .map_err(|error| crate::error::chain(&error))
        })
        .await
    }

    /// Watches the kernel routes of everything with a namespace from now on.
    pub async fn watch_routes(&self) -> Result<RouteChanges, String> {
        let of = self.wiring().namespaces();
        let bus = self.bus().clone();
        blocking(move || RouteChanges::watch(of, bus).map_err(|error| error.to_string())).await
    }

    /// Pings every address once.
    pub async fn ping(
        &self,
        from: &Target,
        source: Option<IpAddr>,
        to: &[IpAddr],
        timeout: Duration,
    ) -> Result<Vec<Option<Duration>>, String> {
        if self.is_vm(from) {
            return self.ping_from_vm(from, source, to, timeout).await;
        }
        let netns = self.wiring().netns(from);
        let (from, to) = (from.clone(), to.to_vec());
        blocking(move || {
            placemat_host::icmp::ping(&netns, source, &to, timeout)
                .map_err(|error| format!("ping from {from}: {}", crate::error::chain(&error)))
        })
        .await
    }

    /// One command in the guest pings all, side by side, and prints who answered.
    async fn ping_from_vm(
        &self,
        from: &Target,
        source: Option<IpAddr>,
        to: &[IpAddr],
        timeout: Duration,
    ) -> Result<Vec<Option<Duration>>, String> {
        let source = source
            .map(|source| format!("-I {source} "))
            .unwrap_or_default();
        let seconds = timeout.as_secs().max(1);
        let list: Vec<String> = to.iter().map(ToString::to_string).collect();
        let script = format!(
            "for a in {}; do (ping -c 1 -W {seconds} {source}$a >/dev/null 2>&1 && echo $a) & done; wait",
            list.join(" ")
        );
        let argv = vec!["/bin/sh".to_owned(), "-c".to_owned(), script];
        let began = std::time::Instant::now();
        let output = self
            .exec(from, argv, Vec::new(), Vec::new())
            .await
            .map_err(|error| error.message)?;
        let took = began.elapsed();
        let answered = String::from_utf8_lossy(&output.stdout).into_owned();
        let answered: Vec<&str> = answered.lines().collect();
        Ok(list
            .iter()
            .map(|each| answered.contains(&each.as_str()).then_some(took))
            .collect())
    }

    /// Opens probe flows: (from, source, to, destination).
    pub async fn flows(
        &self,
        flows: Vec<(Target, SocketAddr, Target, IpAddr)>,
        every: Duration,
    ) -> Result<Flows, String> {
        let mut opened = Vec::new();
        for (from, source, to, destination) in flows {
            if self.is_vm(&from) {
                return Err(format!(
                    "{from} is a VM: flows start in namespaces (routers, boot servers, tier netns)"
                ));
            }
            opened.push(Flow {
                from: self.wiring().netns(&from),
                source,
                destination,
                to: (!self.is_vm(&to)).then(|| self.wiring().netns(&to)),
            });
        }
        let bus = self.bus().clone();
        blocking(move || {
            Flows::open(&opened, every, bus).map_err(|error| format!("open probe flows: {error}"))
        })
        .await
    }

    /// Runs a command and collects its output.
    pub async fn exec(
        &self,
        target: &Target,
        argv: Vec<String>,
        env: Vec<(String, String)>,
        stdin: Vec<u8>,
    ) -> Result<Output, ActError> {
        super::run::run(self, target, argv, env, stdin).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| error.to_string())?
}
