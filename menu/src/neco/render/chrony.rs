//! The time server's provisioning: `chrony-ign.yml`, which is Container Linux Config, and `chrony.ign`,
//! the Ignition that the server reads. Neco makes the one from the other with `ct`; here both come from
//! the same parts.

use crate::File;
use crate::neco::Plan;
use crate::render::Templates;
use minijinja::Error;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Version of Ignition's format: the last that Container Linux Config becomes.
const VERSION: &str = "2.3.0";
/// SHA-512 crypt of the password, which is the user's name.
const PASSWORD: &str = "$6$placemat$IANAkyrWr4zcPuU2xgSFDK8NHjKVm3MGRCw38MO25o5yw/LuqyF7dgEMKvHU6vP0bJ9YTCS59AuMrkjOxbAR41";
/// What `/etc/resolv.conf` says.
const RESOLV: &str = "nameserver 8.8.8.8\n";

/// The parts that both files are made of.
#[derive(Serialize)]
struct Parts<'a> {
    hostname: &'static str,
    resolv: &'static str,
    conf: String,
    network: String,
    service: String,
    password: &'static str,
    ssh_keys: &'a [String],
}

pub(super) fn render(plan: &Plan, templates: &Templates) -> Result<Vec<File>, Error> {
    let Some(chrony) = &plan.chrony else {
        return Ok(Vec::new());
    };
    let part = |name: &str| Ok::<_, Error>(templates.file(name, name, chrony)?.contents);
    let parts = Parts {
        hostname: "chrony\n",
        resolv: RESOLV,
        conf: part("chrony.conf")?,
        network: part("chrony.network")?,
        service: part("chrony.service")?,
        password: PASSWORD,
        ssh_keys: &chrony.ssh_keys,
    };
    let ignition = File {
        path: "chrony.ign".into(),
        contents: format!("{:#}\n", ignition(&parts)),
        mode: 0o644,
    };
    Ok(vec![
        templates.file("chrony-ign.yml", "chrony-ign.yml", &parts)?,
        ignition,
    ])
}

fn ignition(parts: &Parts<'_>) -> Value {
    let file = |path: &str, contents: &str| {
        json!({
            "filesystem": "root",
            "path": path,
            "mode": 0o644,
            "contents": {"source": data_url(contents)},
        })
    };
    json!({
        "ignition": {"version": VERSION},
        "storage": {"files": [
            file("/etc/hostname", parts.hostname),
            file("/etc/resolv.conf", parts.resolv),
            file("/etc/chrony.conf", &parts.conf),
        ]},
        "networkd": {"units": [{"name": "00-eth0.network", "contents": parts.network}]},
        "passwd": {"users": [{
            "name": "cybozu",
            "passwordHash": parts.password,
            "sshAuthorizedKeys": parts.ssh_keys,
            "groups": ["docker", "sudo"],
        }]},
        "systemd": {"units": [
            {"name": "systemd-resolved.service", "mask": true},
            {"name": "chrony.service", "enabled": true, "contents": parts.service},
        ]},
    })
}

/// A text as a URL (RFC 2397).
fn data_url(text: &str) -> String {
    let mut url = "data:,".to_owned();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}
