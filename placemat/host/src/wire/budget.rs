//! How much may be on its way on all wires together, and how much had no room.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Most bytes on their way on all lanes of a process. A lab of a thousand slow links must not take
/// the host's memory.
const MOST: usize = 256 << 20;

/// What all lanes of a process share.
#[derive(Debug)]
pub(super) struct Budget {
    most: usize,
    held: AtomicUsize,
    dropped: AtomicU64,
}

impl Default for Budget {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Budget {
    /// With so many bytes.
    pub(super) fn of(most: usize) -> Self {
        Self {
            most,
            held: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    /// Takes room for a frame; there may be none, which is counted.
    pub(super) fn take(self: &Arc<Self>, bytes: usize) -> Option<Room> {
        let add = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.most);
        let order = Ordering::Relaxed;
        if self.held.fetch_update(order, order, add).is_err() {
            self.drop_one();
            return None;
        }
        let budget = self.clone();
        Some(Room { budget, bytes })
    }

    /// Counts a frame that is dropped for want of room. Each power of ten is told of.
    pub(super) fn drop_one(&self) {
        let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        if dropped
            .checked_ilog10()
            .is_some_and(|power| 10_u64.pow(power) == dropped)
        {
            tracing::warn!(
                dropped,
                "impaired links drop frames: too much is on its way"
            );
        }
    }

    /// Frames that had no room.
    #[cfg(test)]
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Room that was taken. It is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Room {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_dropped_and_counted() {
        let budget = Arc::new(Budget::default());
        let most = budget.take(MOST - 100).expect("room");
        assert!(budget.take(101).is_none());
        let rest = budget.take(100).expect("room");
        assert!(budget.take(1).is_none());
        assert_eq!(budget.dropped(), 2);
        drop((most, rest));
        let all = budget.take(MOST);
        assert!(all.is_some() && budget.take(usize::MAX).is_none());
    }
}
