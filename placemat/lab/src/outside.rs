//! The way out of a lab, for networks with `use-nat`: a user-space network stack in the host's network at one end of a
//! TAP device in the hub, forwarding, and rules that make what comes from those networks the hub's.

use crate::event::EventBus;
use crate::lab::LabError;
use ipnet::IpNet;
use placemat_host::netlink::{Netlink, NetlinkError};
use placemat_host::probe::outside::{Stack, Uplink};
use placemat_host::sandbox::{HUB_NETNS, Outpost};
use placemat_spec::Cluster;
use placemat_spec::event::LabEventKind;
use std::fmt::Write as _;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Name of the TAP device. No name in a file has a tilde.
const DEVICE: &str = "~outside";
/// A stack that takes longer to make its device is broken.
const PATIENCE: Duration = Duration::from_secs(20);
/// A stack that ended is started again after this long, so many times until it starts.
const AGAIN: Duration = Duration::from_secs(1);
const TRIES: u32 = 5;
/// Rules are loaded in milliseconds; the kernel's lock may be busy with many.
const RULES: Duration = Duration::from_secs(30);

/// What the way out is made of.
#[derive(Debug, Clone)]
pub struct Exit {
    /// The user-space network stack.
    pub stack: Stack,
    /// Where it runs.
    pub outpost: Outpost,
}

/// The source ranges of networks that lead out.
pub fn ranges(cluster: &Cluster) -> Vec<IpNet> {
    let networks = cluster.networks.values().filter(|it| it.use_nat);
    networks
        .flat_map(|network| network.addresses.iter().map(IpNet::trunc))
        .collect()
}

/// Rules that give packets of `ranges` the hub's address where they leave those ranges.
pub fn rules(table: &str, ranges: &[IpNet]) -> String {
    let mut rules = String::new();
    for range in ranges {
        let family = if range.addr().is_ipv4() { "ip" } else { "ip6" };
        // Writing to a string does not fail.
        let _ = writeln!(
            rules,
            "    {family} saddr {range} {family} daddr != {range} masquerade"
        );
    }
    format!(
        "table inet {table} {{\n  chain out {{\n    type nat hook postrouting priority srcnat;\n{rules}  }}\n}}\n"
    )
}

/// Opens the way out and keeps it open until `cancel`.
pub(crate) async fn open(
    exit: &Exit,
    cluster: &Cluster,
    logs: &Path,
    bus: &EventBus,
    tasks: &tokio_util::task::TaskTracker,
    cancel: &CancellationToken,
) -> Result<(), LabError> {
    let failed = |act: &str, error: &dyn std::error::Error| {
        LabError(format!("{act}: {}", crate::error::chain(error)))
    };
    let taken: Vec<IpNet> = cluster
        .networks
        .values()
        .flat_map(|network| network.addresses.iter().copied())
        .collect();
    let uplink = exit.stack.uplink(DEVICE, &taken);
    forward_in_hub().map_err(|error| failed("let the hub forward", &error))?;
    load(&rules("placemat", &ranges(cluster)))
        .await
        .map_err(|error| failed("masquerade in the hub", &error))?;
    std::fs::create_dir_all(logs).map_err(|error| failed("create the hub's logs", &error))?;
    let log = logs.join("outside.log");
    start(exit, &uplink, &log).await.map_err(|reason| {
        LabError(format!(
            "open the way out: {reason} (see {})",
            log.display()
        ))
    })?;
    let servers: Vec<String> = uplink
        .name_servers
        .iter()
        .map(ToString::to_string)
        .collect();
    let text = format!(
        "the outside is reached through {}; the host's name server answers at {}",
        exit.stack.path.display(),
        servers.join(" and ")
    );
    bus.emit("hub", LabEventKind::Note { text });
    let (exit, bus, stop) = (exit.clone(), bus.clone(), cancel.clone());
    tasks.spawn(async move {
        stop.run_until_cancelled(keep(&exit, &uplink, &log, &bus))
            .await;
    });
    Ok(())
}

/// Starts the stack again whenever it ends.
async fn keep(exit: &Exit, uplink: &Uplink, log: &Path, bus: &EventBus) {
    let note = |text: String| bus.emit("hub", LabEventKind::Note { text });
    loop {
        match exit.outpost.ended().await {
            Ok(code) => note(format!(
                "the way out ended with code {code}; it is opened again"
            )),
            Err(error) => {
                let why = crate::error::chain(&error);
                note(format!(
                    "the way out will not be opened again when it closes: its helper in the host's network is gone ({why})"
                ));
                return;
            }
        }
        if let Err(reason) = again(exit, uplink, log).await {
            note(format!("the way out stays closed: {reason}"));
            return;
        }
    }
}

/// Starts it again. A stack that ends at once may have found something of the one before in its way.
async fn again(exit: &Exit, uplink: &Uplink, log: &Path) -> Result<(), Closed> {
    let mut tries = 0;
    loop {
        tokio::time::sleep(AGAIN).await;
        tries += 1;
        match start(exit, uplink, log).await {
            Err(Closed::Ended(_)) if tries < TRIES => {}
            done => return done,
        }
    }
}

/// Why there is no way out.
#[derive(Debug, thiserror::Error)]
enum Closed {
    /// Nothing runs, so it can be tried again.
    #[error("{0}")]
    Ended(String),
    /// A stack runs that does nothing.
    #[error("{0}")]
    Stuck(String),
}

async fn start(exit: &Exit, uplink: &Uplink, log: &Path) -> Result<(), Closed> {
    let ended = |error: &dyn std::error::Error| Closed::Ended(crate::error::chain(error));
    let stuck = |error: &dyn std::error::Error| Closed::Stuck(crate::error::chain(error));
    free(uplink)?;
    let root = placemat_host::process::effective_uid() == 0;
    let argv = exit.stack.command(uplink, Path::new(HUB_NETNS), root);
    let log: OwnedFd = File::options()
        .create(true)
        .append(true)
        .open(log)
        .map_err(|error| ended(&error))?
        .into();
    exit.outpost
        .start(&argv, log)
        .await
        .map_err(|error| ended(&error))?;
    let uplink = uplink.clone();
    let made = tokio::task::spawn_blocking(move || connect(&uplink));
    tokio::select! {
        made = made => made.map_err(|error| stuck(&error))?.map_err(|error| stuck(&error)),
        end = exit.outpost.ended() => Err(match end {
            Ok(code) => Closed::Ended(format!("the stack ended with code {code}")),
            Err(error) => ended(&error),
        }),
    }
}

/// The device of a stack before goes with it, a moment later. It must not be taken for the new one's.
fn free(uplink: &Uplink) -> Result<(), Closed> {
    let links = Netlink::open().and_then(|mut hub| hub.links());
    let links = links.map_err(|error| Closed::Ended(crate::error::chain(&error)))?;
    if links.iter().any(|link| link.name == uplink.device) {
        let device = uplink.device;
        return Err(Closed::Ended(format!("there is a {device} already")));
    }
    Ok(())
}

/// Waits for the stack's device in the hub, and makes it the way out.
fn connect(uplink: &Uplink) -> Result<(), NetlinkError> {
    let mut hub = Netlink::open()?;
    let index = hub.wait_for_link(uplink.device, PATIENCE)?;
    for address in &uplink.addresses {
        hub.add_address(index, *address)?;
    }
    hub.set_up(uplink.device, true)?;
    for gateway in &uplink.gateways {
        hub.add_default_route(*gateway, index)?;
    }
    Ok(())
}

/// The lab process is in the hub's namespace, and so are these.
pub(crate) fn forward_in_hub() -> std::io::Result<()> {
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1")?;
    // A kernel without IPv6 has no such key.
    match std::fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1") {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives rules to `nft`, in the hub.
pub(crate) async fn load(rules: &str) -> std::io::Result<()> {
    let path = placemat_host::probe::program::locate("nft").map_err(std::io::Error::other)?;
    let mut nft = Command::new(path)
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdin = nft.stdin.take();
    let run = async {
        if let Some(mut stdin) = stdin {
            stdin.write_all(rules.as_bytes()).await?;
        }
        nft.wait_with_output().await
    };
    let Ok(output) = timeout(RULES, run).await else {
        let waited = RULES.as_secs();
        let message = format!("nft did not end within {waited} s");
        return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, message));
    };
    let output = output?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(std::io::Error::other(format!("nft: {}", said.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_both_families() {
        let ranges = ["10.0.0.0/24", "fd00:1::/64"].map(|net| net.parse().expect("a subnet"));
        insta::assert_snapshot!(rules("placemat", &ranges));
    }
}
