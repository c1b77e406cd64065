//! Reads `kind: Power`.

use super::{Power, PowerType};
use crate::document::Fields;
use crate::draft::Reading;
use crate::problem::Problem;
use crate::resource::labels;
use crate::selector::Selector;
use std::time::Duration;

/// Longest delay and gap: a lab waits for its machines.
const LONGEST: Duration = Duration::from_secs(300);

pub(super) const TYPES: [(&str, PowerType); 2] =
    [("feed", PowerType::Feed), ("pdu", PowerType::Pdu)];

pub(crate) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) {
    let items = fields.req("loads").and_then(|it| it.list());
    if items.as_ref().is_some_and(Vec::is_empty) {
        let place = fields.key_place("loads").unwrap_or(fields.place());
        fields.findings().error(
            Problem::new("empty-list", format!("{} feeds nothing", fields.describe()))
                .at(place, "needs at least one selector")
                .help("for example `loads: [rack/1]`"),
        );
    }
    let kind = fields.opt("type").and_then(|it| it.choice(&TYPES));
    let (delay, gap) = staged(fields);
    let labels = labels::read(fields);
    let mut loads: Vec<Selector> = Vec::new();
    for selector in items.unwrap_or_default().iter().filter_map(Selector::read) {
        loads.push(selector.value.clone());
        reading
            .draft
            .ledger
            .loads
            .push((selector, reading.owner.clone()));
    }
    let power = Power {
        name: reading.name.value.clone(),
        kind: kind.map(|it| it.value).unwrap_or_default(),
        loads,
        delay,
        gap,
        labels,
        place: reading.place(),
    };
    reading
        .draft
        .cluster
        .feeds
        .entry(power.name.clone())
        .or_insert(power);
}

/// Takes `return`: how power comes back to the outlets.
fn staged(fields: &mut Fields<'_>) -> (Duration, Duration) {
    let Some(mut fields) = fields.opt("return").and_then(|it| it.fields()) else {
        return (Duration::ZERO, Duration::ZERO);
    };
    let mut take = |key| {
        let time = fields.opt(key).and_then(|it| it.duration())?;
        if time.value > LONGEST {
            fields.findings().error(
                Problem::new(
                    "out-of-range",
                    format!("{} has a `{key}` of more than 5m", fields.describe()),
                )
                .at(time.place, "too long"),
            );
        }
        Some(time.value)
    };
    let (delay, gap) = (take("delay"), take("gap"));
    fields.finish();
    (delay.unwrap_or_default(), gap.unwrap_or_default())
}
