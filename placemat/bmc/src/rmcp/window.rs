//! Replay protection: which session sequence numbers are still new (IPMI 2.0 section 6.12.13).

/// Numbers this far behind the newest may still arrive late.
const BEHIND: u32 = 16;

/// The sequence numbers that a session has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayWindow {
    newest: u32,
    /// Bit n: `newest - n` was seen.
    seen: u32,
}

impl ReplayWindow {
    /// Takes a number whose packet has proved to be authentic. False if it was seen before, is too old, or
    /// is 0, which is for packets outside of sessions. Any newer number is taken: only the
    /// console could have made it, and it may have retried while we were out of reach.
    pub fn accept(&mut self, number: u32) -> bool {
        if number == 0 {
            return false;
        }
        if number > self.newest {
            let ahead = number - self.newest;
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.newest = number;
            return true;
        }
        let behind = self.newest - number;
        let bit = 1u32.checked_shl(behind).unwrap_or(0);
        if behind > BEHIND || self.seen & bit != 0 {
            return false;
        }
        self.seen |= bit;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn takes_late_ones_once_and_old_ones_never() {
        let mut window = ReplayWindow::default();
        assert!(!window.accept(0));
        assert!(window.accept(20));
        assert!(!window.accept(20));
        assert!(window.accept(4));
        assert!(!window.accept(4));
        assert!(!window.accept(3));
        assert!(window.accept(u32::MAX));
        assert!(!window.accept(20));
    }

    proptest! {
        #[test]
        fn nothing_is_taken_twice(numbers in proptest::collection::vec(1u32..80, 0..200)) {
            let mut window = ReplayWindow::default();
            let mut taken = HashSet::new();
            for number in numbers {
                if window.accept(number) {
                    prop_assert!(taken.insert(number));
                }
            }
        }
    }
}
