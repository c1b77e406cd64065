//! `dnsmasq`'s configuration for a boot server. Pure, and each line with its reason.

use placemat_spec::resource::BootServer;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

/// Path of the UEFI boot file on the boot server; which file it is depends on who asks.
pub const BOOT_PATH: &str = "/boot.efi";

/// Why there can be no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsmasqError {
    /// Relays and machines have nothing to speak to.
    #[error("boot server {name} has no IPv4 loopback address to serve DHCP and HTTP at")]
    NoAddress {
        /// The boot server.
        name: String,
    },
}

/// The address that relays send to and that HTTP is served at: the first IPv4 one on `lo`.
pub fn service_address(server: &BootServer) -> Result<Ipv4Addr, DnsmasqError> {
    let mut addresses = server.loopback.iter().map(ipnet::IpNet::addr);
    addresses
        .find_map(|address| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
        .ok_or_else(|| DnsmasqError::NoAddress {
            name: server.name.clone(),
        })
}

/// Where a boot server's UEFI boot file is.
pub fn boot_url(server: &BootServer) -> Result<String, DnsmasqError> {
    let address = service_address(server)?;
    let port = match server.http_port {
        80 => String::new(),
        port => format!(":{port}"),
    };
    Ok(format!("http://{address}{port}{BOOT_PATH}"))
}

/// `dnsmasq`'s arguments: it stays in the foreground and logs to standard error.
pub fn arguments(config: &Path) -> Vec<String> {
    vec![
        "--keep-in-foreground".into(),
        "--log-facility=-".into(),
        format!("--conf-file={}", config.display()),
    ]
}

/// The configuration. `state` is a folder that `dnsmasq` may write to: leases and process id.
pub fn config(server: &BootServer, state: &Path) -> Result<String, DnsmasqError> {
    let address = service_address(server)?;
    let url = boot_url(server)?;
    let state = state.display();
    let mut text = format!(
        "# boot-server/{name}: DHCP for servers behind relays\n\
         # No DNS.\n\
         port=0\n\
         # It may have one user id only, and then none to change to.\n\
         user=root\n\
         group=root\n\
         dhcp-leasefile={state}/dnsmasq.leases\n\
         pid-file={state}/dnsmasq.pid\n\
         log-dhcp\n\
         dhcp-authoritative\n\
         # A server waits three seconds while its address is pinged, and no address is given twice.\n\
         no-ping\n\
         # UEFI firmware that boots over HTTP takes an offer only from who says the same of itself.\n\
         dhcp-vendorclass=set:http,HTTPClient\n\
         dhcp-option-force=tag:http,60,HTTPClient\n\
         dhcp-boot=tag:http,{url}\n\
         # Whatever else asks finds the boot server by option 66 and next-server.\n\
         dhcp-option-force=tag:!http,66,{address}\n\
         dhcp-boot=tag:!http,boot.efi,,{address}\n",
        name = server.name,
    );
    for (index, range) in server.dhcp.ranges.iter().enumerate() {
        let tag = format!("range{index}");
        // Writing to a string never fails.
        let _ = writeln!(
            text,
            "dhcp-range=set:{tag},{},{},{},{}",
            range.start,
            range.end,
            range.subnet.netmask(),
            lease(range.lease)
        );
        // Without a value the option is not sent: else dnsmasq names itself as the gateway.
        let router = range.router.map_or(String::new(), |router| format!(",{router}"));
        let _ = writeln!(text, "dhcp-option=tag:{tag},3{router}");
    }
    for host in &server.dhcp.hosts {
        let _ = writeln!(text, "dhcp-host={},{}", host.mac, host.address);
    }
    Ok(text)
}

/// Seconds; dnsmasq takes no less than two minutes.
fn lease(time: Duration) -> u64 {
    time.as_secs().max(120)
}
