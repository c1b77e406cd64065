//! `asn:`: how autonomous systems are numbered.

use placemat_spec::document::Fields;
use placemat_spec::{Place, Problem};
use serde::Serialize;

/// How ASNs are given.
#[derive(Debug, Clone, Copy)]
pub struct Asn {
    /// What has an ASN of its own.
    pub scheme: AsnScheme,
    /// The number that all others are counted from.
    pub base: u32,
    /// Where it stands; the rack spec's kind where it is the default.
    pub place: Place,
}

/// What has an ASN of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AsnScheme {
    /// Each rack, with its ToRs and machines; the spines of a pod share one.
    PerRack,
    /// Each switch, and the machines of each rack.
    PerSwitch,
}

const SCHEMES: [(&str, AsnScheme); 2] = [
    ("per-rack", AsnScheme::PerRack),
    ("per-switch", AsnScheme::PerSwitch),
];

/// The default base: of two bytes where racks are numbered, of four where switches are, which take
/// more numbers below it than two bytes have.
const BASE: u32 = 64_600;
const BASE_PER_SWITCH: u32 = 4_200_100_000;

/// `asn`, or `asn-base` alone. `racks`: where those stand that a default may not reach.
pub(super) fn asn(fields: &mut Fields, racks: Place) -> Asn {
    let short = fields.opt("asn-base");
    let short_place = fields.key_place("asn-base");
    let mut scheme = AsnScheme::PerRack;
    let mut base = short.and_then(|it| it.integer(1..=u32::MAX));
    if let Some(mut fields) = fields.opt("asn").and_then(|it| it.fields()) {
        let given = fields.opt("scheme").and_then(|it| it.choice(&SCHEMES));
        scheme = given.map_or(scheme, |it| it.value);
        let given = fields.opt("base");
        if let (Some(item), Some(place)) = (&given, short_place) {
            item.findings().error(
                Problem::new("two-bases", "`asn-base` and `base` of `asn` are the same")
                    .at(item.place(), "given here")
                    .at(place, "and here")
                    .help("remove `asn-base`"),
            );
        }
        base = given.and_then(|it| it.integer(1..=u32::MAX)).or(base);
        fields.finish();
    }
    let default = match scheme {
        AsnScheme::PerRack => BASE,
        AsnScheme::PerSwitch => BASE_PER_SWITCH,
    };
    Asn {
        scheme,
        base: base.map_or(default, |it| it.value),
        place: base.map_or(racks, |it| it.place),
    }
}
