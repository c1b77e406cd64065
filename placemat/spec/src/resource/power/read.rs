//! Reads `kind: Power`.

use super::Power;
use crate::document::Fields;
use crate::draft::Reading;
use crate::problem::Problem;
use crate::resource::labels;
use crate::selector::Selector;

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
        loads,
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
