//! Changes in words.

use super::{Act, Changes, Fate, How, KeyChange, SessionKind};
use std::fmt;

/// Characters of a value that are shown; JSON has all.
const LONGEST: usize = 70;

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.objects {
            let sign = match change.act {
                Act::Add => '+',
                Act::Change => '~',
                Act::Remove => '-',
            };
            writeln!(f, "{sign} {}", change.object)?;
            for key in &change.keys {
                writeln!(f, "    {key}")?;
            }
        }
        if !self.converted.is_empty() {
            writeln!(f)?;
        }
        for network in &self.converted {
            writeln!(f, "network/{network}: the veth pair becomes a bridge")?;
        }
        if !self.sessions.is_empty() || !self.machines.is_empty() {
            writeln!(f, "\ndisturbed")?;
        }
        for machine in &self.machines {
            let fate = match machine.fate {
                Fate::New => "is made",
                Fate::Removed => "is removed",
                Fate::Restarts => "restarts:",
                Fate::LosesInterface => "loses, for good or for a moment:",
            };
            let text = format!("  {} {fate} {}", machine.machine, machine.why);
            writeln!(f, "{}", text.trim_end())?;
        }
        for session in &self.sessions {
            let kind = match session.kind {
                SessionKind::Bgp => "BGP",
                SessionKind::Bfd => "BFD",
            };
            writeln!(f, "  {kind} {}: {}", session.ends.join(" - "), session.why)?;
        }
        if self.is_empty() {
            return writeln!(f, "nothing differs");
        }
        writeln!(f, "\n{}", self.totals())
    }
}

impl Changes {
    /// `1 to add, 2 to change, 0 to remove; 3 sessions and 1 machine disturbed`.
    pub fn totals(&self) -> String {
        let acts = |act| self.objects.iter().filter(|it| it.act == act).count();
        let machines = self.machines.iter();
        let machines = machines.filter(|it| it.fate != Fate::New).count();
        let count = |number: usize, noun: &str| {
            let plural = if number == 1 { "" } else { "s" };
            format!("{number} {noun}{plural}")
        };
        format!(
            "{} to add, {} to change, {} to remove; {} and {} disturbed",
            acts(Act::Add),
            acts(Act::Change),
            acts(Act::Remove),
            count(self.sessions.len(), "session"),
            count(machines, "machine")
        )
    }
}

impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.key)?;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, "{} -> {}", cut(old), cut(new))?,
            (None, Some(new)) => write!(f, "+ {}", cut(new))?,
            (Some(old), None) => write!(f, "- {}", cut(old))?,
            (None, None) => {}
        }
        if let Some(detail) = self.detail.as_ref().filter(|text| !text.is_empty()) {
            write!(f, " ({detail})")?;
        }
        write!(f, " [{}]", self.how)
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InPlace => "in place",
            Self::Address => "addresses are set",
            Self::Reload => "birdc configure",
            Self::Link => "link is made",
            Self::Program => "program restarts",
            Self::Restart => "restart",
            Self::Refused => "not on a live lab",
        })
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start}...")
}
