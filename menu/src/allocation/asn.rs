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

use super::terms::{Step, sum};
use super::{Allocation, BLOCK, Switch};
use crate::rack::{AsnScheme, DataCenter};

/// ASNs of a rack with one for each switch.
const RACK_STRIDE: u32 = 4;
/// The core's, which comes first below the base.
const CORE: Step = Step::Fixed(-1, "core");

impl Allocation {
    /// The core's ASN.
    pub fn core_asn(&self) -> u32 {
        self.ledger.asn(self.asn.base, &[CORE])
    }

    /// The ASN of a switch that stands in no rack.
    pub fn switch_asn(&self, switch: Switch) -> u32 {
        let steps = downwards(self.asn.scheme, switch);
        self.ledger.asn(self.asn.base, &steps)
    }

    /// The ASN of a rack's servers and boot server.
    pub fn rack_asn(&self, rack: u32) -> u32 {
        let rack = of_rack(self.asn.scheme, rack);
        self.ledger.asn(self.asn.base, &[rack])
    }

    /// The ASN of a ToR.
    pub fn tor_asn(&self, rack: u32, tor: u32) -> u32 {
        let rack = of_rack(self.asn.scheme, rack);
        match self.asn.scheme {
            AsnScheme::PerRack => self.ledger.asn(self.asn.base, &[rack]),
            AsnScheme::PerSwitch => {
                let tor = Step::times(1, "ToR", tor);
                self.ledger.asn(self.asn.base, &[rack, tor])
            }
        }
    }
}

fn of_rack(scheme: AsnScheme, rack: u32) -> Step {
    match scheme {
        AsnScheme::PerRack => Step::times(1, "rack", rack),
        AsnScheme::PerSwitch => Step::times(RACK_STRIDE, "rack", rack),
    }
}

/// From the base to the ASN of a switch.
fn downwards(scheme: AsnScheme, switch: Switch) -> Vec<Step> {
    match (scheme, switch) {
        (AsnScheme::PerRack, Switch::Spine(_) | Switch::SuperSpine(_)) => Vec::new(),
        (AsnScheme::PerRack, Switch::PodSpine(pod, _)) => vec![CORE, Step::times(-1, "pod", pod)],
        (AsnScheme::PerSwitch, switch) => {
            let own = switch.steps().map(Step::negative);
            std::iter::once(CORE).chain(own).collect()
        }
    }
}

/// How far below the base a switch is numbered.
fn below(scheme: AsnScheme, switch: Switch) -> u64 {
    u64::try_from(-sum(&downwards(scheme, switch))).unwrap_or_default()
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
    (top, up)
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
