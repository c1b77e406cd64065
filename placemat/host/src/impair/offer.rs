//! What this kernel has to impair links with. Found by doing it, in a namespace that is thrown away.

use super::{Backend, Effects};
use crate::netlink::{Filter, Hook, Netlink, NetlinkError};
use crate::sandbox::{self, SandboxError};
use crate::tap;
use std::io;
use std::time::Duration;

/// `lo` has index 1 in every namespace.
const LO: u32 = 1;

/// What a kernel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four things that a kernel has or has not"
)]
pub struct Offer {
    /// The network emulator.
    pub netem: bool,
    /// Filters that drop at random.
    pub filter: bool,
    /// The token bucket.
    pub tbf: bool,
    /// What a wire needs: TAP devices, and filters that send frames elsewhere.
    pub wire: bool,
}

impl Offer {
    /// Looks from outside of any lab, in namespaces that end with it. Call it before the process has
    /// a second thread.
    pub fn of_host() -> Result<Self, SandboxError> {
        let look = || {
            let offer = Self::here().ok()?;
            let parts = [offer.netem, offer.filter, offer.tbf, offer.wire];
            Some(parts.map(u8::from).to_vec())
        };
        let (_, told) = sandbox::in_throwaway(look)?;
        let part = |index: usize| told.get(index) == Some(&1);
        Ok(Self {
            netem: part(0),
            filter: part(1),
            tbf: part(2),
            wire: part(3),
        })
    }

    /// Looks, from a thread in a network namespace of its own. Takes the right to make one.
    pub fn look() -> io::Result<Self> {
        let look = || {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)?;
            Self::here().map_err(|error| io::Error::other(super::chain(&error)))
        };
        std::thread::scope(|scope| {
            let thread = scope.spawn(look);
            thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("its thread panicked")))
        })
    }

    /// Tries everything on the `lo` of the calling thread's namespace, which must be its own.
    pub(crate) fn here() -> Result<Self, NetlinkError> {
        let mut netlink = Netlink::open()?;
        let some = Effects {
            delay: Duration::from_millis(1),
            ..Effects::default()
        };
        let netem = netlink.emulate(LO, &some).is_ok();
        let tbf = netlink.shape(LO, 1_000_000, 1500).is_ok();
        let hooks = netlink.add_hooks(LO).is_ok();
        let drop = Filter::Drop(0.5);
        let filter = hooks
            && netlink.add_filter(LO, Hook::Egress, drop).is_ok()
            && netlink.add_filter(LO, Hook::Ingress, drop).is_ok();
        let redirect = |netlink: &mut Netlink| {
            let _tap = tap::create("probe").ok()?;
            let links = netlink.links().ok()?;
            let to = links.iter().find(|link| link.name == "probe")?.index;
            let redirect = Filter::Redirect { to, but: 1 };
            netlink.add_filter(LO, Hook::Egress, redirect).ok()
        };
        let wire = filter && redirect(&mut netlink).is_some();
        Ok(Self {
            netem,
            filter,
            tbf,
            wire,
        })
    }

    /// By what these effects are brought about, for the TAP of a machine or for an interface of a
    /// namespace; `None` where that cannot be.
    pub fn choose(&self, effects: &Effects, tap: bool) -> Option<Vec<Backend>> {
        if effects.is_none() {
            return Some(Vec::new());
        }
        if self.netem && !tap {
            return Some(vec![Backend::Netem]);
        }
        let mut chosen = Vec::new();
        if effects.loss > 0.0 {
            chosen.push((Backend::Filter, self.filter));
        }
        if effects.rate.is_some() {
            // What a machine sends is received here, and a bucket only holds what is sent.
            chosen.push((Backend::Tbf, self.tbf && !tap));
        }
        if !effects.need_wire() && chosen.iter().all(|(_, there)| *there) {
            return Some(chosen.into_iter().map(|(backend, _)| backend).collect());
        }
        self.wire.then(|| vec![Backend::Wire])
    }

    /// Each effect by its name in files, with its back end for interfaces of namespaces and for
    /// machines; `None` where there is none.
    pub fn table(&self) -> Vec<(&'static str, Option<Backend>, Option<Backend>)> {
        let none = Effects::default();
        let millisecond = Duration::from_millis(1);
        let rows = [
            (
                "delay",
                Effects {
                    delay: millisecond,
                    ..none
                },
            ),
            (
                "jitter",
                Effects {
                    jitter: millisecond,
                    ..none
                },
            ),
            ("loss", Effects { loss: 0.5, ..none }),
            (
                "rate",
                Effects {
                    rate: Some(1_000_000),
                    ..none
                },
            ),
            (
                "corrupt",
                Effects {
                    corrupt: 0.5,
                    ..none
                },
            ),
            (
                "duplicate",
                Effects {
                    duplicate: 0.5,
                    ..none
                },
            ),
            (
                "reorder",
                Effects {
                    reorder: 0.5,
                    ..none
                },
            ),
        ];
        let by = |effects: &Effects, tap| self.choose(effects, tap)?.first().copied();
        rows.iter()
            .map(|(word, effects)| (*word, by(effects, false), by(effects, true)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    fn shown(offer: Offer) -> String {
        let word = |backend: Option<Backend>| {
            backend.map_or_else(|| "-".to_owned(), |backend| backend.to_string())
        };
        offer
            .table()
            .into_iter()
            .fold(String::new(), |mut text, (effect, interface, machine)| {
                let _ = writeln!(
                    text,
                    "{effect:<10} {:<16} {}",
                    word(interface),
                    word(machine)
                );
                text
            })
    }

    #[test]
    fn the_table_follows_the_kernel() {
        let all = Offer {
            netem: true,
            filter: true,
            tbf: true,
            wire: true,
        };
        insta::assert_snapshot!("everything", shown(all));
        insta::assert_snapshot!(
            "without_netem",
            shown(Offer {
                netem: false,
                ..all
            })
        );
        let bare = Offer {
            filter: true,
            ..Offer::default()
        };
        insta::assert_snapshot!("a_filter_only", shown(bare));
    }

    #[test]
    fn several_effects_take_several_back_ends_or_one_wire() {
        let offer = Offer {
            netem: false,
            filter: true,
            tbf: true,
            wire: true,
        };
        let lossy = Effects {
            loss: 0.1,
            rate: Some(1_000_000),
            ..Effects::default()
        };
        let both = Some(vec![Backend::Filter, Backend::Tbf]);
        assert_eq!(offer.choose(&lossy, false), both);
        assert_eq!(offer.choose(&lossy, true), Some(vec![Backend::Wire]));
        let late = Effects {
            delay: Duration::from_millis(5),
            ..lossy
        };
        assert_eq!(offer.choose(&late, false), Some(vec![Backend::Wire]));
        let no_tbf = Offer {
            tbf: false,
            ..offer
        };
        assert_eq!(no_tbf.choose(&lossy, false), Some(vec![Backend::Wire]));
        assert_eq!(Offer::default().choose(&lossy, false), None);
        assert_eq!(
            Offer::default().choose(&Effects::default(), true),
            Some(vec![])
        );
    }
}
