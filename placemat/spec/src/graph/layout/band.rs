//! Vertices side by side, each as near as can be to where it would like to stand.

/// Centers for boxes of some widths, in the order given, `gap` apart, such that the sum of the squares of
/// their distances from `wishes` is least. This is isotonic regression, by pooling adjacent violators.
pub(super) fn spread(widths: &[f64], wishes: &[f64], gap: f64) -> Vec<f64> {
    // Distance of each center from the first when all stand as close as they may.
    let mut offsets = Vec::with_capacity(widths.len());
    let mut edge = 0.0;
    for (index, width) in widths.iter().enumerate() {
        let center = if index == 0 {
            0.0
        } else {
            edge + gap + width / 2.0
        };
        offsets.push(center);
        edge = center + width / 2.0;
    }
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (wish, offset) in wishes.iter().zip(&offsets) {
        let mut pool = (wish - offset, 1.0, 1);
        while let Some(last) = pools.last().filter(|last| last.0 > pool.0) {
            let weight = last.1 + pool.1;
            pool = (
                (last.0 * last.1 + pool.0 * pool.1) / weight,
                weight,
                last.2 + pool.2,
            );
            pools.pop();
        }
        pools.push(pool);
    }
    let starts = pools
        .into_iter()
        .flat_map(|(start, _, many)| std::iter::repeat_n(start, many));
    starts
        .zip(offsets)
        .map(|(start, offset)| start + offset)
        .collect()
}

/// Centers for boxes spread evenly over `width` from `left` on, which must be wide enough.
pub(super) fn even(widths: &[f64], left: f64, width: f64) -> Vec<f64> {
    let taken: f64 = widths.iter().sum();
    let gap = (width - taken) / (super::count(widths.len()).max(1.0));
    let mut at = left + gap / 2.0;
    let centers = widths.iter().map(|one| {
        let center = at + one / 2.0;
        at += one + gap;
        center
    });
    centers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wants_the_same_place_stands_around_it() {
        assert_eq!(spread(&[10.0, 10.0], &[50.0, 50.0], 10.0), [40.0, 60.0]);
        assert_eq!(spread(&[10.0, 10.0], &[0.0, 90.0], 10.0), [0.0, 90.0]);
        assert_eq!(
            spread(&[10.0; 3], &[0.0, 100.0, 100.0], 10.0),
            [0.0, 90.0, 110.0]
        );
    }

    #[test]
    fn evenly_with_half_a_gap_at_the_ends() {
        assert_eq!(even(&[10.0, 10.0], 0.0, 40.0), [10.0, 30.0]);
    }
}
