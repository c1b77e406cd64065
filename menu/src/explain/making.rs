//! Values that an allocator made, by the terms that it made them of. The same for every kind of menu.

use crate::allocation::{Made, Start, Step, Terms};
use placemat_spec::explain::{Origin, Value};
use std::fmt::Display;
use std::net::IpAddr;

/// Knows an allocator's terms, and the keys that they begin with and count.
pub(crate) trait Making {
    /// How a value was made, if it was.
    fn terms(&self, made: Made) -> Option<Terms>;

    /// The keys that give what it is counted from.
    fn start(&self, start: Start) -> Vec<Origin>;

    /// The key that gives a rack.
    fn rack(&self, rack: u32) -> Origin;

    /// A value that the allocator made. `value` is it as it is shown, with its prefix length perhaps.
    /// Without terms nothing is told of it, which tests find.
    fn made(&self, what: impl Into<String>, value: impl Display, made: Made) -> Value {
        let Some(terms) = self.terms(made) else {
            return Value::new(what, value, "", Vec::new());
        };
        let mut from = self.start(terms.start);
        for step in &terms.steps {
            if let Step::Each { what, number, .. } = *step
                && what == "rack"
            {
                from.push(self.rack(number));
            }
        }
        Value::new(what, value, terms.to_string(), from)
    }

    /// An ASN.
    fn asn(&self, what: impl Into<String>, asn: u32) -> Value {
        self.made(what, asn, Made::Asn(asn))
    }

    /// An address, shown as `value`.
    fn address(
        &self,
        what: impl Into<String>,
        value: impl Display,
        address: impl Into<IpAddr>,
    ) -> Value {
        self.made(what, value, Made::Address(address.into()))
    }
}
