//! `boot`: sets what servers boot next.

use super::StepBody;
use crate::context::Context;
use crate::load::{Key, NODES, Reader, Row, Targets, Value};
use crate::outcome::Outcome;
use crate::port::BootDevice;
use async_trait::async_trait;
use std::time::Duration;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "boot",
    doc: "sets the boot override of servers; does not boot them",
    keys: &[
        Key::required("of", "SELECTOR", "servers"),
        Key::required("next", "TARGET", "None Pxe UefiHttp Hdd (Redfish)"),
        Key::optional("once", "true | false", "for one boot only; default true"),
    ],
    parse,
};

/// Override targets (Redfish `ComputerSystem.BootSource`).
const DEVICES: &[(&str, BootDevice)] = &[
    ("None", BootDevice::None),
    ("Pxe", BootDevice::Pxe),
    ("UefiHttp", BootDevice::UefiHttp),
    ("Hdd", BootDevice::Hdd),
];

#[derive(Debug)]
struct Boot {
    of: Targets,
    next: (&'static str, BootDevice),
    once: bool,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let of = reader.targets(fields.get("of"), NODES);
    let next = fields
        .get("next")
        .and_then(|next| reader.one_of(next, DEVICES));
    let once = reader.boolean_or(fields.get("once"), true);
    Some(Box::new(Boot {
        of: of?,
        next: next?,
        once: once?,
    }))
}

#[async_trait]
impl StepBody for Boot {
    async fn run(&self, cx: &Context) -> Outcome {
        let (device, once) = (self.next.1, self.once);
        let answers = cx
            .each(&self.of, |port, of| async move {
                port.set_boot(&of, device, once).await
            })
            .await;
        super::all_done(answers)
    }

    fn describe(&self) -> String {
        let once = if self.once { "next boot" } else { "every boot" };
        format!("{once} of {} from {}", self.of, self.next.0)
    }

    fn default_timeout(&self) -> Option<Duration> {
        Some(Duration::from_secs(30))
    }
}
