//! `power:`: feeds and the PDUs of each rack.

use placemat_spec::document::Fields;

/// Feeds and PDUs.
#[derive(Debug, Clone, Copy)]
pub struct Power {
    /// Feeds from outside: 1 or 2.
    pub feeds: u32,
    /// PDUs of each rack and of each group of switches: 1 or 2. Each machine is plugged into all.
    pub pdus: u32,
}

pub(super) fn power(fields: &mut Fields) -> Option<Power> {
    let mut fields = fields.opt("power")?.fields()?;
    let feeds = fields.opt("feeds").and_then(|it| it.integer(1..=2u32));
    let feeds = feeds.map_or(2, |it| it.value);
    let pdus = fields.opt("pdus").and_then(|it| it.integer(1..=2u32));
    fields.finish();
    Some(Power {
        feeds,
        pdus: pdus.map_or(feeds, |it| it.value),
    })
}
