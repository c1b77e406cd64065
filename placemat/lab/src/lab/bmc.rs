//! BMC front ends: IPMI and Redfish on each BMC's address, which is the hub's. An address is the
//! file's or, where the file has none, the one that the server's guest announces, as in placemat v2.

mod rules;

use super::Lab;
use crate::error::chain;
use crate::machine::Announcement;
use crate::server::Server;
use placemat_bmc::certificate::{CertificateAuthority, CertificateError};
use placemat_bmc::server::{self, REDFISH_PORT, RMCP_PORT};
use placemat_spec::resource::Name;
use rules::Seat;
use std::collections::HashMap;
use std::error::Error;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Announcements that wait to be heard; a guest that has more to say waits, too.
pub(super) const INBOX: usize = 16;

/// Bad announcements in a row of one server that are told of.
const TOLD: u32 = 8;

/// How long a front end that has moved may take to end at its old address.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The BMCs of a lab, as far as they are reached over a network.
#[derive(Debug)]
pub(super) struct Bmcs {
    /// Made by the first BMC that there is; most labs of routers have none.
    authority: Mutex<Option<Arc<CertificateAuthority>>>,
    /// Where those are that guests announced.
    seats: Mutex<HashMap<Name, Seat>>,
    /// Of each server whose BMC is served.
    fronts: Mutex<HashMap<Name, FrontEnd>>,
    announced: mpsc::Sender<Announcement>,
    inbox: Mutex<Option<mpsc::Receiver<Announcement>>>,
}

/// A BMC that is served at an address.
#[derive(Debug)]
struct FrontEnd {
    end: CancellationToken,
    task: JoinHandle<()>,
}

/// What is known of a server whose guest announces.
#[derive(Default)]
struct Announcer {
    /// Bad announcements since the last good one.
    bad: u32,
    last: String,
}

impl FrontEnd {
    /// What is under way there gets its answer; whoever takes longer has had enough time.
    async fn close(self) {
        self.end.cancel();
        let _ = timeout(LAST_WORDS, self.task).await;
    }
}

impl Bmcs {
    pub(super) fn new(
        announced: mpsc::Sender<Announcement>,
        inbox: mpsc::Receiver<Announcement>,
    ) -> Self {
        Self {
            authority: Mutex::default(),
            seats: Mutex::default(),
            fronts: Mutex::default(),
            announced,
            inbox: Mutex::new(Some(inbox)),
        }
    }

    fn authority(&self) -> Result<Arc<CertificateAuthority>, CertificateError> {
        let mut authority = lock(&self.authority);
        if let Some(made) = &*authority {
            return Ok(made.clone());
        }
        let made = Arc::new(CertificateAuthority::new("placemat")?);
        Ok(authority.insert(made).clone())
    }
}

impl Lab {
    /// Opens the sockets of every BMC that has an address in the file, serves on them until the
    /// lab ends, and begins to hear what guests announce. A BMC that cannot be served is an event on
    /// its server, and a sentence of what this gives.
    pub(super) fn serve_bmcs(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for server in self.servers() {
            failures.extend(self.serve_bmc_of(&server).err());
        }
        if let Some(inbox) = lock(&self.inner.bmcs.inbox).take() {
            let (lab, cancel) = (self.clone(), self.inner.cancel.clone());
            self.tasks().spawn(async move {
                cancel.run_until_cancelled(lab.hear(inbox)).await;
            });
        }
        failures
    }

    /// Opens the sockets of a server's BMC, if its file gives it an address.
    pub(super) fn serve_bmc_of(&self, server: &Server) -> Result<(), String> {
        let Some(bmc) = &server.node().bmc else {
            return Ok(());
        };
        let cluster = self.cluster();
        let network = cluster.networks.get(&bmc.network);
        if let Some(net) = network.and_then(|network| rules::range(network, bmc.address)) {
            server.bmc().set_address(bmc.address, net.prefix_len());
        }
        let front = self.serve_bmc(server, bmc.address).map_err(|error| {
            let text = format!("its BMC does not answer: {}", chain(&*error));
            self.note_failure(&server.target(), text)
        })?;
        lock(&self.inner.bmcs.fronts).insert(server.node().name.clone(), front);
        Ok(())
    }

    /// Closes the sockets of a server's BMC, and gives up the address that its guest announced.
    pub(super) async fn close_bmc_of(&self, server: &Server) -> Result<(), String> {
        let name = server.node().name.clone();
        let front = lock(&self.inner.bmcs.fronts).remove(&name);
        if let Some(front) = front {
            front.close().await;
        }
        let seat = lock(&self.inner.bmcs.seats).remove(&name);
        match seat {
            Some(seat) => self.own(&seat, false).await,
            None => Ok(()),
        }
    }

    /// Where what guests announce goes.
    pub(super) fn announced(&self) -> mpsc::Sender<Announcement> {
        self.inner.bmcs.announced.clone()
    }

    /// The address at which a server's BMC answers.
    pub(super) fn bmc_address(&self, server: &Server) -> Option<IpAddr> {
        let node = server.node();
        let announced = || Some(lock(&self.inner.bmcs.seats).get(&node.name)?.address);
        let of_file = node.bmc.as_ref().map(|bmc| bmc.address);
        of_file.or_else(announced)
    }

    fn serve_bmc(&self, server: &Server, address: IpAddr) -> Result<FrontEnd, Box<dyn Error>> {
        let authority = self.inner.bmcs.authority()?;
        // The lab process itself is in the hub's namespace.
        let udp = UdpSocket::bind((address, RMCP_PORT))?;
        let tcp = TcpListener::bind((address, REDFISH_PORT))?;
        udp.set_nonblocking(true)?;
        tcp.set_nonblocking(true)?;
        let udp = tokio::net::UdpSocket::from_std(udp)?;
        let tcp = tokio::net::TcpListener::from_std(tcp)?;
        let end = server.retired().child_token();
        let (bmc, cancel) = (server.bmc().clone(), end.clone());
        let (lab, target) = (self.clone(), server.target());
        let task = self.tasks().spawn(async move {
            if let Err(error) = server::serve(bmc, udp, tcp, authority, cancel).await {
                lab.note_failure(&target, format!("its BMC ended: {}", chain(&error)));
            }
        });
        Ok(FrontEnd { end, task })
    }

    /// Heeds announcements one after the other, so that no two have one address.
    async fn hear(&self, mut inbox: mpsc::Receiver<Announcement>) {
        let mut announcers: HashMap<Name, Announcer> = HashMap::new();
        while let Some(Announcement { machine, address }) = inbox.recv().await {
            let Some(server) = self.server(&machine) else {
                continue;
            };
            let announcer = announcers.entry(machine).or_default();
            let heeded = match address {
                Ok(address) => self.heed(&server, address.into()).await,
                Err(bad) => Err(bad.to_string()),
            };
            match heeded {
                Ok(()) => announcer.bad = 0,
                Err(why) => self.note_bad(&server, announcer, why),
            }
        }
    }

    /// Serves a BMC where its guest says that it is, and no longer where it was.
    async fn heed(&self, server: &Server, address: IpAddr) -> Result<(), String> {
        let name = &server.node().name;
        let verdict = rules::judge(
            &self.cluster(),
            &lock(&self.inner.bmcs.seats),
            name,
            address,
        );
        let Some(seat) = verdict.map_err(|refusal| refusal.to_string())? else {
            return Ok(());
        };
        let prefix_len = seat.prefix_len;
        self.own(&seat, true).await?;
        let served = self.serve_bmc(server, address);
        let front = match served.map_err(|error| chain(&*error)) {
            Ok(front) => front,
            Err(why) => {
                self.own(&seat, false).await?;
                return Err(why);
            }
        };
        server.bmc().set_address(address, prefix_len);
        let left = lock(&self.inner.bmcs.seats).insert(name.clone(), seat);
        self.note_failure(
            &server.target(),
            format!("its BMC answers at {address}, as its guest announced"),
        );
        let old = lock(&self.inner.bmcs.fronts).insert(name.clone(), front);
        if let Some(old) = old {
            old.close().await;
        }
        match left {
            Some(left) => self.own(&left, false).await,
            None => Ok(()),
        }
    }

    /// Gives the hub an announced address, or takes it away.
    async fn own(&self, seat: &Seat, own: bool) -> Result<(), String> {
        let (wiring, seat) = (self.wiring().clone(), seat.clone());
        let work = move || wiring.own_address(&seat.network, seat.address, own);
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| error.to_string())?
            .map_err(|error| chain(&error))
    }

    fn note_bad(&self, server: &Server, announcer: &mut Announcer, why: String) {
        if announcer.bad > 0 && announcer.last == why {
            return;
        }
        announcer.bad = announcer.bad.saturating_add(1);
        let more = match announcer.bad.cmp(&TOLD) {
            std::cmp::Ordering::Less => "",
            std::cmp::Ordering::Equal => "; no more of this is told until a good one comes",
            std::cmp::Ordering::Greater => return,
        };
        let text = format!("its guest's announcement of a BMC address is not heeded: {why}{more}");
        self.note_failure(&server.target(), text);
        announcer.last = why;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
