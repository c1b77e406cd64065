//! Impaired links of a lab: those of its file, and those that faults ask for.

use super::{Wiring, WiringError};
use crate::plan::End;
use placemat_host::impair::{Backend, Effects, ImpairError, Impairments, Link, Offer};
use placemat_host::netlink::NetlinkError;
use placemat_spec::resource;
use placemat_spec::selector::Target;

/// What a file asks for, as the kernel is asked for it.
pub fn effects(of: &resource::Effects) -> Effects {
    Effects {
        delay: of.delay,
        jitter: of.jitter,
        loss: of.loss.fraction(),
        rate: of.rate,
        corrupt: of.corrupt.fraction(),
        duplicate: of.duplicate.fraction(),
        reorder: of.reorder.fraction(),
    }
}

impl Wiring {
    /// Makes `effects` what befalls all that an interface sends; none of them heals it, whatever
    /// its file says. Tells by what.
    pub fn impair(
        &self,
        target: &Target,
        interface: &str,
        effects: &Effects,
    ) -> Result<Vec<Backend>, WiringError> {
        let failed = |source| WiringError::Impair {
            target: target.clone(),
            interface: interface.to_owned(),
            source,
        };
        let link = self
            .link(target, interface)
            .ok_or_else(|| failed(ImpairError::NoLink(interface.to_owned())))?;
        let impairments = if let Some(there) = self.impairments.get() {
            there
        } else {
            // Looked for by the first that asks: most labs impair nothing.
            let offer = Offer::look().map_err(|source| {
                let error = NetlinkError::new("look for what this kernel can do", source);
                failed(error.into())
            })?;
            self.impairments.get_or_init(|| Impairments::new(offer))
        };
        impairments.impair(&link, effects).map_err(failed)
    }

    /// Impairs interfaces as the plan has it.
    pub(super) fn impair_planned<'a>(
        &self,
        ends: impl Iterator<Item = &'a End>,
    ) -> Result<(), WiringError> {
        for end in ends {
            if let Some(planned) = &end.impair {
                self.impair(&end.target, &end.interface, &effects(planned))?;
            }
        }
        Ok(())
    }

    /// Takes off what befalls an interface that is about to go. What cannot be taken off goes with it.
    pub(super) fn unimpair(&self, end: &End) {
        if self.impairments.get().is_some() {
            let _ = self.impair(&end.target, &end.interface, &Effects::default());
        }
    }

    fn link(&self, target: &Target, interface: &str) -> Option<Link> {
        if let Some(space) = self.space_of(target) {
            let config = space.config();
            let known = config.interfaces.iter().any(|(name, _)| name == interface);
            return known.then(|| Link::Interface {
                netns: space.netns.clone(),
                name: interface.to_owned(),
            });
        }
        let taps = self.taps_of(target).into_iter();
        let tap = taps
            .into_iter()
            .find(|tap| tap.end.interface == interface)?;
        Some(Link::Tap {
            netns: self.hub_netns.clone(),
            name: tap.name,
            bridge: tap.bridge,
        })
    }
}
