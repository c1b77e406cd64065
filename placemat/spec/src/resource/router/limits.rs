//! `limits:` of a router: the most that all its processes together may use.

use crate::Place;
use crate::document::Fields;
use crate::schema::{Key, SIZE, Shape};

/// Least memory that can be asked for, in bytes: the router's own init needs some.
const LEAST_MEMORY: u64 = 4 << 20;

/// The most that a router's processes together may use. At least one of them is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Memory in bytes; beyond it the kernel kills one of them.
    pub memory: Option<u64>,
    /// Processor time in thousandths of one core.
    pub cpu_milli: Option<u32>,
    /// Number of processes and threads.
    pub pids: Option<u32>,
    /// Where `limits` stands.
    pub place: Place,
}

/// `limits` of a router.
pub(super) const KEY: Key = Key::optional(
    "limits",
    Shape::Map(&[
        Key::optional("memory", Shape::Form(&SIZE), "Memory, from 4M."),
        Key::optional(
            "cpu",
            Shape::Decimal(0.01, 1024.0),
            "Processor time in cores.",
        ),
        Key::optional(
            "pids",
            Shape::Integer(2, 4_194_304),
            "Processes and threads.",
        ),
    ]),
    "The most that all its processes together may use, where this host can hold them to it.",
);

/// Takes `limits`.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<Limits> {
    let place = fields.key_place("limits");
    let item = fields.opt("limits")?;
    let mut keys = item.fields()?;
    let memory = keys.opt("memory").and_then(|it| {
        let size = it.size()?;
        if size.value < LEAST_MEMORY {
            it.findings().error(
                it.problem(
                    "out-of-range",
                    "must be 4M or more",
                    "less than a router needs for itself",
                )
                .help("a router's own init takes some 2M of it"),
            );
        }
        Some(size.value)
    });
    let cpu_milli = keys
        .opt("cpu")
        .and_then(|it| it.decimal(0.01..=1024.0))
        .map(|cores| thousandths(cores.value));
    let pids = keys
        .opt("pids")
        .and_then(|it| it.integer(2..=4_194_304_u32))
        .map(|it| it.value);
    let asked = ["memory", "cpu", "pids"].map(|key| keys.key_place(key));
    keys.finish();
    if asked.iter().all(Option::is_none) {
        item.findings().error(
            item.problem("missing-key", "limits nothing", "expected a limit")
                .help("for example `limits: {memory: 64MiB, cpu: 0.5, pids: 64}`"),
        );
    }
    Some(Limits {
        memory,
        cpu_milli,
        pids,
        place: place.unwrap_or(item.place()),
    })
}

/// Cores as thousandths of one. The range of `cpu` keeps it far from the ends of `u32`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 10 and 1,024,000"
)]
fn thousandths(cores: f64) -> u32 {
    (cores * 1000.0).round() as u32
}
