//! UDP probe flows: one thread sends on all of them at a steady pace, one thread a receiving socket
//! notes arrivals. Threads, not tasks: a busy runtime must not look like a lossy network.

use crate::event::EventBus;
use placemat_host::descriptor;
use placemat_host::netns::Netns;
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// UDP port that receiving endpoints in namespaces use.
const RECEIVE_PORT: u16 = 47_000;
/// UDP port of the echo service in VMs (RFC 862).
const ECHO_PORT: u16 = 7;
/// Marks our datagrams.
const MAGIC: [u8; 4] = *b"plmt";
/// A sequence number that no record counts: bursts for finding a flow's path.
const UNCOUNTED: u32 = u32::MAX;
/// How long stragglers are waited for after the last packet.
const STRAGGLERS: Duration = Duration::from_millis(300);

/// One flow to be opened.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Namespace it starts in.
    pub from: Netns,
    /// Source address and port.
    pub source: SocketAddr,
    /// Destination.
    pub destination: std::net::IpAddr,
    /// Namespace of the destination; `None` for a VM, whose echo service answers.
    pub to: Option<Netns>,
}

/// What was seen of one flow, on the lab's clock in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct FlowRecord {
    /// When each packet was sent.
    pub sent: Vec<f64>,
    /// When it arrived.
    pub received: Vec<Option<f64>>,
}

/// Open flows. Dropping them ends their threads and closes their sockets.
#[derive(Debug)]
pub struct Flows {
    senders: Vec<(UdpSocket, SocketAddr)>,
    every: Duration,
    bus: EventBus,
    arrivals: Arc<Arrivals>,
    receivers: Vec<Receiver>,
    stop: Arc<AtomicBool>,
    sending: Option<Sending>,
}

/// A thread that sends until its channel closes.
#[derive(Debug)]
struct Sending {
    thread: JoinHandle<Vec<Vec<Instant>>>,
    stop: mpsc::Sender<()>,
}

/// A thread that receives, and the socket that it waits on.
#[derive(Debug)]
struct Receiver {
    thread: JoinHandle<()>,
    socket: UdpSocket,
}

/// When packets came, by flow and sequence number.
type ByPacket = HashMap<(u32, u32), Instant>;

#[derive(Debug, Default)]
struct Arrivals {
    seen: Mutex<ByPacket>,
    news: Condvar,
}

impl Flows {
    /// Opens sockets and starts receiving; sends nothing. Blocks.
    pub fn open(flows: &[Flow], every: Duration, bus: EventBus) -> io::Result<Self> {
        let arrivals = Arc::new(Arrivals::default());
        let stop = Arc::new(AtomicBool::new(false));
        let mut this = Self {
            senders: Vec::new(),
            every,
            bus,
            arrivals: arrivals.clone(),
            receivers: Vec::new(),
            stop: stop.clone(),
            sending: None,
        };
        let mut bound = HashSet::new();
        for flow in flows {
            let sender = in_netns(&flow.from, || UdpSocket::bind(flow.source))?;
            sender.set_nonblocking(false)?;
            let port = if flow.to.is_some() {
                RECEIVE_PORT
            } else {
                ECHO_PORT
            };
            let to = SocketAddr::new(flow.destination, port);
            let receiver = match &flow.to {
                Some(netns) if bound.insert((netns.name().to_owned(), to)) => {
                    Some(in_netns(netns, || UdpSocket::bind(to))?)
                }
                Some(_) => None,
                // The echo comes back to the sender.
                None => Some(sender.try_clone()?),
            };
            if let Some(socket) = receiver {
                let receiver = receive(socket, arrivals.clone(), stop.clone())?;
                this.receivers.push(receiver);
            }
            this.senders.push((sender, to));
        }
        Ok(this)
    }

    /// Sends `packets` of one flow back to back, outside of any record.
    pub fn burst(&self, index: usize, packets: u32) -> io::Result<()> {
        let Some((socket, to)) = self.senders.get(index) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no such flow"));
        };
        let datagram = datagram(index, UNCOUNTED);
        for _ in 0..packets {
            socket.send_to(&datagram, to)?;
        }
        Ok(())
    }

    /// Starts sending on all flows.
    pub fn start(&mut self) -> io::Result<()> {
        let senders = self
            .senders
            .iter()
            .map(|(socket, to)| Ok((socket.try_clone()?, *to)))
            .collect::<io::Result<Vec<_>>>()?;
        let (every, (stop, stopped)) = (self.every, mpsc::channel());
        let thread = std::thread::Builder::new()
            .name("flow-send".into())
            .spawn(move || send_all(&senders, every, &stopped))?;
        self.sending = Some(Sending { thread, stop });
        Ok(())
    }

    /// Stops sending, waits for stragglers, and gives the records. Blocks.
    pub fn stop(&mut self) -> Vec<FlowRecord> {
        let sent = self.sending.take().and_then(Sending::end);
        let sent = sent.unwrap_or_default();
        let expected: usize = sent.iter().map(Vec::len).sum();
        let arrivals = self.arrivals.wait(expected, STRAGGLERS);
        let record = |(flow, sent): (usize, Vec<Instant>)| {
            let flow = u32::try_from(flow).unwrap_or(u32::MAX);
            let received = (0..sent.len()).map(|sequence| {
                let sequence = u32::try_from(sequence).unwrap_or(UNCOUNTED);
                arrivals
                    .get(&(flow, sequence))
                    .map(|at| self.bus.ms_at(*at))
            });
            let received = received.collect();
            FlowRecord {
                sent: sent.iter().map(|at| self.bus.ms_at(*at)).collect(),
                received,
            }
        };
        sent.into_iter().enumerate().map(record).collect()
    }
}

impl Drop for Flows {
    fn drop(&mut self) {
        self.sending.take().and_then(Sending::end);
        self.stop.store(true, Ordering::Release);
        for receiver in self.receivers.drain(..) {
            match descriptor::stop_receiving(&receiver.socket) {
                // A thread that panicked has ended, too.
                Ok(()) => drop(receiver.thread.join()),
                Err(error) => tracing::warn!(%error, "end a probe flow"),
            }
        }
    }
}

impl Sending {
    /// Ends it; when each packet of each flow was sent.
    fn end(self) -> Option<Vec<Vec<Instant>>> {
        drop(self.stop);
        self.thread.join().ok()
    }
}

impl Arrivals {
    fn note(&self, flow: u32, sequence: u32, at: Instant) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry((flow, sequence)).or_insert(at);
        drop(seen);
        self.news.notify_all();
    }

    /// Waits until so many have come, but no longer than `patience`; what has come.
    fn wait(&self, expected: usize, patience: Duration) -> MutexGuard<'_, ByPacket> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .news
            .wait_timeout_while(seen, patience, |seen| seen.len() < expected);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

fn in_netns<T: Send>(netns: &Netns, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    netns
        .run(work)
        .map_err(|error| io::Error::other(crate::error::chain(&error)))
}

fn datagram(flow: usize, sequence: u32) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&MAGIC);
    bytes[4..8].copy_from_slice(&u32::try_from(flow).unwrap_or(u32::MAX).to_be_bytes());
    bytes[8..].copy_from_slice(&sequence.to_be_bytes());
    bytes
}

fn receive(
    socket: UdpSocket,
    arrivals: Arc<Arrivals>,
    stop: Arc<AtomicBool>,
) -> io::Result<Receiver> {
    let own = socket.try_clone()?;
    let work = move || {
        let mut buffer = [0_u8; 64];
        while !stop.load(Ordering::Acquire) {
            let Ok(12) = own.recv(&mut buffer) else {
                continue;
            };
            let at = Instant::now();
            let word = |from: usize| {
                let bytes = [
                    buffer[from],
                    buffer[from + 1],
                    buffer[from + 2],
                    buffer[from + 3],
                ];
                u32::from_be_bytes(bytes)
            };
            if buffer[..4] == MAGIC && word(8) != UNCOUNTED {
                arrivals.note(word(4), word(8), at);
            }
        }
    };
    let thread = std::thread::Builder::new()
        .name("flow-receive".into())
        .spawn(work)?;
    Ok(Receiver { thread, socket })
}

/// Paces itself by the clock, not by pauses, so that a late wake-up does not shift the rest.
fn send_all(
    senders: &[(UdpSocket, SocketAddr)],
    every: Duration,
    stopped: &mpsc::Receiver<()>,
) -> Vec<Vec<Instant>> {
    let mut sent: Vec<Vec<Instant>> = vec![Vec::new(); senders.len()];
    let mut next = Instant::now();
    let mut sequence = 0;
    loop {
        for (index, (socket, to)) in senders.iter().enumerate() {
            sent[index].push(Instant::now());
            // Without a route the packet is lost, which is what is to be seen.
            let _ = socket.send_to(&datagram(index, sequence), to);
        }
        sequence += 1;
        next += every;
        let pause = next.saturating_duration_since(Instant::now());
        if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            return sent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn the_last_arrival_ends_the_wait_for_stragglers() {
        let arrivals = Arrivals::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for sequence in 0..3 {
                    arrivals.note(0, sequence, Instant::now());
                }
            });
            assert_eq!(arrivals.wait(3, HOUR).len(), 3);
        });
        assert_eq!(arrivals.wait(4, Duration::ZERO).len(), 3);
    }

    #[test]
    fn flows_are_recorded_and_leave_no_socket_behind() {
        let netns = Netns::current("here").expect("a namespace");
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let Ok(source) = netns.run(|| UdpSocket::bind(local(0))?.local_addr()) else {
            let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
            assert!(!required.contains("root"), "PLACEMAT_REQUIRE names root");
            eprintln!("skipped: entering a namespace takes root");
            return;
        };
        let flow = Flow {
            from: netns.clone(),
            source,
            destination: source.ip(),
            to: Some(netns),
        };
        let bus = EventBus::new(None, Instant::now());
        // An hour between packets: whoever waits for the sender's pause does not come back.
        let mut flows = Flows::open(&[flow], HOUR, bus).expect("open");
        flows.start().expect("start");
        drop(flows.arrivals.wait(1, HOUR));
        let records = flows.stop();
        assert_eq!(records[0].sent.len(), 1);
        assert!(records[0].received[0].is_some());
        flows.start().expect("start again");
        drop(flows);
        UdpSocket::bind(source).expect("the sender's port is free");
        UdpSocket::bind(local(RECEIVE_PORT)).expect("the receiver's port is free");
    }
}
