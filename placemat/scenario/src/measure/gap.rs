//! Loss windows of one flow.

use crate::port::FlowRecord;

/// A stretch in which nothing of a flow arrived, on the clock of sending: from the last packet
/// that arrived before to the first that arrived after. Taken from sending times, so that a
/// receiver that was scheduled late is not mistaken for a silent network.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::struct_field_names, reason = "the unit")]
pub(crate) struct Gap {
    pub(crate) start_ms: f64,
    pub(crate) end_ms: f64,
    /// The longest time within it that the sender itself paused. Much more than the interval
    /// means that the host, not the network, was silent.
    pub(crate) sender_pause_ms: f64,
}

impl Gap {
    pub(crate) fn length_ms(&self) -> f64 {
        self.end_ms - self.start_ms
    }
}

/// Packets that never arrived. A missing entry counts as not arrived.
pub(crate) fn lost(record: &FlowRecord) -> u64 {
    let arrived = record
        .received
        .iter()
        .take(record.sent.len())
        .flatten()
        .count();
    (record.sent.len() - arrived) as u64
}

/// The longest time between two packets of a flow, in milliseconds: a silence of the network
/// within it would not have been seen.
pub(crate) fn longest_pause(record: &FlowRecord) -> f64 {
    let pauses = record.sent.windows(2).map(|pair| pair[1] - pair[0]);
    pauses.fold(0.0, f64::max)
}

/// The loss windows of a flow, in order. A flow that ends in loss has its last window up to one
/// interval after its last packet.
pub(crate) fn gaps(record: &FlowRecord, every_ms: f64) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut open: Option<Gap> = None;
    let mut before: Option<f64> = None;
    for (index, &sent) in record.sent.iter().enumerate() {
        let arrived = record.received.get(index).copied().flatten().is_some();
        let pause = before.map_or(0.0, |before| sent - before);
        if let Some(gap) = open.as_mut() {
            gap.sender_pause_ms = gap.sender_pause_ms.max(pause);
            gap.end_ms = sent;
        } else if !arrived {
            open = Some(Gap {
                start_ms: before.unwrap_or(sent),
                end_ms: sent,
                sender_pause_ms: pause,
            });
        }
        if arrived {
            gaps.extend(open.take());
        }
        before = Some(sent);
    }
    if let Some(mut gap) = open {
        gap.end_ms += every_ms;
        gaps.push(gap);
    }
    gaps
}

/// The longest loss window, if anything was lost.
pub(crate) fn longest_gap(record: &FlowRecord, every_ms: f64) -> Option<Gap> {
    gaps(record, every_ms)
        .into_iter()
        .max_by(|a, b| a.length_ms().total_cmp(&b.length_ms()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(pattern: &str) -> FlowRecord {
        FlowRecord {
            sent: (0u32..)
                .zip(pattern.chars())
                .map(|(i, _)| f64::from(i) * 10.0)
                .collect(),
            received: (0u32..)
                .zip(pattern.chars())
                .map(|(i, c)| (c == '+').then_some(f64::from(i) * 10.0 + 1.0))
                .collect(),
        }
    }

    #[test]
    fn windows_span_from_the_last_arrival_to_the_next() {
        let windows = |pattern| {
            gaps(&record(pattern), 10.0)
                .iter()
                .map(|gap| (gap.start_ms, gap.end_ms))
                .collect::<Vec<_>>()
        };
        assert_eq!(windows("++++"), []);
        assert_eq!(windows("++--+-+"), [(10.0, 40.0), (40.0, 60.0)]);
        assert_eq!(windows("--++"), [(0.0, 20.0)]);
        assert_eq!(windows("++--"), [(10.0, 40.0)]);
        assert_eq!(windows("----"), [(0.0, 40.0)]);
        assert_eq!(windows(""), []);
    }

    #[test]
    fn a_sender_that_paused_is_noticed() {
        let paused = FlowRecord {
            sent: vec![0.0, 10.0, 900.0, 910.0],
            received: vec![Some(1.0), None, Some(901.0), Some(911.0)],
        };
        let gap = longest_gap(&paused, 10.0).unwrap();
        assert!((gap.sender_pause_ms - 890.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn windows_are_ordered_disjoint_and_cover_every_loss(
            arrived in proptest::collection::vec(any::<bool>(), 0..200),
            steps in proptest::collection::vec(1.0f64..50.0, 200),
        ) {
            let mut at = 0.0;
            let sent: Vec<f64> = arrived.iter().zip(&steps).map(|(_, step)| { at += step; at }).collect();
            let record = FlowRecord {
                received: arrived.iter().zip(&sent).map(|(&ok, &t)| ok.then_some(t + 1.0)).collect(),
                sent,
            };
            let windows = gaps(&record, 10.0);
            for pair in windows.windows(2) {
                prop_assert!(pair[0].end_ms <= pair[1].start_ms);
            }
            for (index, &t) in record.sent.iter().enumerate() {
                let lost = record.received[index].is_none();
                let covered = windows.iter().any(|gap| gap.start_ms <= t && t <= gap.end_ms);
                if lost { prop_assert!(covered); }
                let inside = windows.iter().any(|gap| gap.start_ms < t && t < gap.end_ms);
                if inside { prop_assert!(lost); }
            }
            prop_assert_eq!(lost(&record) == 0, windows.is_empty());
            for gap in &windows {
                prop_assert!(gap.length_ms() > 0.0);
                prop_assert!(gap.sender_pause_ms <= gap.length_ms() + 1e-9);
            }
        }
    }
}
