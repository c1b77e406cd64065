//! How far a server's boot has come: the phases as they are seen from outside, in one place.

use crate::event::EventBus;
use placemat_spec::event::{BootPhase, LabEventKind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Follows one server. Clones are the same track.
#[derive(Debug, Clone)]
pub struct BootTrack {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    object: String,
    bus: EventBus,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone)]
struct State {
    phase: BootPhase,
    since: Instant,
    boots: u32,
    image: Option<String>,
}

impl BootTrack {
    /// A track of a server without power, that reports to `bus` as `object`.
    pub fn new(object: String, bus: EventBus) -> Self {
        let state = watch::Sender::new(State {
            phase: BootPhase::Off,
            since: Instant::now(),
            boots: 0,
            image: None,
        });
        Self {
            inner: Arc::new(Inner { object, bus, state }),
        }
    }

    /// Phase now.
    pub fn phase(&self) -> BootPhase {
        self.inner.state.borrow().phase
    }

    /// How long it has been in this phase.
    pub fn phase_for(&self) -> Duration {
        self.inner.state.borrow().since.elapsed()
    }

    /// Boots since the lab started.
    pub fn boots(&self) -> u32 {
        self.inner.state.borrow().boots
    }

    /// What the running system calls itself, once it has said so.
    pub fn image(&self) -> Option<String> {
        self.inner.state.borrow().image.clone()
    }

    /// Waits until the boot has come to `phase` or further.
    pub async fn wait_for(&self, phase: BootPhase) {
        let mut state = self.inner.state.subscribe();
        // The sender is ours: the wait cannot fail.
        let _ = state.wait_for(|state| state.phase >= phase).await;
    }

    /// Waits until the boot of this number is over: its power gone, or another begun.
    pub async fn until_over(&self, boot: u32) {
        let mut state = self.inner.state.subscribe();
        let over = |state: &State| state.boots != boot || state.phase == BootPhase::Off;
        // The sender is ours: the wait cannot fail.
        let _ = state.wait_for(over).await;
    }

    /// A new boot begins.
    pub fn begin(&self) {
        self.inner.state.send_modify(|state| {
            state.boots += 1;
            state.phase = BootPhase::Power;
            state.since = Instant::now();
            state.image = None;
        });
        self.emit(None);
    }

    /// The boot has come to `phase`. Phases only go forward within a boot; news of an earlier one,
    /// or of a server that has lost power since, is late and is dropped.
    pub fn reach(&self, phase: BootPhase, detail: Option<String>) {
        let news = self.inner.state.send_if_modified(|state| {
            let news = state.phase != BootPhase::Off && phase > state.phase;
            if news {
                state.phase = phase;
                state.since = Instant::now();
                if phase == BootPhase::Userspace {
                    state.image.clone_from(&detail);
                }
            }
            news
        });
        if news {
            self.emit(detail);
        }
    }

    /// It has no power (any more).
    pub fn end(&self) {
        let news = self.inner.state.send_if_modified(|state| {
            let news = state.phase != BootPhase::Off;
            state.phase = BootPhase::Off;
            state.image = None;
            if news {
                state.since = Instant::now();
            }
            news
        });
        if news {
            self.emit(None);
        }
    }

    /// Power came on or went off.
    pub fn power(&self, on: bool, cause: &str) {
        let cause = cause.to_owned();
        self.note(LabEventKind::Power { on, cause });
    }

    /// Any other event of this server.
    pub fn note(&self, what: LabEventKind) {
        self.inner.bus.emit(self.inner.object.clone(), what);
    }

    fn emit(&self, detail: Option<String>) {
        let (phase, boot) = {
            let state = self.inner.state.borrow();
            (state.phase, state.boots)
        };
        self.note(LabEventKind::Boot {
            phase,
            boot,
            detail,
        });
    }
}
