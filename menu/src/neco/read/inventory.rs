//! Reads `kind: Inventory`.

use crate::neco::input::{Inventory, Rack};
use placemat_spec::document::{Fields, Item};

/// Most spines and racks: names of the links between them have 15 characters then.
const SPINES: std::ops::RangeInclusive<u32> = 1..=99;
const MOST_RACKS: usize = 9999;
/// More servers than a rack can hold of one type.
const MOST_SERVERS: u32 = 1 << 16;

pub(super) fn read(fields: &mut Fields<'_>) -> Option<Inventory> {
    let place = fields.place();
    let cluster_id = fields.opt("cluster-id").and_then(|it| label(&it));
    let spines = fields.req_or("spine", "the number of spines, such as `spine: 2`");
    let spines = spines.and_then(|it| it.integer(SPINES));
    let item = fields.req_or(
        "rack",
        "a list of racks with their numbers of servers, such as `rack: [{cs: 2, ss: 0}]`",
    );
    let racks = item.as_ref().and_then(Item::list);
    if let (Some(item), Some(racks)) = (&item, &racks)
        && (racks.is_empty() || racks.len() > MOST_RACKS)
    {
        let message = format!("must have 1 to {MOST_RACKS} racks, not {}", racks.len());
        let problem = item.problem("out-of-range", &message, "a list of racks");
        item.findings()
            .error(problem.help("a rack is `{cs: 2, ss: 0}`"));
        return None;
    }
    let racks: Option<Vec<Rack>> = racks?.iter().map(rack).collect();
    Some(Inventory {
        cluster_id,
        spines: spines?,
        racks: racks?,
        place: item.map_or(place, |item| item.place()),
    })
}

fn rack(item: &Item<'_>) -> Option<Rack> {
    let mut fields = item.fields()?;
    let mut count = |key| {
        let count = fields.opt(key).and_then(|it| it.integer(0..=MOST_SERVERS));
        count.map_or(0, |count| count.value)
    };
    let (cs, ss) = (count("cs"), count("ss"));
    fields.finish();
    Some(Rack {
        cs,
        ss,
        place: item.place(),
    })
}

/// It becomes a label, which selectors have to be able to name.
fn label(item: &Item<'_>) -> Option<String> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let text = item.parse("bad-label", "a word for a label", |text| {
        if (1..=63).contains(&text.len()) && text.bytes().all(fine) {
            Ok(text.to_owned())
        } else {
            Err("1 to 63 letters, digits, `-`, `_` and `.`")
        }
    })?;
    Some(text.value)
}
