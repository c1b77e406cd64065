//! Choices drawn from the run's seed: the same seed and the same place in the file choose the same.

/// `SplitMix64`: small, and good enough to choose with.
struct Draw(u64);

impl Draw {
    /// A sequence of its own for each place.
    fn new(seed: u64, place: &str) -> Self {
        let mut state = seed;
        for byte in place.bytes() {
            state = Self(state ^ u64::from(byte)).next();
        }
        Self(state)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A random order of `0..count`.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a remainder of a usize fits one"
)]
pub(crate) fn order(seed: u64, place: &str, count: usize) -> Vec<usize> {
    let mut draw = Draw::new(seed, place);
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, (draw.next() % (last as u64 + 1)) as usize);
    }
    order
}

/// `count` of the items, in their own order.
pub(crate) fn pick<T: Clone>(seed: u64, place: &str, items: &[T], count: usize) -> Vec<T> {
    let mut chosen = order(seed, place, items.len());
    chosen.truncate(count);
    chosen.sort_unstable();
    chosen
        .into_iter()
        .map(|index| items[index].clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_order_is_a_permutation_and_repeatable(seed: u64, count in 0usize..50) {
            let drawn = order(seed, "1.2", count);
            let mut sorted = drawn.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..count).collect::<Vec<_>>());
            prop_assert_eq!(&drawn, &order(seed, "1.2", count));
        }
    }

    #[test]
    fn seeds_and_places_choose_differently() {
        let items: Vec<u32> = (0..100).collect();
        let first = pick(1, "1", &items, 10);
        assert_eq!(first.len(), 10);
        assert_ne!(first, pick(2, "1", &items, 10));
        assert_ne!(first, pick(1, "2", &items, 10));
    }
}
