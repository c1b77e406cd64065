//! A wire in user space: copies frames from one descriptor to another and does to them what this
//! kernel cannot do to a link. One thread carries all wires of a process.
//!
//! Frames come and go behind a virtio-net header, as TAP devices and packet sockets have it.

mod budget;
mod lane;

use crate::impair::Effects;
use budget::Budget;
use lane::Lane;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

/// All wires. Dropped, they end, and their descriptors are closed.
#[derive(Debug)]
pub struct Wires {
    orders: Option<Sender<Order>>,
    wake: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
    next: u64,
    budget: Arc<Budget>,
}

/// One direction of one link, from a descriptor to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WireId(u64);

/// Which of the two lanes of a wire: what is impaired, or the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    There,
    Back,
}

type Lanes = BTreeMap<(WireId, Way), Box<Lane>>;

enum Order {
    Add((WireId, Way), Box<Lane>),
    Set(WireId, Effects),
    Remove(WireId, Sender<()>),
}

impl Wires {
    /// Starts the thread that carries them.
    pub fn start() -> io::Result<Self> {
        let wake = Arc::new(EventFd::from_flags(
            EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK,
        )?);
        let (orders, received) = channel();
        let heard = wake.clone();
        let thread = std::thread::Builder::new()
            .name("wires".into())
            .spawn(move || carry(&received, &heard))?;
        Ok(Self {
            orders: Some(orders),
            wake,
            thread: Some(thread),
            next: 0,
            budget: Arc::default(),
        })
    }

    /// Carries frames that are read from `from` to `to`, both without blocking.
    pub fn add(&mut self, from: OwnedFd, to: OwnedFd, effects: Effects) -> WireId {
        self.next += 1;
        let id = WireId(self.next);
        let lane = Lane::new(from, to, effects, self.next, self.budget.clone());
        self.order(Order::Add((id, Way::There), Box::new(lane)));
        id
    }

    /// Gives a wire a way back, on which nothing befalls frames.
    pub fn add_back(&self, id: WireId, from: OwnedFd, to: OwnedFd) {
        let lane = Lane::new(from, to, Effects::default(), id.0, self.budget.clone());
        self.order(Order::Add((id, Way::Back), Box::new(lane)));
    }

    /// Changes what a wire does. Frames that are on their way stay as they are.
    pub fn set(&self, id: WireId, effects: Effects) {
        self.order(Order::Set(id, effects));
    }

    /// Takes a wire away, with what is on its way. Returns when its descriptors are closed.
    pub fn remove(&self, id: WireId) {
        let (done, closed) = channel();
        self.order(Order::Remove(id, done));
        // The thread answers, or is gone and its descriptors with it.
        let _ = closed.recv();
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread only ends when the sender does.
            let _ = orders.send(order);
            let _ = self.wake.write(1);
        }
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.wake.write(1);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn carry(orders: &Receiver<Order>, wake: &EventFd) {
    use std::sync::mpsc::TryRecvError;
    let mut lanes = Lanes::new();
    loop {
        loop {
            match orders.try_recv() {
                Ok(Order::Add(id, lane)) => {
                    lanes.insert(id, lane);
                }
                Ok(Order::Set(id, effects)) => {
                    if let Some(lane) = lanes.get_mut(&(id, Way::There)) {
                        lane.set(effects);
                    }
                }
                Ok(Order::Remove(id, done)) => {
                    lanes.retain(|(each, _), _| *each != id);
                    let _ = done.send(());
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        let now = Instant::now();
        let next = lanes.values_mut().filter_map(|lane| lane.flush(now)).min();
        let ready = match wait(wake, &lanes, next) {
            Ok(ready) => ready,
            Err(error) => {
                tracing::error!(%error, "wires end");
                return;
            }
        };
        // Only empties the counter.
        let _ = wake.read();
        for id in ready {
            if let Some(lane) = lanes.get_mut(&id) {
                lane.take();
            }
        }
    }
}

/// Waits for frames, for orders, or for the time at which the next frame is due.
fn wait(wake: &EventFd, lanes: &Lanes, next: Option<Instant>) -> io::Result<Vec<(WireId, Way)>> {
    let mut fds = vec![PollFd::new(wake.as_fd(), PollFlags::POLLIN)];
    let readable = lanes.values().filter(|lane| !lane.is_broken());
    fds.extend(readable.map(|lane| PollFd::new(lane.source(), PollFlags::POLLIN)));
    let left = next.map(|at| TimeSpec::from(at.saturating_duration_since(Instant::now())));
    match ppoll(&mut fds, left, None) {
        Ok(_) | Err(nix::Error::EINTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let ready = fds[1..].iter().map(|fd| fd.any().unwrap_or(false));
    Ok(lanes
        .iter()
        .filter(|(_, lane)| !lane.is_broken())
        .zip(ready)
        .filter(|(_, ready)| *ready)
        .map(|((id, _), _)| *id)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
    use std::time::Duration;

    /// Two ends of a channel that keeps packets apart, as devices do.
    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        )
        .expect("a socket pair")
    }

    fn frame(number: u8) -> Vec<u8> {
        let mut frame = vec![0; 60];
        frame[59] = number;
        frame
    }

    fn arrivals(from: &OwnedFd, count: usize) -> Vec<(Instant, Vec<u8>)> {
        let mut seen = Vec::new();
        while seen.len() < count {
            let mut fds = [PollFd::new(from.as_fd(), PollFlags::POLLIN)];
            let patience = TimeSpec::from(Duration::from_secs(30));
            assert_eq!(ppoll(&mut fds, Some(patience), None), Ok(1), "{seen:?}");
            let mut bytes = [0; 128];
            let length = nix::unistd::read(from, &mut bytes).expect("a frame");
            seen.push((Instant::now(), bytes[..length].to_vec()));
        }
        seen
    }

    #[test]
    fn frames_are_late_in_order_and_whole() {
        let mut wires = Wires::start().expect("a thread");
        let ((near, from), (to, far)) = (pair(), pair());
        let delay = Duration::from_millis(40);
        let effects = Effects {
            delay,
            ..Effects::default()
        };
        let id = wires.add(from, to, effects);
        let sent = Instant::now();
        for number in 0..20 {
            nix::unistd::write(&near, &frame(number)).expect("sent");
        }
        let seen = arrivals(&far, 20);
        assert!(seen[0].0 - sent >= delay);
        let frames: Vec<Vec<u8>> = seen.into_iter().map(|(_, frame)| frame).collect();
        assert_eq!(frames, (0..20).map(frame).collect::<Vec<_>>());
        // Taken away, both ends are closed.
        wires.remove(id);
        assert_eq!(nix::unistd::read(&far, &mut [0; 8]), Ok(0));
    }

    #[test]
    fn what_a_wire_does_can_change() {
        let mut wires = Wires::start().expect("a thread");
        let ((near, from), (to, far)) = (pair(), pair());
        let lossy = Effects {
            loss: 1.0,
            ..Effects::default()
        };
        let twice = Effects {
            duplicate: 1.0,
            ..Effects::default()
        };
        let id = wires.add(from, to, lossy);
        wires.set(id, twice);
        // Orders are taken before frames.
        nix::unistd::write(&near, &frame(2)).expect("sent");
        let seen = arrivals(&far, 2);
        assert!(seen.iter().all(|(_, bytes)| *bytes == frame(2)));
    }
}
