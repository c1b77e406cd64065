//! Each end of a session expects the ASN that the other end has.

use crate::verify::at;
use crate::verify::bird::Asn;
use crate::verify::facts::Facts;
use placemat_spec::Problem;

pub(in crate::verify) fn check(facts: &Facts, problems: &mut Vec<Problem>) {
    for (name, session) in facts.sessions() {
        let Some((peer, Some(back))) = facts.back(name, session) else {
            continue;
        };
        let (own, theirs) = (session.local_asn, back.local_asn);
        let expected = match session.asn {
            Asn::Is(asn) if asn == theirs => continue,
            Asn::Internal if own == theirs => continue,
            Asn::External if own != theirs => continue,
            Asn::Is(asn) => format!("AS {asn}"),
            Asn::Internal => format!("its own AS {own}"),
            Asn::External => format!("another than its own AS {own}"),
        };
        let message = format!("{name} expects {expected} of {peer}, which is AS {theirs}");
        let problem = at(
            Problem::new("wrong-asn", message),
            session.asn_place,
            "expected here",
        );
        problems.push(at(problem, back.place, format!("AS {theirs} here")));
    }
}
