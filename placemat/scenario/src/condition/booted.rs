//! `booted`: how far servers have come, how often they have booted, and what they run.

use super::{Atom, Findings, Probe};
use crate::context::Context;
use crate::load::{Key, NODES, Reader, Row, Targets, Value};
use crate::port::BootStatus;
use crate::words::count;
use async_trait::async_trait;
use placemat_spec::event::BootPhase;
use placemat_spec::selector::Target;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "booted",
    doc: "servers have come to a phase of their boot, optionally how often, optionally of which image",
    keys: &[
        Key::required("of", "SELECTOR", "servers"),
        Key::optional(
            "phase",
            "agent",
            "at least this far: power firmware dhcp http kernel userspace agent bgp",
        ),
        Key::optional(
            "image",
            "NAME",
            "what the running system calls itself: network, disk, kernel",
        ),
        Key::optional(
            "times",
            "NUMBER",
            "exactly that many boots since the scenario began",
        ),
        Key::optional(
            "total",
            "NUMBER",
            "exactly that many boots since the lab started",
        ),
        Key::optional(
            "at-most",
            "NUMBER",
            "no more boots than that since the lab started",
        ),
    ],
    parse,
};

const PHASES: &[(&str, BootPhase)] = &[
    ("power", BootPhase::Power),
    ("firmware", BootPhase::Firmware),
    ("dhcp", BootPhase::Dhcp),
    ("http", BootPhase::Http),
    ("kernel", BootPhase::Kernel),
    ("userspace", BootPhase::Userspace),
    ("agent", BootPhase::Agent),
    ("bgp", BootPhase::Bgp),
];

/// A boot phase as files write it.
fn said(phase: BootPhase) -> &'static str {
    PHASES
        .iter()
        .find(|(_, known)| *known == phase)
        .map_or("off", |(name, _)| name)
}

#[derive(Debug)]
struct Booted {
    of: Targets,
    phase: BootPhase,
    image: Option<String>,
    times: Option<u32>,
    total: Option<u32>,
    at_most: Option<u32>,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let of = reader.targets(fields.get("of"), NODES);
    let names: Vec<&'static str> = PHASES.iter().map(|(name, _)| *name).collect();
    let phase = reader.choice_or(fields.get("phase"), &names, "agent");
    let image = reader.optional(fields.get("image"), Reader::text);
    let times = reader.optional(fields.get("times"), Reader::number);
    let total = reader.optional(fields.get("total"), Reader::number);
    let at_most = reader.optional(fields.get("at-most"), Reader::number);
    let phase = phase?;
    Some(Box::new(Booted {
        of: of?,
        phase: PHASES.iter().find(|(name, _)| *name == phase)?.1,
        image: image?,
        times: times?,
        total: total?,
        at_most: at_most?,
    }))
}

impl Booted {
    /// `before` is absent where the server did not answer when the scenario began.
    fn judge(&self, target: &Target, status: &BootStatus, before: Option<u32>) -> Atom {
        let since = before.map(|before| status.boots.saturating_sub(before));
        if self.times.is_some() && since.is_none() {
            let why = "boots were not counted when the scenario began: the server did not answer";
            return Atom::unknown(target.to_string(), why, self.expected());
        }
        let image = status.image.as_deref();
        let held = status.phase >= self.phase
            && self
                .image
                .as_deref()
                .is_none_or(|wanted| image == Some(wanted))
            && self.times.is_none_or(|times| since == Some(times))
            && self.total.is_none_or(|total| status.boots == total)
            && self.at_most.is_none_or(|most| status.boots <= most);
        let last = format!(
            "{}, image {}, {} in this scenario, {} in all",
            said(status.phase),
            image.unwrap_or("not known"),
            since.map_or_else(
                || "boots not counted".to_owned(),
                |since| count(since as usize, "boot", "boots")
            ),
            status.boots
        );
        Atom::new(target.to_string(), held, last, self.expected())
    }

    fn expected(&self) -> String {
        let mut words = vec![said(self.phase).to_owned()];
        words.extend(self.image.iter().map(|image| format!("image {image}")));
        words.extend(self.times.map(|times| {
            format!(
                "{} in this scenario",
                count(times as usize, "boot", "boots")
            )
        }));
        words.extend(self.total.map(|total| format!("{total} in all")));
        words.extend(self.at_most.map(|most| format!("at most {most} in all")));
        words.join(", ")
    }
}

#[async_trait]
impl Probe for Booted {
    async fn probe(&self, cx: &Context, _thorough: bool) -> Findings {
        let answers = cx
            .each(
                &self.of,
                |port, of| async move { port.boot_status(&of).await },
            )
            .await;
        Findings::per_target(answers, &self.expected(), |target, status| {
            let before = cx.case.boots_before.get(target).copied();
            vec![self.judge(target, &status, before)]
        })
    }

    fn describe(&self) -> String {
        format!("booted {} ({})", self.of, self.expected())
    }
}
