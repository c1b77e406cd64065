//! ASNs, counted from a base.
//!
//! | what | `per-rack` | `per-switch` |
//! |---|---|---|
//! | machines of rack `r` | `base + r` | `base + 4 r` |
//! | ToR `t` of rack `r` | `base + r` | `base + 4 r + t` |
//! | spines (super-spines, with pods) | `base` | `base - 1 - s` |
//! | spines of pod `p` | `base - 1 - p` | `base - 65 - 64 (p - 1) - s` |
//! | core | `base - 1` | `base - 1` |
//!
//! What is added at the end of racks counts up, of pods down: neither moves the other.

use super::{Allocation, BLOCK, Switch};
use crate::rack::{AsnScheme, DataCenter};

/// ASNs of a rack with one for each switch.
const RACK_STRIDE: u32 = 4;

impl Allocation {
    /// The core's ASN.
    pub fn core_asn(&self) -> u32 {
        self.asn.base - 1
    }

    /// The ASN of a switch that stands in no rack.
    pub fn switch_asn(&self, switch: Switch) -> u32 {
        self.asn.base - below(self.asn.scheme, switch)
    }

    /// The ASN of a rack's servers and boot server.
    pub fn rack_asn(&self, rack: u32) -> u32 {
        match self.asn.scheme {
            AsnScheme::PerRack => self.asn.base + rack,
            AsnScheme::PerSwitch => self.asn.base + RACK_STRIDE * rack,
        }
    }

    /// The ASN of a ToR.
    pub fn tor_asn(&self, rack: u32, tor: u32) -> u32 {
        match self.asn.scheme {
            AsnScheme::PerRack => self.rack_asn(rack),
            AsnScheme::PerSwitch => self.rack_asn(rack) + tor,
        }
    }
}

/// How far below the base a switch is numbered.
fn below(scheme: AsnScheme, switch: Switch) -> u32 {
    match (scheme, switch) {
        (AsnScheme::PerRack, Switch::Spine(_) | Switch::SuperSpine(_)) => 0,
        (AsnScheme::PerRack, Switch::PodSpine(pod, _)) => 1 + pod,
        (AsnScheme::PerSwitch, switch) => 1 + switch.number(),
    }
}

/// How far down and up from the base the ASNs of a data center go.
pub(super) fn extent(dc: &DataCenter) -> (u64, u64) {
    let scheme = dc.asn.scheme;
    let top = match (dc.pods, dc.spines) {
        (0, spines) => below(scheme, Switch::Spine(spines)),
        (pods, spines) => below(scheme, Switch::PodSpine(pods, spines)),
    };
    let top = match dc.core {
        Some(_) => top.max(1),
        None => top,
    };
    let racks = dc.racks.len() as u64;
    let up = match scheme {
        AsnScheme::PerRack => racks,
        AsnScheme::PerSwitch => u64::from(RACK_STRIDE) * racks + 2,
    };
    (top.into(), up)
}

/// Racks whose ASNs fit into so many above the base.
pub(super) fn racks_within(scheme: AsnScheme, up: u64) -> u64 {
    match scheme {
        AsnScheme::PerRack => up,
        AsnScheme::PerSwitch => up.saturating_sub(2) / u64::from(RACK_STRIDE),
    }
}

// Numbers of switches, below, are those of loopbacks: a pod has as many.
const _: () = assert!(BLOCK == 64);
