//! `measure`: probe flows run while the steps inside do, and their silences and losses are held
//! against budgets. The arithmetic is in [`crate::measure`].

mod exposure;

use super::StepBody;
use crate::context::Context;
use crate::event::What;
use crate::load::{FLOWS, Key, POWERED, ROUTING, Reader, Row, Targets, Value};
use crate::measure::{Budgets, ChosenFlow, FaultSpan, RouteChange, Seen, judge, measurement};
use crate::model::Steps;
use crate::outcome::Outcome;
use crate::port::{self, Flow, Flows, PortResult, RouteWatch};
use crate::pressure::Pressure;
use crate::runner::run_steps;
use crate::words::{count, span};
use async_trait::async_trait;
use placemat_spec::selector::Target;
use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "measure",
    doc: "runs UDP flows during the steps inside; budgets are never stretched",
    keys: &[
        Key::required("flows", "{from, to, count, every, through}", "the flows"),
        Key::required("during", "[STEP]", "the steps"),
        Key::required(
            "expect",
            "{min-exposed, max-gap, max-loss, max-convergence}",
            "the budgets",
        ),
    ],
    parse,
};

/// Maps among its keys, by the form that they have in the row.
pub(crate) const MAPS: &[(&str, &[Key])] = &[
    ("{from, to, count, every, through}", FLOW_KEYS),
    (
        "{min-exposed, max-gap, max-loss, max-convergence}",
        EXPECT_KEYS,
    ),
];

const FLOW_KEYS: &[Key] = &[
    Key::required(
        "from",
        "SELECTOR",
        "routers, boot servers, servers of tier netns",
    ),
    Key::required(
        "to",
        "SELECTOR",
        "the same, or servers that run an echo service",
    ),
    Key::optional("proto", "udp", "only udp"),
    Key::optional(
        "count",
        "NUMBER",
        "flows, spread over all pairs of from and to; default 16",
    ),
    Key::optional(
        "every",
        "DURATION",
        "between packets of a flow; default 10ms",
    ),
    Key::optional(
        "through",
        "SELECTOR",
        "what flows should cross; ports are chosen so that they do",
    ),
];

const EXPECT_KEYS: &[Key] = &[
    Key::optional(
        "min-exposed",
        "PERCENT",
        "share of flows that cross `through` before, else vacuous",
    ),
    Key::optional("max-gap", "DURATION", "longest silence of any flow"),
    Key::optional("max-loss", "PERCENT", "share of all packets lost"),
    Key::optional(
        "max-convergence",
        "DURATION",
        "from a fault inside to the last change of a kernel route elsewhere before it is undone",
    ),
];

/// Packets of each flow before the steps begin and after they end, so that a loss at the very
/// edge has something on both sides.
const MARGIN: u32 = 20;

#[derive(Debug)]
struct Measure {
    /// `SELECTOR to SELECTOR`, as in the file.
    between: String,
    pairs: Vec<Pair>,
    count: u32,
    every: Duration,
    through: Option<Targets>,
    budgets: Budgets,
    during: Steps,
}

/// One direction between two targets.
#[derive(Debug, Clone)]
struct Pair {
    from: (Target, IpAddr),
    to: (Target, IpAddr),
}

impl Pair {
    fn flow(&self, source_port: u16) -> Flow {
        Flow {
            from: self.from.0.clone(),
            source: self.from.1,
            to: self.to.0.clone(),
            destination: self.to.1,
            source_port,
        }
    }
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let flows = fields
        .get("flows")
        .and_then(|flows| parse_flows(reader, flows));
    let budgets = fields
        .get("expect")
        .and_then(|expect| parse_budgets(reader, expect));
    let during = fields.get("during").and_then(|during| reader.steps(during));
    let (flows, budgets) = (flows?, budgets?);
    if budgets.min_exposed.is_some() && flows.through.is_none() {
        let place = fields
            .get("expect")
            .map_or(value.place, |expect| expect.place);
        reader.problem(
            "missing-key",
            "`min-exposed` needs to know what flows should cross".to_owned(),
            place,
            "min-exposed without `through`".to_owned(),
            Some("add `through: router/...` to `flows`".to_owned()),
        );
        return None;
    }
    Some(Box::new(Measure {
        budgets,
        during: during?,
        ..flows
    }))
}

fn parse_flows(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Measure> {
    let fields = reader.fields(value, "flows", FLOW_KEYS)?;
    let from = reader.targets(fields.get("from"), FLOWS);
    let to = reader.targets(fields.get("to"), ROUTING);
    let proto = reader.choice_or(fields.get("proto"), &["udp"], "udp");
    let count = reader.number_or(fields.get("count"), 16, 1);
    let every = reader.duration_or(fields.get("every"), Duration::from_millis(10));
    let through = reader.optional(fields.get("through"), |reader, through| {
        reader.targets(Some(through), POWERED)
    });
    if let (Some(from), Some(value)) = (&from, fields.get("from"))
        && !reader.can_send(from, value)
    {
        return None;
    }
    let (from, to) = (from?, to?);
    let between = format!("{from} to {to}");
    let from = reader.addressed(&from, value.place)?;
    let to = reader.addressed(&to, value.place)?;
    let pairs: Vec<Pair> = from
        .iter()
        .flat_map(|from| {
            to.iter().map(move |to| Pair {
                from: from.clone(),
                to: to.clone(),
            })
        })
        .filter(|pair| pair.from.0 != pair.to.0)
        .collect();
    if pairs.is_empty() {
        reader.problem(
            "no-target",
            "no flow: `from` and `to` are the same target".to_owned(),
            value.place,
            "here".to_owned(),
            None,
        );
        return None;
    }
    proto?;
    Some(Measure {
        between,
        pairs,
        count: count?,
        every: every?.max(Duration::from_millis(1)),
        through: through?,
        budgets: Budgets::default(),
        during: Steps::from([]),
    })
}

fn parse_budgets(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Budgets> {
    let fields = reader.fields(value, "expect", EXPECT_KEYS)?;
    let min_exposed = reader.optional(fields.get("min-exposed"), Reader::share);
    let max_gap = reader.optional(fields.get("max-gap"), Reader::duration);
    let max_loss = reader.optional(fields.get("max-loss"), Reader::share);
    let max_convergence = reader.optional(fields.get("max-convergence"), Reader::duration);
    let budgets = Budgets {
        min_exposed: min_exposed?,
        max_gap: max_gap?,
        max_loss: max_loss?,
        max_convergence: max_convergence?,
    };
    if budgets.max_gap.is_none() && budgets.max_loss.is_none() && budgets.max_convergence.is_none()
    {
        reader.problem(
            "missing-key",
            "`measure` has nothing to hold its numbers against".to_owned(),
            value.place,
            "neither `max-gap` nor `max-loss` nor `max-convergence`".to_owned(),
            Some("give a budget, such as `max-gap: 1s`".to_owned()),
        );
        return None;
    }
    Some(budgets)
}

impl Measure {
    /// Flows to measure: with `through`, enough of them seen to cross it.
    async fn choose(&self, cx: &Context) -> PortResult<Vec<(Flow, Option<bool>)>> {
        match &self.through {
            Some(through) => {
                exposure::choose(cx, &self.pairs, self.count, through, self.every).await
            }
            None => Ok((0..self.count)
                .zip(exposure::ports())
                .map(|(index, port)| {
                    (
                        self.pairs[index as usize % self.pairs.len()].flow(port),
                        None,
                    )
                })
                .collect()),
        }
    }

    /// Only where a budget asks for it.
    async fn watch_routes(&self, cx: &Context) -> Result<Option<Box<dyn RouteWatch>>, Outcome> {
        if self.budgets.max_convergence.is_none() {
            return Ok(None);
        }
        let watch = cx.bounded(cx.port().watch_routes()).await?;
        watch
            .map(Some)
            .map_err(|error| Outcome::fail(format!("routes could not be watched: {error}")))
    }

    /// Says what is measured.
    fn tell(&self, cx: &Context, named: &[ChosenFlow]) {
        let value = format!(
            "{} every {}{}",
            count(named.len(), "flow", "flows"),
            span(self.every),
            match &self.through {
                Some(through) => format!(
                    ", {} through {through}",
                    named
                        .iter()
                        .filter(|flow| flow.exposed == Some(true))
                        .count()
                ),
                None => String::new(),
            }
        );
        cx.emit(|scenario, path| What::StepValue {
            scenario,
            path,
            value,
        });
    }

    /// Runs the steps inside, with a margin on both sides.
    async fn meanwhile(&self, cx: &Context) -> (Outcome, Pressure) {
        // Not a wait for something: a stretch of the measurement itself.
        let margin = self.every * MARGIN;
        let over = CancellationToken::new();
        let during = async {
            let mut ended = match cx.bounded(tokio::time::sleep(margin)).await {
                Ok(()) => run_steps(&self.during, cx).await,
                Err(cut) => cut,
            };
            if ended.is_good()
                && let Err(cut) = cx.bounded(tokio::time::sleep(margin)).await
            {
                ended = ended.and(cut);
            }
            over.cancel();
            ended
        };
        tokio::join!(during, Pressure::watch(cx, &over))
    }

    async fn open(&self, cx: &Context) -> PortResult<(Vec<ChosenFlow>, Box<dyn Flows>)> {
        let chosen = self.choose(cx).await?;
        let named = chosen
            .iter()
            .map(|(flow, exposed)| ChosenFlow {
                name: format!("{} -> {} :{}", flow.from, flow.to, flow.source_port),
                exposed: *exposed,
            })
            .collect();
        let flows = chosen.into_iter().map(|(flow, _)| flow).collect();
        let mut open = exposure::open(cx, flows, self.every).await?;
        open.start().await?;
        Ok((named, open))
    }
}

/// Faults of the scenario that began since.
fn faults_since(cx: &Context, started_ms: f64) -> Vec<FaultSpan> {
    let faults = cx.case.faults.lock();
    let faults = faults.unwrap_or_else(PoisonError::into_inner);
    let since = faults.iter().filter(|fault| fault.applied_ms >= started_ms);
    since.cloned().collect()
}

/// Changes on the run's clock.
fn on_run(changes: Vec<port::RouteChange>, to_run_ms: f64) -> Vec<RouteChange> {
    let change = |change: port::RouteChange| (change.at, change.t_ms + to_run_ms);
    changes.into_iter().map(change).collect()
}

#[async_trait]
impl StepBody for Measure {
    async fn run(&self, cx: &Context) -> Outcome {
        let (named, mut flows) = match cx.bounded(self.open(cx)).await {
            Err(ended) => return ended,
            Ok(Err(error)) => return Outcome::fail(format!("flows could not be opened: {error}")),
            Ok(Ok(opened)) => opened,
        };
        let started_ms = cx.run.sink.elapsed_ms();
        let mut routes = match self.watch_routes(cx).await {
            Ok(routes) => routes,
            Err(ended) => return ended,
        };
        self.tell(cx, &named);
        let (ended, pressure) = self.meanwhile(cx).await;
        let stopping = cx
            .clone()
            .unwinding(&exposure::STOP, "collecting the flows");
        let records = match stopping.bounded(flows.stop()).await {
            Ok(Ok(records)) => records,
            Ok(Err(error)) => {
                return ended.and(Outcome::fail(format!(
                    "flows could not be collected: {error}"
                )));
            }
            Err(late) => return ended.and(late),
        };
        if records.len() != named.len() {
            return ended.and(Outcome::fail(format!(
                "only {} of {} were recorded",
                records.len(),
                count(named.len(), "flow", "flows")
            )));
        }
        let ended_ms = cx.run.sink.elapsed_ms();
        let changes = match &mut routes {
            None => Vec::new(),
            Some(routes) => match stopping.bounded(routes.stop()).await {
                Ok(Ok(changes)) => changes,
                Ok(Err(error)) => return ended.and(Outcome::fail(error.to_string())),
                Err(late) => return ended.and(late),
            },
        };
        // Both clocks run alike: the first packet left when the flows were started.
        let first = records
            .iter()
            .filter_map(|r| r.sent.first())
            .copied()
            .fold(f64::NAN, f64::min);
        let to_run_ms = if first.is_nan() {
            0.0
        } else {
            started_ms - first
        };
        let every_ms = self.every.as_secs_f64() * 1000.0;
        let through = self.through.as_ref().map(ToString::to_string);
        let mut numbers = measurement(&named, &records, every_ms, through, to_run_ms);
        let judged = judge(
            &self.budgets,
            &mut numbers,
            &Seen {
                records: &records,
                pressure: &pressure,
                faults: &faults_since(cx, started_ms),
                changes: &on_run(changes, to_run_ms),
                ended_ms,
            },
        );
        cx.emit(|scenario, path| What::Measured {
            scenario,
            path,
            measurement: numbers,
        });
        if ended.interrupted {
            // What was cut short is no measurement.
            return ended;
        }
        ended.and(judged)
    }

    fn describe(&self) -> String {
        let through = self
            .through
            .as_ref()
            .map_or(String::new(), |t| format!(" through {t}"));
        format!(
            "{} from {}{through}",
            count(self.count as usize, "flow", "flows"),
            self.between
        )
    }

    fn unwinds(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Option<Duration> {
        None
    }
}
