//! One direction of a wire: what is on its way, and what befalls it. The order is netem's: lost or
//! doubled first, then corrupted, then held back by rate, then by delay.

use super::budget::{Budget, Room};
use crate::impair::Effects;
use crate::netlink::BACKLOG;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of the virtio-net header before each frame (`struct virtio_net_hdr`).
const HEADER: usize = 10;
/// `VIRTIO_NET_HDR_F_NEEDS_CSUM`.
const NEEDS_CHECKSUM: u8 = 1;
/// Longest frame: what segmentation offload puts together, with header.
const LONGEST: usize = HEADER + 65_536 + 64;
/// Most bytes on their way: more are dropped, as a full queue does.
const MOST: usize = 32 << 20;
/// Frames taken in a row, so that no lane starves the others.
const BURST: usize = 64;

/// One direction.
pub(super) struct Lane {
    from: OwnedFd,
    to: OwnedFd,
    effects: Effects,
    /// By when they are due; those that are due at the same time stay in order.
    queue: BTreeMap<(Instant, u64), Held>,
    held_bytes: usize,
    /// When what the rate allows has been sent.
    busy_until: Instant,
    sequence: u64,
    dice: Dice,
    buffer: Vec<u8>,
    broken: bool,
    budget: Arc<Budget>,
}

/// A frame on its way.
struct Held {
    frame: Vec<u8>,
    _room: Option<Room>,
}

impl Lane {
    pub(super) fn new(
        from: OwnedFd,
        to: OwnedFd,
        effects: Effects,
        seed: u64,
        budget: Arc<Budget>,
    ) -> Self {
        Self {
            from,
            to,
            effects,
            queue: BTreeMap::new(),
            held_bytes: 0,
            busy_until: Instant::now(),
            sequence: 0,
            dice: Dice::new(seed),
            buffer: vec![0; LONGEST],
            broken: false,
            budget,
        }
    }

    pub(super) fn set(&mut self, effects: Effects) {
        self.effects = effects;
    }

    pub(super) fn source(&self) -> BorrowedFd<'_> {
        self.from.as_fd()
    }

    /// Its source has ended.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Sends what is due; when the next frame is.
    pub(super) fn flush(&mut self, now: Instant) -> Option<Instant> {
        while let Some(next) = self.queue.first_entry() {
            let (due, _) = *next.key();
            if due > now {
                return Some(due);
            }
            let held = next.remove();
            self.held_bytes -= held.frame.len();
            // A link that is down or full drops frames.
            let _ = nix::unistd::write(&self.to, &held.frame);
        }
        None
    }

    /// Takes what has come in.
    pub(super) fn take(&mut self) {
        for _ in 0..BURST {
            match nix::unistd::read(&self.from, &mut self.buffer) {
                // The end of a socket. A device does not end.
                Ok(0) => {
                    self.broken = true;
                    return;
                }
                Ok(length) => {
                    let frame = self.buffer[..length].to_vec();
                    self.accept(frame, Instant::now());
                }
                // A packet socket says once that its link went down, and is fine afterwards.
                Err(nix::Error::EAGAIN | nix::Error::EINTR | nix::Error::ENETDOWN) => return,
                Err(_) => {
                    self.broken = true;
                    return;
                }
            }
        }
    }

    fn accept(&mut self, frame: Vec<u8>, now: Instant) {
        if self.dice.hits(self.effects.loss) {
            return;
        }
        if self.dice.hits(self.effects.duplicate) {
            self.hold(frame.clone(), now);
        }
        self.hold(frame, now);
    }

    fn hold(&mut self, mut frame: Vec<u8>, now: Instant) {
        if self.held_bytes + frame.len() > MOST {
            self.budget.drop_one();
            return;
        }
        if self.dice.hits(self.effects.corrupt) {
            let at = self.dice.next();
            corrupt(&mut frame, at);
        }
        let mut due = now;
        if let Some(rate) = self.effects.rate {
            let begin = self.busy_until.max(now);
            if begin - now > BACKLOG {
                return;
            }
            let bits = u64::try_from(frame.len().saturating_sub(HEADER)).unwrap_or(0) * 8;
            due = begin + Duration::from_nanos(bits.saturating_mul(1_000_000_000) / rate.max(1));
            self.busy_until = due;
        }
        if !self.dice.hits(self.effects.reorder) {
            due += self.delay();
        }
        // What goes on at once needs no room, however full other lanes are.
        let late = (due > now).then(|| self.budget.take(frame.len()));
        if matches!(late, Some(None)) {
            return;
        }
        self.sequence += 1;
        self.held_bytes += frame.len();
        let held = Held {
            frame,
            _room: late.flatten(),
        };
        self.queue.insert((due, self.sequence), held);
    }

    /// The delay, with jitter evenly to both sides.
    fn delay(&mut self) -> Duration {
        let jitter = self.effects.jitter;
        if jitter.is_zero() {
            return self.effects.delay;
        }
        let shift = jitter.mul_f64(2.0 * self.dice.fraction());
        (self.effects.delay + shift).saturating_sub(jitter)
    }
}

/// Turns one bit behind the MAC addresses, so that the frame still arrives where it was to go. A
/// checksum that was left to the device is filled in first: it must not be made to fit.
fn corrupt(frame: &mut [u8], at: u64) {
    const MACS: usize = 12;
    if frame.len() <= HEADER + MACS {
        return;
    }
    let segmented = frame[1] != 0;
    if frame[0] & NEEDS_CHECKSUM != 0 && !segmented {
        fill_checksum(frame);
    }
    // What is yet to be cut into segments gets its checksums afterwards: only a header that the
    // cutting does not rewrite, the IP addresses, stays wrong.
    let (begin, end) = if segmented {
        (HEADER + 26, (HEADER + 34).min(frame.len()))
    } else {
        (HEADER + MACS, frame.len())
    };
    let bits = u64::try_from(end.saturating_sub(begin) * 8).unwrap_or(0);
    if bits > 0 {
        let bit = usize::try_from(at % bits).unwrap_or(0);
        frame[begin + bit / 8] ^= 1 << (bit % 8);
    }
}

/// The internet checksum (RFC 1071) from `csum_start` on, put at `csum_offset` behind it.
fn fill_checksum(frame: &mut [u8]) {
    let word = |at: usize| usize::from(u16::from_ne_bytes([frame[at], frame[at + 1]]));
    let start = HEADER + word(6);
    let place = start + word(8);
    if place + 2 > frame.len() {
        return;
    }
    let mut sum: u64 = frame[start..]
        .chunks(2)
        .map(|pair| u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u64::from(*low)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let sum = !u16::try_from(sum).unwrap_or(0);
    frame[place..place + 2].copy_from_slice(&sum.to_be_bytes());
    frame[0] &= !NEEDS_CHECKSUM;
}

/// Random numbers of a lane (SplitMix64): fast, and good enough for dropping frames.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        use std::hash::{BuildHasher, RandomState};
        Self(RandomState::new().hash_one(seed))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// From 0 to 1, without 1.
    fn fraction(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or(0);
        f64::from(high) / 4_294_967_296.0
    }

    fn hits(&mut self, share: f64) -> bool {
        share > 0.0 && self.fraction() < share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lane(effects: Effects) -> Lane {
        let null = || OwnedFd::from(std::fs::File::open("/dev/null").expect("/dev/null"));
        Lane::new(null(), null(), effects, 1, Arc::default())
    }

    /// When each of `count` frames of 1010 bytes is due after they came at once.
    fn due(effects: Effects, count: usize) -> Vec<Duration> {
        let mut lane = lane(effects);
        let now = Instant::now();
        lane.busy_until = now;
        for _ in 0..count {
            lane.accept(vec![0; HEADER + 1000], now);
        }
        let mut due = Vec::new();
        while let Some(((at, _), _)) = lane.queue.pop_first() {
            due.push(at - now);
        }
        due
    }

    #[test]
    fn shares_are_kept() {
        let of = |effects| due(effects, 10_000).len();
        let lost = 10_000
            - of(Effects {
                loss: 0.3,
                ..Effects::default()
            });
        assert!((2_700..3_300).contains(&lost), "{lost}");
        let doubled = of(Effects {
            duplicate: 0.1,
            ..Effects::default()
        }) - 10_000;
        assert!((800..1_200).contains(&doubled), "{doubled}");
    }

    #[test]
    fn a_rate_spaces_frames_and_drops_what_waits_too_long() {
        // 8 ms a frame.
        let due = due(
            Effects {
                rate: Some(1_000_000),
                ..Effects::default()
            },
            100,
        );
        assert_eq!(due[0], Duration::from_millis(8));
        assert_eq!(due[10], Duration::from_millis(88));
        assert!(due.len() < 30, "{}", due.len());
    }

    #[test]
    fn jitter_stays_within_and_reordered_frames_do_not_wait() {
        let delay = Duration::from_millis(20);
        let jitter = Duration::from_millis(5);
        let jittery = due(
            Effects {
                delay,
                jitter,
                ..Effects::default()
            },
            1000,
        );
        assert!(
            jittery
                .iter()
                .all(|due| (Duration::from_millis(15)..=Duration::from_millis(25)).contains(due))
        );
        assert!(jittery[999] > jittery[0] + jitter);
        let mixed = due(
            Effects {
                delay,
                reorder: 0.25,
                ..Effects::default()
            },
            1000,
        );
        let early = mixed.iter().filter(|due| due.is_zero()).count();
        assert!((180..320).contains(&early), "{early}");
        assert!(mixed.iter().all(|due| due.is_zero() || *due == delay));
    }

    #[test]
    fn a_checksum_left_to_the_device_is_filled_in_before_a_bit_turns() {
        let mut frame = vec![0; HEADER + 40];
        frame[0] = NEEDS_CHECKSUM;
        frame[6..8].copy_from_slice(&34_u16.to_ne_bytes());
        frame[8..10].copy_from_slice(&2_u16.to_ne_bytes());
        frame[HEADER + 34] = 0x12;
        fill_checksum(&mut frame);
        assert_eq!(frame[0], 0);
        assert_eq!(frame[HEADER + 36..HEADER + 38], [0xed, 0xff]);
    }

    #[test]
    fn lanes_share_what_may_be_on_its_way_and_give_it_back() {
        let one = 1010;
        let budget = Arc::new(Budget::of(10 * one));
        let null = || OwnedFd::from(std::fs::File::open("/dev/null").expect("/dev/null"));
        let hour = Effects {
            delay: Duration::from_secs(3600),
            ..Effects::default()
        };
        let now = Instant::now();
        let fill = |frames: usize| {
            let mut lane = Lane::new(null(), null(), hour, 1, budget.clone());
            for _ in 0..frames {
                lane.accept(vec![0; one], now);
            }
            lane
        };
        let mut lanes = [fill(6), fill(6)];
        assert_eq!(budget.dropped(), 2);
        assert_eq!(lanes.each_ref().map(|it| it.queue.len()), [6, 4]);
        // What has arrived is on its way no more.
        lanes[0].flush(now + Duration::from_secs(4000));
        lanes[1].accept(vec![0; one], now);
        assert_eq!((budget.dropped(), lanes[1].queue.len()), (2, 5));
        // Nor is what a lane that is taken away had.
        drop(lanes);
        let lane = fill(10);
        assert_eq!((budget.dropped(), lane.queue.len()), (2, 10));
        // One alone has a limit of its own.
        let (roomy, frames) = (Arc::new(Budget::default()), MOST / LONGEST);
        let mut lane = Lane::new(null(), null(), hour, 1, roomy.clone());
        for _ in 0..=frames {
            lane.accept(vec![0; LONGEST], now);
        }
        assert_eq!((roomy.dropped(), lane.queue.len()), (1, frames));
    }

    proptest! {
        #[test]
        fn corruption_turns_one_bit_and_never_panics(
            mut frame in proptest::collection::vec(any::<u8>(), 0..200),
            at in any::<u64>(),
        ) {
            if let Some(flags) = frame.first_mut() {
                *flags = 0;
            }
            let before = frame.clone();
            corrupt(&mut frame, at);
            let turned: u32 = before.iter().zip(&frame).map(|(a, b)| (a ^ b).count_ones()).sum();
            prop_assert!(turned <= 1);
            prop_assert!(frame.iter().take(HEADER + 12).eq(before.iter().take(HEADER + 12)));
        }

        #[test]
        fn no_header_makes_it_panic(mut frame in proptest::collection::vec(any::<u8>(), 0..200), at in any::<u64>()) {
            corrupt(&mut frame, at);
        }
    }
}
