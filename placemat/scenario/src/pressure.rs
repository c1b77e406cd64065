//! How starved the host was while something was held against a budget: one that is exceeded
//! meanwhile says nothing about the lab.

use crate::context::Context;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between readings: short beside any budget worth having, long beside what a reading costs.
const EVERY: Duration = Duration::from_millis(100);
/// Share of a stretch in which work waited for a processor, from which the host counts as starved.
const STARVED: f64 = 0.5;

/// Readings of the time that work on the host has waited for a processor.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pressure {
    /// Milliseconds on the run's clock, and milliseconds waited until then.
    readings: Vec<(f64, f64)>,
}

impl Pressure {
    /// Reads until `stop`. A host that cannot be read excuses nothing.
    pub(crate) async fn watch(cx: &Context, stop: &CancellationToken) -> Self {
        let mut pressure = Self::default();
        loop {
            pressure.read(cx).await;
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
        pressure.read(cx).await;
        pressure
    }

    async fn read(&mut self, cx: &Context) {
        if let Ok(waited) = cx.port().host_waited().await {
            let now = cx.run.sink.elapsed_ms();
            self.readings.push((now, waited.as_secs_f64() * 1000.0));
        }
    }

    /// Share of all the time read in which work waited, 0 to 1.
    pub(crate) fn share(&self) -> Option<f64> {
        let (first, last) = (self.readings.first()?, self.readings.last()?);
        self.share_within(first.0, last.0)
    }

    /// Whether the host may be to blame for what happened between two moments on the run's clock:
    /// it was starved, and for long enough that without the waiting there would have been no
    /// excess. Then the share of that time in which work waited.
    pub(crate) fn excuses(&self, start_ms: f64, end_ms: f64, excess_ms: f64) -> Option<f64> {
        let share = self.share_within(start_ms, end_ms)?;
        (share >= STARVED && share * (end_ms - start_ms) >= excess_ms).then_some(share)
    }

    fn share_within(&self, start_ms: f64, end_ms: f64) -> Option<f64> {
        let length = end_ms - start_ms;
        let waited = self.waited_at(end_ms)? - self.waited_at(start_ms)?;
        (length > 0.0).then(|| (waited / length).clamp(0.0, 1.0))
    }

    /// Between two readings, as if it had grown evenly.
    fn waited_at(&self, at_ms: f64) -> Option<f64> {
        let next = self
            .readings
            .partition_point(|(read_ms, _)| *read_ms < at_ms);
        let Some(&(after_ms, after)) = self.readings.get(next) else {
            return self.readings.last().map(|(_, waited)| *waited);
        };
        let Some(&(before_ms, before)) = next.checked_sub(1).and_then(|at| self.readings.get(at))
        else {
            return Some(after);
        };
        Some(before + (after - before) * (at_ms - before_ms) / (after_ms - before_ms))
    }

    #[cfg(test)]
    pub(crate) fn of(readings: &[(f64, f64)]) -> Self {
        Self {
            readings: readings.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_starved_stretch_excuses_what_it_can_explain_and_no_more() {
        // Quiet for a second, starved for two, quiet again.
        let pressure = Pressure::of(&[
            (0.0, 70.0),
            (1000.0, 90.0),
            (3000.0, 1890.0),
            (4000.0, 1900.0),
        ]);
        assert_eq!(pressure.excuses(1000.0, 3000.0, 1500.0), Some(0.9));
        assert_eq!(pressure.excuses(1500.0, 2500.0, 100.0), Some(0.9));
        assert_eq!(pressure.excuses(1000.0, 3000.0, 1900.0), None, "too much");
        assert_eq!(pressure.excuses(0.0, 1000.0, 1.0), None, "quiet");
        assert_eq!(pressure.excuses(2000.0, 2000.0, 0.0), None, "no time");
        let share = pressure.share().unwrap();
        assert!((share - 1830.0 / 4000.0).abs() < 1e-9);
    }

    #[test]
    fn without_readings_nothing_is_excused() {
        assert_eq!(Pressure::default().excuses(0.0, 1000.0, 0.0), None);
        assert_eq!(Pressure::default().share(), None);
        assert_eq!(Pressure::of(&[(500.0, 9.0)]).share(), None);
    }
}
