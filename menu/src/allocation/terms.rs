//! How the allocator makes a number: from where a pool starts, and what is added to it. Values are
//! computed from these terms and from nothing else, so what `explain` says of one is what made it.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use placemat_spec::value::Mac;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One /64.
const SUBNET: i128 = 1 << 64;

/// Where a pool is in the rack spec, and its prefix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pool<Net> {
    pub(crate) key: &'static str,
    pub(crate) prefix: Net,
}

/// What a value is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The first address of a prefix that stands under a key of the rack spec.
    Prefix(&'static str, IpNet),
    /// The ASN of `asn.base`.
    AsnBase(u32),
    /// QEMU's MAC addresses.
    Qemu(Mac),
}

/// What is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many for each of what is counted.
    Each {
        /// How many for each.
        stride: i128,
        /// What is counted.
        what: &'static str,
        /// Its number.
        number: u32,
        /// The number of the first of them, which adds nothing.
        first: u32,
    },
    /// A fixed number, and what it is for.
    Fixed(i128, &'static str),
    /// The identifier that an interface makes of its MAC (RFC 4291, appendix A).
    InterfaceId(Mac, u64),
}

impl Step {
    /// `stride` for each of what is numbered from 1, and none for the first.
    pub(crate) fn after_first(stride: impl Into<i128>, what: &'static str, number: u32) -> Self {
        let stride = stride.into();
        Self::Each {
            stride,
            what,
            number,
            first: 1,
        }
    }

    /// `stride` times a number.
    pub(crate) fn times(stride: impl Into<i128>, what: &'static str, number: u32) -> Self {
        let stride = stride.into();
        Self::Each {
            stride,
            what,
            number,
            first: 0,
        }
    }

    /// Number of a /64, and what it is for.
    pub(crate) const fn subnet(number: i128, what: &'static str) -> Self {
        Self::Fixed(number * SUBNET, what)
    }

    /// The same step downwards.
    pub(crate) fn negative(self) -> Self {
        self.scaled(-1)
    }

    /// The same step, counted in /64s.
    pub(crate) fn of_subnets(self) -> Self {
        self.scaled(SUBNET)
    }

    fn scaled(mut self, factor: i128) -> Self {
        match &mut self {
            Self::Each { stride: number, .. } | Self::Fixed(number, _) => *number *= factor,
            Self::InterfaceId(..) => {}
        }
        self
    }

    /// Which end of a link.
    pub(crate) fn end(end: End) -> Self {
        match end {
            End::Upper => Self::Fixed(0, "upper end"),
            End::Lower => Self::Fixed(1, "lower end"),
        }
    }

    /// What it adds.
    pub fn amount(self) -> i128 {
        match self {
            Self::Each {
                stride,
                number,
                first,
                ..
            } => stride * (i128::from(number) - i128::from(first)),
            Self::Fixed(number, _) => number,
            Self::InterfaceId(_, id) => id.into(),
        }
    }
}

/// An end of a link.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Upper,
    Lower,
}

/// What all steps add.
pub(crate) fn sum(steps: &[Step]) -> i128 {
    steps.iter().map(|step| step.amount()).sum()
}

/// How a value was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What it was counted from.
    pub start: Start,
    /// What was added.
    pub steps: Vec<Step>,
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.start {
            Start::Prefix(key, prefix) => write!(f, "{key} {prefix}")?,
            Start::AsnBase(base) => write!(f, "base {base}")?,
            Start::Qemu(first) => write!(f, "{first}")?,
        }
        self.steps.iter().try_for_each(|step| write!(f, " {step}"))
    }
}

/// With its sign: `+ 192 x (rack 3 - 1)`, `+ seat 4`, `- 1 (core)`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Each {
                stride,
                what,
                number,
                first,
            } => {
                let sign = if stride < 0 { '-' } else { '+' };
                let counted = match first {
                    0 => format!("{what} {number}"),
                    _ => format!("({what} {number} - {first})"),
                };
                match amount(stride.abs()).as_str() {
                    "1" => write!(f, "{sign} {counted}"),
                    each => write!(f, "{sign} {each} x {counted}"),
                }
            }
            Self::Fixed(number, what) => {
                let sign = if number < 0 { '-' } else { '+' };
                write!(f, "{sign} {} ({what})", amount(number.abs()))
            }
            Self::InterfaceId(mac, _) => write!(f, "+ interface id of {mac}"),
        }
    }
}

/// A number of addresses, in /64s where it is of them.
fn amount(number: i128) -> String {
    match (number / SUBNET, number % SUBNET) {
        (0, rest) => rest.to_string(),
        (1, 0) => "/64".into(),
        (subnets, 0) => format!("{subnets} /64s"),
        (subnets, rest) => format!("{subnets} /64s and {rest}"),
    }
}

/// What the allocator made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Made {
    /// An address, or the first of a prefix.
    Address(IpAddr),
    /// An ASN.
    Asn(u32),
    /// A MAC.
    Mac(Mac),
}

/// How each value was made, where somebody wants to know. Values are unique, or made in one way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(Option<RefCell<HashMap<Made, Terms>>>);

impl Ledger {
    /// One that notes.
    pub(crate) fn noting() -> Self {
        Self(Some(RefCell::default()))
    }

    /// How a value was made, if it was.
    pub(crate) fn terms(&self, made: Made) -> Option<Terms> {
        self.0.as_ref()?.borrow().get(&made).cloned()
    }

    fn note(&self, made: Made, start: Start, steps: &[Step]) {
        if let Some(entries) = &self.0 {
            let steps = steps.to_vec();
            entries.borrow_mut().insert(made, Terms { start, steps });
        }
    }

    /// An address of a pool. `exhaustion` has checked that it is inside.
    pub(crate) fn v4(&self, pool: Pool<Ipv4Net>, steps: &[Step]) -> Ipv4Addr {
        let first = u32::from(pool.prefix.network());
        let address = u32::try_from(i128::from(first) + sum(steps)).unwrap_or(first);
        let address = Ipv4Addr::from(address);
        let start = Start::Prefix(pool.key, pool.prefix.into());
        self.note(Made::Address(address.into()), start, steps);
        address
    }

    /// The same of IPv6.
    pub(crate) fn v6(&self, pool: Pool<Ipv6Net>, steps: &[Step]) -> Ipv6Addr {
        let first = u128::from(pool.prefix.network());
        let address = Ipv6Addr::from(first.wrapping_add_signed(sum(steps)));
        let start = Start::Prefix(pool.key, pool.prefix.into());
        self.note(Made::Address(address.into()), start, steps);
        address
    }

    /// An ASN, counted from the base.
    pub(crate) fn asn(&self, base: u32, steps: &[Step]) -> u32 {
        let asn = u32::try_from(i128::from(base) + sum(steps)).unwrap_or(base);
        self.note(Made::Asn(asn), Start::AsnBase(base), steps);
        asn
    }

    /// A MAC of QEMU's.
    pub(crate) fn mac(&self, first: Mac, steps: &[Step]) -> Mac {
        let mac = super::identity::counted(first, sum(steps));
        self.note(Made::Mac(mac), Start::Qemu(first), steps);
        mac
    }
}
