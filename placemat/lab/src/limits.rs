//! Limits of the host that cross namespaces, held against what a plan needs of them: before anything
//! starts, since a lab that meets one half-way stands still without a word. A lab never raises them:
//! it says which lines would, and `placemat doctor --fix` applies those.

mod demand;

pub use demand::{Demand, Need};

use placemat_host::probe::limit::{Reading, Settings};
use placemat_spec::{Problem, Severity};
use std::collections::BTreeMap;

/// A limit.
#[derive(Debug)]
pub struct Limit {
    /// The setting that it is, or `open files` and `processes`: `ulimit` has those.
    pub name: &'static str,
    /// What it is of.
    pub what: &'static str,
    /// How much of it a lab needs.
    need: fn(&Demand) -> Need,
    /// Settings that go before it, each half of the next: the kernel starts to clean up there.
    before: &'static [&'static str],
}

/// Every limit that is looked at.
pub const LIMITS: [Limit; 14] = [
    Limit {
        before: &[
            "net.ipv4.neigh.default.gc_thresh1",
            "net.ipv4.neigh.default.gc_thresh2",
        ],
        ..limit(
            "net.ipv4.neigh.default.gc_thresh3",
            "IPv4 neighbours of all namespaces",
            |demand| demand.neighbours[0],
        )
    },
    Limit {
        before: &[
            "net.ipv6.neigh.default.gc_thresh1",
            "net.ipv6.neigh.default.gc_thresh2",
        ],
        ..limit(
            "net.ipv6.neigh.default.gc_thresh3",
            "IPv6 neighbours of all namespaces",
            |demand| demand.neighbours[1],
        )
    },
    namespaces("user.max_net_namespaces", "network namespaces of a user"),
    namespaces("user.max_mnt_namespaces", "mount namespaces of a user"),
    namespaces("user.max_pid_namespaces", "PID namespaces of a user"),
    namespaces("user.max_uts_namespaces", "UTS namespaces of a user"),
    namespaces("user.max_ipc_namespaces", "IPC namespaces of a user"),
    limit(
        "user.max_user_namespaces",
        "user namespaces of a user",
        |_| Need::all(2),
    ),
    limit("kernel.pid_max", "processes and threads", |demand| {
        demand.threads
    }),
    limit("kernel.threads-max", "processes and threads", |demand| {
        demand.threads
    }),
    limit("fs.file-max", "open files of the host", |demand| {
        demand.files
    }),
    limit(
        "fs.inotify.max_user_instances",
        "inotify instances of a user",
        |demand| demand.inotify,
    ),
    limit("processes", "processes of this user", |demand| {
        demand.threads
    }),
    limit("open files", "open files of a process", |demand| {
        demand.own_files
    }),
];

const fn limit(name: &'static str, what: &'static str, need: fn(&Demand) -> Need) -> Limit {
    Limit {
        name,
        what,
        need,
        before: &[],
    }
}

const fn namespaces(name: &'static str, what: &'static str) -> Limit {
    limit(name, what, |demand| demand.namespaces)
}

/// What is known of each limit, by its name.
#[derive(Debug, Clone, Default)]
pub struct Measured(pub BTreeMap<&'static str, Reading>);

impl Measured {
    /// Looks at this host.
    pub fn of(settings: &Settings) -> Self {
        let each = LIMITS.iter().map(|it| (it.name, settings.reading(it.name)));
        Self(each.collect())
    }

    /// What is known of one.
    pub fn of_limit(&self, limit: &Limit) -> Reading {
        self.0.get(limit.name).copied().unwrap_or_default()
    }
}

/// A limit that is too low.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which.
    pub limit: &'static Limit,
    /// What is known of it.
    pub reading: Reading,
    /// How much of it the lab needs.
    pub need: Need,
    /// Whether the lab cannot work, or only may not.
    pub severity: Severity,
}

/// Holds what a lab needs against what there is. What is not known is no finding.
pub fn check(demand: &Demand, measured: &Measured) -> Vec<Finding> {
    let finding = |limit: &'static Limit| {
        let reading = measured.of_limit(limit);
        let need = (limit.need)(demand);
        let free = reading.has?.saturating_sub(reading.used);
        let severity = if need.sure > free {
            Severity::Error
        } else if need.likely > free {
            Severity::Warning
        } else {
            return None;
        };
        Some(Finding {
            limit,
            reading,
            need,
            severity,
        })
    };
    LIMITS.iter().filter_map(finding).collect()
}

impl Limit {
    /// How much of it a lab needs.
    pub fn need(&self, demand: &Demand) -> Need {
        (self.need)(demand)
    }
}

impl Finding {
    /// Settings that would do, with room for twice as much; none where it is no setting.
    pub fn settings(&self) -> Vec<(&'static str, u64)> {
        if !self.limit.name.contains('.') {
            return Vec::new();
        }
        let most = (2 * self.need.likely + self.reading.used).next_power_of_two();
        let all = self.limit.before.iter().chain([&self.limit.name]);
        let count = self.limit.before.len();
        all.enumerate()
            .map(|(index, name)| (*name, most >> (count - index)))
            .collect()
    }

    /// The line that raises it.
    pub fn remedy(&self) -> String {
        let settings = self.settings();
        if settings.is_empty() {
            let most = (2 * self.need.likely).next_power_of_two();
            let flag = if self.limit.name == "open files" {
                "-n"
            } else {
                "-u"
            };
            return format!("ulimit {flag} {most}");
        }
        let words = settings
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        format!("sysctl -w {}", words.collect::<Vec<_>>().join(" "))
    }

    /// As a problem of the whole lab.
    pub fn problem(&self) -> Problem {
        let Self {
            limit,
            reading,
            need,
            ..
        } = self;
        let verb = match self.severity {
            Severity::Error => "needs",
            Severity::Warning => "may need",
        };
        let has = reading.has.unwrap_or_default();
        let used = match reading.used {
            0 => String::new(),
            used => format!(", {used} of them in use"),
        };
        Problem::new(
            "host-limit",
            format!(
                "the lab {verb} {} {}; {} allows {has}{used}",
                need.likely, limit.what, limit.name
            ),
        )
        .help(if self.settings().is_empty() {
            format!(
                "`{}` raises it for this shell, as far as the host lets you",
                self.remedy()
            )
        } else {
            format!(
                "`{}` raises it; `placemat doctor --fix FILE` does that, as root",
                self.remedy()
            )
        })
    }
}

#[cfg(test)]
mod tests;
