//! What a unit is limited to: tells when it runs into it.

use super::Unit;
use placemat_spec::event::LabEventKind;
use placemat_spec::value::format_size;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the kernel's counters are looked at.
const EVERY: Duration = Duration::from_millis(500);

impl Unit {
    /// Looks at the counters for as long as there is power.
    pub(super) async fn watch_limits(&self, until: CancellationToken) {
        let mut clock = tokio::time::interval(EVERY);
        while until.run_until_cancelled(clock.tick()).await.is_some() {
            self.tell_of_limits();
        }
    }

    /// Emits an event for every kind of limit that was run into since the last time.
    pub(super) fn tell_of_limits(&self) {
        let spec = self.spec();
        let Some((group, limits)) = &spec.limits else {
            return;
        };
        let now = (group.memory_kills(), group.process_refusals());
        let told = std::mem::replace(&mut self.state().told_of_limits, now);
        let mut texts = Vec::new();
        if now.0 > told.0 {
            let limit = limits.memory.map(format_size).unwrap_or_default();
            texts.push(format!(
                "memory is out (limit {limit}): the kernel killed a process"
            ));
        }
        if now.1 > told.1 {
            let limit = limits.pids.unwrap_or_default();
            texts.push(format!("a process was refused (limit {limit})"));
        }
        for text in texts {
            self.inner
                .bus
                .emit(self.target().to_string(), LabEventKind::Note { text });
        }
    }

    /// How often a process of it was killed because memory was out.
    pub(super) fn memory_kills(&self) -> u64 {
        let spec = self.spec();
        spec.limits
            .as_ref()
            .map_or(0, |(group, _)| group.memory_kills())
    }
}
