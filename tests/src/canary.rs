//! Tells when the kernel has taken a network namespace apart: a veth pair with one end in it and
//! the other in a namespace of the test's own. When the first goes, so does the second.

use crate::run;
use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A namespace of the test's own, with one interface for every namespace that is watched. Needs
/// root.
#[derive(Debug)]
pub struct Canary {
    holder: Child,
    planted: u32,
}

impl Canary {
    /// One that watches nothing yet.
    ///
    /// # Panics
    ///
    /// When its namespace cannot be made.
    pub fn new() -> Self {
        let own = net("self");
        let holder = Command::new("unshare")
            .args(["--net", "sleep", "infinity"])
            .stdin(Stdio::null())
            .spawn()
            .expect("unshare of util-linux");
        let pid = holder.id().to_string();
        let there = crate::poll(Duration::from_secs(10), || {
            net(&pid).filter(|link| Some(link) != own.as_ref())
        });
        assert!(there.is_some(), "make a network namespace");
        Self { holder, planted: 0 }
    }

    /// Watches the network namespaces of a process and all its descendants; how many could be
    /// watched.
    pub fn watch(&mut self, root: i32) -> usize {
        let mut seen: BTreeSet<Option<String>> = [net("self")].into();
        let processes = crate::process::descendants(root);
        let mut watched = 0;
        for process in processes {
            if seen.insert(net(&process.pid.to_string())) {
                self.planted += 1;
                let name = format!("canary{}", self.planted);
                let mut command = run::command("nsenter");
                command
                    .arg(format!("--net=/proc/{}/ns/net", process.pid))
                    .args(["ip", "link", "add", &name, "type", "veth", "peer"])
                    .args(["name", &name, "netns", &self.holder.id().to_string()])
                    .stderr(Stdio::null());
                // It may have ended meanwhile.
                watched += usize::from(command.status().is_ok_and(|status| status.success()));
            }
        }
        watched
    }

    /// Whether all that was watched is gone.
    pub fn all_gone(&self) -> bool {
        let devices = fs::read_to_string(format!("/proc/{}/net/dev", self.holder.id()));
        !devices.is_ok_and(|text| text.contains("canary"))
    }
}

impl Default for Canary {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn net(pid: &str) -> Option<String> {
    let link = fs::read_link(format!("/proc/{pid}/ns/net")).ok()?;
    Some(link.to_string_lossy().into_owned())
}
