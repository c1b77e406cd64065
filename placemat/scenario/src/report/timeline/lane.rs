//! One server's, router's or boot server's line through time: bands of state, and marks.

use crate::event::Lane;
use placemat_spec::event::{AppState, BootPhase, LabEvent, LabEventKind};

/// How many marks of a lane are kept; a boot server answers many requests.
const MARKS_KEPT: usize = 400;

/// What a lane is doing during a band, in the order of a boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BandKind {
    /// No power.
    Off,
    /// A router or boot server has power.
    On,
    /// A server in one of its boot phases.
    Boot(BootPhase),
}

/// A stretch of one state.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// The state.
    pub kind: BandKind,
    /// When it began.
    pub start_ms: f64,
    /// When it ended; `None` while it lasts.
    pub end_ms: Option<f64>,
    /// Cause or detail in words.
    pub detail: Option<String>,
}

/// What a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MarkKind {
    /// A program started or became ready.
    App,
    /// A program ended, failed, or was restarted.
    Trouble,
    /// Carrier of an interface changed.
    Link,
    /// The boot server answered a request.
    Http,
    /// Anything else.
    Note,
}

/// A moment on a lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// When.
    pub t_ms: f64,
    /// What it stands for.
    pub kind: MarkKind,
    /// In words.
    pub text: String,
}

/// One boot of a server.
#[derive(Debug, Clone, PartialEq)]
pub struct Boot {
    /// Counts boots since the lab started, from 1.
    pub number: u32,
    /// What it booted, as far as known.
    pub detail: Option<String>,
    /// Phases reached, with their beginnings.
    pub phases: Vec<(BootPhase, f64)>,
    /// When the machine lost power or began its next boot.
    pub end_ms: Option<f64>,
}

/// A lane.
#[derive(Debug, Clone, Default)]
pub struct LaneRun {
    /// `node/rack1-cs1`.
    pub object: String,
    /// Rack label.
    pub rack: Option<String>,
    /// Role label.
    pub role: Option<String>,
    /// Tier of a node.
    pub tier: Option<String>,
    /// States, in order, without overlap.
    pub bands: Vec<Band>,
    /// Moments, in order.
    pub marks: Vec<Mark>,
    /// Marks that were not kept.
    pub marks_dropped: usize,
    /// Boots, for servers.
    pub boots: Vec<Boot>,
}

impl LaneRun {
    pub(super) fn new(object: &str) -> Self {
        Self {
            object: object.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn describe(&mut self, lane: &Lane) {
        self.rack.clone_from(&lane.rack);
        self.role.clone_from(&lane.role);
        self.tier.clone_from(&lane.tier);
    }

    /// The name without its type.
    pub fn name(&self) -> &str {
        self.object
            .split_once('/')
            .map_or(self.object.as_str(), |(_, name)| name)
    }

    /// Whether it is a server, which boots, rather than a router, which is on or off.
    pub fn is_server(&self) -> bool {
        self.object.starts_with("node/")
    }

    /// Its state now.
    pub fn state(&self) -> Option<&Band> {
        self.bands.last()
    }

    pub(super) fn event(&mut self, t: f64, event: &LabEvent) {
        match &event.what {
            LabEventKind::Boot {
                phase,
                boot,
                detail,
            } => self.boot(t, *phase, *boot, detail.as_deref()),
            LabEventKind::Power { on, cause } => self.power(t, *on, cause),
            LabEventKind::App { app, state, detail } => self.app(t, app, *state, detail.as_deref()),
            LabEventKind::Link { interface, up } => {
                let state = if *up { "up" } else { "down" };
                self.mark(t, MarkKind::Link, format!("{interface} {state}"));
            }
            LabEventKind::Http {
                path,
                status,
                bytes,
                client,
                node,
            } => {
                let who = node.as_ref().unwrap_or(client);
                let text = format!("{who} {path}: {status}, {bytes} bytes");
                self.mark(t, MarkKind::Http, text);
            }
            LabEventKind::Note { text } => self.mark(t, MarkKind::Note, text.clone()),
            // The servers' own lanes say when they have an address.
            LabEventKind::Lab { .. } | LabEventKind::Dhcp { .. } => {}
        }
    }

    fn boot(&mut self, t: f64, phase: BootPhase, number: u32, detail: Option<&str>) {
        if phase == BootPhase::Off {
            return self.off(t, detail);
        }
        let same_boot = self
            .boots
            .last()
            .is_some_and(|b| b.number == number && b.end_ms.is_none());
        if !same_boot {
            self.end_boot(t);
            let phases = Vec::new();
            self.boots.push(Boot {
                number,
                detail: None,
                phases,
                end_ms: None,
            });
        }
        if let Some(boot) = self.boots.last_mut() {
            if let Some(detail) = detail {
                boot.detail = Some(detail.to_owned());
            }
            boot.phases.push((phase, t));
        }
        self.enter(t, BandKind::Boot(phase), detail);
    }

    fn power(&mut self, t: f64, on: bool, cause: &str) {
        if !on {
            return self.off(t, Some(cause));
        }
        // A server's own boot phases say more than its power; they may come before or after.
        let was_off = matches!(self.state().map(|b| b.kind), None | Some(BandKind::Off));
        if self.is_server() && was_off {
            self.enter(t, BandKind::Boot(BootPhase::Power), Some(cause));
        } else if !self.is_server() {
            self.enter(t, BandKind::On, Some(cause));
        }
    }

    fn off(&mut self, t: f64, detail: Option<&str>) {
        self.end_boot(t);
        self.enter(t, BandKind::Off, detail);
    }

    fn end_boot(&mut self, t: f64) {
        if let Some(boot) = self.boots.last_mut() {
            boot.end_ms.get_or_insert(t);
        }
    }

    fn app(&mut self, t: f64, app: &str, state: AppState, detail: Option<&str>) {
        let alive = matches!(state, AppState::Started | AppState::Ready);
        if alive && !self.is_server() && self.bands.is_empty() {
            self.enter(t, BandKind::On, None);
        }
        let kind = if alive {
            MarkKind::App
        } else {
            MarkKind::Trouble
        };
        self.mark(t, kind, app_words(app, state, detail));
    }

    /// Begins a band, unless the lane is in that state already.
    fn enter(&mut self, t: f64, kind: BandKind, detail: Option<&str>) {
        let detail = detail.map(str::to_owned);
        if let Some(last) = self.bands.last_mut() {
            if last.kind == kind {
                if last.detail.is_none() {
                    last.detail = detail;
                }
                return;
            }
            last.end_ms = Some(t);
        }
        self.bands.push(Band {
            kind,
            start_ms: t,
            end_ms: None,
            detail,
        });
    }

    fn mark(&mut self, t_ms: f64, kind: MarkKind, text: String) {
        if self.marks.len() < MARKS_KEPT {
            self.marks.push(Mark { t_ms, kind, text });
        } else {
            self.marks_dropped += 1;
        }
    }
}

/// `bird ended: signal 9`.
pub(super) fn app_words(app: &str, state: AppState, detail: Option<&str>) -> String {
    let state = match state {
        AppState::Started => "started",
        AppState::Ready => "is ready",
        AppState::Ended => "ended",
        AppState::Restarting => "restarts",
        AppState::Failed => "could not be started",
    };
    match detail {
        Some(detail) => format!("{app} {state}: {detail}"),
        None => format!("{app} {state}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(events: &[(f64, LabEventKind)]) -> LaneRun {
        let mut lane = LaneRun::new("node/rack1-cs1");
        for (t_ms, what) in events {
            let object = lane.object.clone();
            lane.event(
                *t_ms,
                &LabEvent {
                    t_ms: *t_ms,
                    object,
                    what: what.clone(),
                },
            );
        }
        lane
    }

    fn power(on: bool) -> LabEventKind {
        LabEventKind::Power {
            on,
            cause: "ipmi".to_owned(),
        }
    }

    fn boot(phase: BootPhase, boot: u32) -> LabEventKind {
        LabEventKind::Boot {
            phase,
            boot,
            detail: None,
        }
    }

    fn kinds(lane: &LaneRun) -> Vec<BandKind> {
        lane.bands.iter().map(|band| band.kind).collect()
    }

    #[test]
    fn power_and_its_boot_phase_make_one_band_in_either_order() {
        use BandKind::{Boot, Off};
        let on = [
            (0.0, power(true)),
            (1.0, boot(BootPhase::Power, 1)),
            (5.0, boot(BootPhase::Kernel, 1)),
        ];
        let swapped = [
            (0.0, boot(BootPhase::Power, 1)),
            (1.0, power(true)),
            (5.0, boot(BootPhase::Kernel, 1)),
        ];
        let expected = [Boot(BootPhase::Power), Boot(BootPhase::Kernel)];
        assert_eq!(kinds(&lane(&on)), expected);
        assert_eq!(kinds(&lane(&swapped)), expected);
        let off = [(0.0, power(false)), (1.0, boot(BootPhase::Off, 1))];
        assert_eq!(kinds(&lane(&off)), [Off]);
    }

    #[test]
    fn a_reset_without_power_loss_begins_a_boot_of_its_own() {
        let lane = lane(&[
            (0.0, boot(BootPhase::Power, 1)),
            (9.0, boot(BootPhase::Agent, 1)),
            (10.0, boot(BootPhase::Firmware, 2)),
        ]);
        assert_eq!(lane.boots.len(), 2);
        assert_eq!(lane.boots[0].end_ms, Some(10.0));
        assert_eq!(lane.boots[1].phases, [(BootPhase::Firmware, 10.0)]);
    }

    #[test]
    fn bands_never_overlap() {
        let lane = lane(&[
            (0.0, power(true)),
            (3.0, boot(BootPhase::Firmware, 1)),
            (4.0, power(false)),
            (6.0, power(true)),
            (7.0, boot(BootPhase::Agent, 2)),
        ]);
        let ends: Vec<Option<f64>> = lane.bands.iter().map(|band| band.end_ms).collect();
        assert_eq!(ends, [Some(3.0), Some(4.0), Some(6.0), Some(7.0), None]);
        assert!(
            lane.bands
                .windows(2)
                .all(|pair| pair[0].end_ms == Some(pair[1].start_ms))
        );
    }

    #[test]
    fn a_router_that_lost_its_daemon_is_still_on() {
        let mut lane = LaneRun::new("router/spine-1");
        let app = |state| LabEventKind::App {
            app: "bird".to_owned(),
            state,
            detail: None,
        };
        for (t_ms, state) in [(1.0, AppState::Ready), (2.0, AppState::Ended)] {
            let object = lane.object.clone();
            lane.event(
                t_ms,
                &LabEvent {
                    t_ms,
                    object,
                    what: app(state),
                },
            );
        }
        assert_eq!(kinds(&lane), [BandKind::On]);
        assert_eq!(
            lane.marks.last().map(|mark| mark.kind),
            Some(MarkKind::Trouble)
        );
    }
}
