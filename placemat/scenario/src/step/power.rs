//! `power`: acts on the power of servers, routers and boot servers.

use super::StepBody;
use crate::context::Context;
use crate::load::{Key, POWERED, Reader, Row, Targets, Value};
use crate::outcome::Outcome;
use crate::port::PowerAction;
use async_trait::async_trait;
use std::time::Duration;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "power",
    doc: "acts on power as a BMC would; returns when it is ordered, so follow with a wait",
    keys: &[
        Key::required(
            "of",
            "SELECTOR",
            "servers, routers, boot servers; racks, feeds and PDUs mean what is in or behind them",
        ),
        Key::required(
            "reset",
            "RESET",
            "On ForceOff GracefulShutdown GracefulRestart ForceRestart PowerCycle (Redfish)",
        ),
    ],
    parse,
};

/// Reset types (Redfish `Resource.ResetType`).
const RESETS: &[(&str, PowerAction)] = &[
    ("On", PowerAction::On),
    ("ForceOff", PowerAction::ForceOff),
    ("GracefulShutdown", PowerAction::GracefulShutdown),
    ("GracefulRestart", PowerAction::GracefulRestart),
    ("ForceRestart", PowerAction::ForceRestart),
    ("PowerCycle", PowerAction::PowerCycle),
];

#[derive(Debug)]
struct Power {
    of: Targets,
    reset: (&'static str, PowerAction),
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let of = reader.targets(fields.get("of"), POWERED);
    let reset = fields
        .get("reset")
        .and_then(|reset| reader.one_of(reset, RESETS));
    Some(Box::new(Power {
        of: of?,
        reset: reset?,
    }))
}

#[async_trait]
impl StepBody for Power {
    async fn run(&self, cx: &Context) -> Outcome {
        let action = self.reset.1;
        let time = cx.deadline.remaining();
        let answers = cx
            .each_within(&self.of, time, |port, of| async move {
                port.power(&of, action).await
            })
            .await;
        super::all_done(answers)
    }

    fn describe(&self) -> String {
        format!("{} {}", self.reset.0, self.of)
    }

    fn default_timeout(&self) -> Option<Duration> {
        Some(Duration::from_secs(30))
    }
}
