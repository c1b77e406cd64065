//! UDP probe flows: one thread sends on all of them at a steady pace, one thread a receiving socket
//! notes arrivals. Threads, not tasks: a busy runtime must not look like a lossy network.

use crate::event::EventBus;
use placemat_host::netns::Netns;
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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

/// Open flows. Dropping them ends their threads.
#[derive(Debug)]
pub struct Flows {
    senders: Vec<(UdpSocket, SocketAddr)>,
    every: Duration,
    bus: EventBus,
    arrivals: Arc<Arrivals>,
    receivers: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    sending: Option<JoinHandle<Vec<Vec<Instant>>>>,
    stop_sending: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Arrivals(Mutex<HashMap<(u32, u32), Instant>>);

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
            stop_sending: Arc::default(),
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
        let (every, stop) = (self.every, self.stop_sending.clone());
        let thread = std::thread::Builder::new()
            .name("flow-send".into())
            .spawn(move || send_all(&senders, every, &stop))?;
        self.sending = Some(thread);
        Ok(())
    }

    /// Stops sending, waits for stragglers, and gives the records. Blocks.
    pub fn stop(&mut self) -> Vec<FlowRecord> {
        self.stop_sending.store(true, Ordering::Release);
        let sent = self
            .sending
            .take()
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default();
        let ended = Instant::now();
        let expected: usize = sent.iter().map(Vec::len).sum();
        while ended.elapsed() < STRAGGLERS && self.arrivals.lock().len() < expected {
            std::thread::sleep(Duration::from_millis(5));
        }
        let arrivals = self.arrivals.lock();
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
        // The threads see it within one read time-out; nothing waits for them.
        self.stop_sending.store(true, Ordering::Release);
        self.stop.store(true, Ordering::Release);
    }
}

impl Arrivals {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(u32, u32), Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
) -> io::Result<JoinHandle<()>> {
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let work = move || {
        let mut buffer = [0_u8; 64];
        while !stop.load(Ordering::Acquire) {
            let Ok((12, _)) = socket.recv_from(&mut buffer) else {
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
                arrivals.lock().entry((word(4), word(8))).or_insert(at);
            }
        }
    };
    std::thread::Builder::new()
        .name("flow-receive".into())
        .spawn(work)
}

/// Paces itself by the clock, not by pauses, so that a late wake-up does not shift the rest.
fn send_all(
    senders: &[(UdpSocket, SocketAddr)],
    every: Duration,
    stop: &AtomicBool,
) -> Vec<Vec<Instant>> {
    let mut sent: Vec<Vec<Instant>> = vec![Vec::new(); senders.len()];
    let mut next = Instant::now();
    let mut sequence = 0;
    while !stop.load(Ordering::Acquire) {
        for (index, (socket, to)) in senders.iter().enumerate() {
            sent[index].push(Instant::now());
            // Without a route the packet is lost, which is what is to be seen.
            let _ = socket.send_to(&datagram(index, sequence), to);
        }
        sequence += 1;
        next += every;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    sent
}
