//! `dnsmasq`'s configuration for a boot server. Pure, and each line with its reason.

use super::site::{BOOT_PATH, SCRIPT_PATH};
use placemat_spec::resource::{BootServer, DhcpFault};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

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

/// Where a boot server's HTTP is, without a path.
pub fn base_url(server: &BootServer) -> Result<String, DnsmasqError> {
    let address = service_address(server)?;
    let port = match server.http_port {
        80 => String::new(),
        port => format!(":{port}"),
    };
    Ok(format!("http://{address}{port}"))
}

/// `dnsmasq`'s arguments: it stays in the foreground and logs to standard error.
pub fn arguments(config: &Path) -> Vec<String> {
    vec![
        "--keep-in-foreground".into(),
        "--log-facility=-".into(),
        format!("--conf-file={}", config.display()),
    ]
}

/// The configuration, with what a fault changes in it. `state` is a folder that `dnsmasq` may write
/// to: leases and process id.
pub fn config(
    server: &BootServer,
    state: &Path,
    fault: Option<DhcpFault>,
) -> Result<String, DnsmasqError> {
    let address = service_address(server)?;
    let base = base_url(server)?;
    let state = state.display();
    // Who has a lease keeps it: refusals are of a server that knows nobody and has nothing to give.
    let (leases, refusals) = match fault {
        Some(DhcpFault::Nak) => ("nak.leases", "dhcp-lease-max=0\n"),
        _ => ("dnsmasq.leases", ""),
    };
    let mut text = format!(
        "# boot-server/{name}: DHCP for servers behind relays\n\
         # No DNS.\n\
         port=0\n\
         # It may have one user id only, and then none to change to.\n\
         user=root\n\
         group=root\n\
         dhcp-leasefile={state}/{leases}\n\
         {refusals}\
         pid-file={state}/dnsmasq.pid\n\
         log-dhcp\n\
         dhcp-authoritative\n\
         # A server waits three seconds while its address is pinged, and no address is given twice.\n\
         no-ping\n",
        name = server.name,
    );
    match fault {
        Some(DhcpFault::Silent) => {
            text.push_str("# A fault: nobody has this tag, so everybody is ignored.\n");
            text.push_str("dhcp-ignore=tag:!heard\n");
        }
        Some(DhcpFault::Slow { delay }) => {
            let delay = delay.as_secs();
            // Writing to a string never fails.
            let _ = write!(
                text,
                "# A fault: offers are late.\ndhcp-reply-delay={delay}\n"
            );
        }
        Some(DhcpFault::NoBootFile | DhcpFault::Nak) | None => {}
    }
    if fault == Some(DhcpFault::NoBootFile) {
        text.push_str("# A fault: there is nothing to boot.\n");
    } else {
        let _ = write!(
            text,
            "# UEFI firmware that boots over HTTP (client architecture 16: x86-64) takes an offer only\n\
             # from who says the same of itself.\n\
             dhcp-vendorclass=set:http-client,HTTPClient\n\
             dhcp-match=set:x86-64-http,option:client-arch,16\n\
             tag-if=set:http,tag:http-client,tag:x86-64-http,tag:!ipxe\n\
             dhcp-option-force=tag:http,60,HTTPClient\n\
             dhcp-boot=tag:http,{base}{BOOT_PATH}\n\
             # iPXE, out of a network card's ROM or fetched as boot file, gets its script, and the word\n\
             # that no proxy DHCP will come, for which it would wait ten seconds (no-pxedhcp).\n\
             dhcp-userclass=set:ipxe,iPXE\n\
             dhcp-boot=tag:ipxe,{base}{SCRIPT_PATH},,{address}\n\
             dhcp-option-force=tag:ipxe,encap:175,176,1b\n\
             # Whatever else asks finds the boot server by option 66 and next-server.\n\
             dhcp-option-force=tag:!http,66,{address}\n\
             dhcp-boot=tag:!http,tag:!ipxe,boot.efi,,{address}\n",
        );
    }
    for (index, range) in server.dhcp.ranges.iter().enumerate() {
        let tag = format!("range{index}");
        let _ = writeln!(
            text,
            "dhcp-range=set:{tag},{},{},{},{}",
            range.start,
            range.end,
            range.subnet.netmask(),
            lease(range.lease)
        );
        // Without a value the option is not sent: else dnsmasq names itself as the gateway.
        let router = range
            .router
            .map_or(String::new(), |router| format!(",{router}"));
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

#[cfg(test)]
mod tests {
    use super::*;
    use placemat_spec::Place;
    use placemat_spec::resource::{BootFaults, BootMethod, Dhcp, DhcpHost, DhcpRange};
    use placemat_spec::value::Mac;

    fn server() -> BootServer {
        let place = Place::default();
        let range = |third: u8, router| DhcpRange {
            subnet: format!("10.69.{third}.64/26").parse().expect("subnet"),
            start: Ipv4Addr::new(10, 69, third, 100),
            end: Ipv4Addr::new(10, 69, third, 120),
            router,
            lease: Duration::from_secs(3600),
            place,
        };
        let host = |last: u8| DhcpHost {
            mac: Mac([0x52, 0x54, 0, 0xaa, 0xbb, last]),
            address: Ipv4Addr::new(10, 69, 0, 64 + last),
            place,
        };
        BootServer {
            name: "rack1-boot".into(),
            interfaces: Vec::new(),
            loopback: vec!["10.69.0.3/32".parse().expect("address")],
            bird: None,
            dhcp: Dhcp {
                ranges: vec![range(0, Some(Ipv4Addr::new(10, 69, 0, 65))), range(1, None)],
                hosts: vec![host(4), host(5)],
            },
            http_port: 80,
            image: "node-os".into(),
            boot: BootMethod::Uki,
            kernel_params: None,
            machines: Vec::new(),
            faults: BootFaults::default(),
            labels: std::collections::BTreeMap::new(),
            place,
        }
    }

    #[test]
    fn relayed_ranges_and_fixed_hosts() {
        let text = config(&server(), Path::new("/run/dnsmasq"), None).expect("config");
        insta::assert_snapshot!(text);
    }

    const FAULTS: [DhcpFault; 4] = [
        DhcpFault::Silent,
        DhcpFault::Slow {
            delay: Duration::from_secs(5),
        },
        DhcpFault::NoBootFile,
        DhcpFault::Nak,
    ];

    #[test]
    fn what_faults_change() {
        let lines = |fault| -> Vec<String> {
            let text = config(&server(), Path::new("/run/dnsmasq"), fault).expect("config");
            text.lines().map(str::to_owned).collect()
        };
        let sound = lines(None);
        let mut shown = String::new();
        for fault in FAULTS {
            let faulty = lines(Some(fault));
            let _ = writeln!(shown, "{fault}:");
            for gone in sound.iter().filter(|line| !faulty.contains(line)) {
                let _ = writeln!(shown, "- {gone}");
            }
            for new in faulty.iter().filter(|line| !sound.contains(line)) {
                let _ = writeln!(shown, "+ {new}");
            }
        }
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn another_port_is_in_the_url() {
        let server = BootServer {
            http_port: 8080,
            ..server()
        };
        assert_eq!(base_url(&server).expect("url"), "http://10.69.0.3:8080");
    }

    #[test]
    fn needs_an_address() {
        let server = BootServer {
            loopback: Vec::new(),
            ..server()
        };
        let error = config(&server, Path::new("/run"), None).expect_err("no address");
        insta::assert_snapshot!(error, @"boot server rack1-boot has no IPv4 loopback address to serve DHCP and HTTP at");
    }

    #[test]
    fn dnsmasq_accepts_it() {
        let Ok(dnsmasq) = placemat_host::probe::program::locate("dnsmasq") else {
            let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
            assert!(
                !required.contains("dnsmasq"),
                "PLACEMAT_REQUIRE names dnsmasq, which is missing"
            );
            eprintln!("skipped: dnsmasq is not installed");
            return;
        };
        for fault in FAULTS.map(Some).into_iter().chain([None]) {
            let folder = tempfile::tempdir().expect("folder");
            let path = folder.path().join("dnsmasq.conf");
            let text = config(&server(), folder.path(), fault).expect("config");
            std::fs::write(&path, text).expect("write");
            let output = std::process::Command::new(&dnsmasq)
                .args(arguments(&path))
                .arg("--test")
                .output()
                .expect("run dnsmasq");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
        }
    }
}
