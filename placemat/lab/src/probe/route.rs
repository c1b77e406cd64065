//! Notes when the kernel routes of the lab's namespaces change. A thread, not a task: a busy
//! runtime must not look like a slow network.

use crate::event::EventBus;
use placemat_host::netlink::RouteWatch;
use placemat_host::netns::Netns;
use placemat_spec::selector::Target;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How soon the thread notices that it is to end.
const ROUND: Duration = Duration::from_millis(50);

/// Which of the namespaces changed when.
type Noted = Vec<(usize, Instant)>;

/// Watched routes. Dropping it ends its thread.
#[derive(Debug)]
pub struct RouteChanges {
    of: Vec<Target>,
    bus: EventBus,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<Noted>>>,
}

impl RouteChanges {
    /// Watches from now on. Blocks.
    pub fn watch(of: Vec<(Target, Netns)>, bus: EventBus) -> io::Result<Self> {
        let watch = RouteWatch::open_in(of.iter().map(|(_, netns)| netns))
            .map_err(|error| io::Error::other(crate::error::chain(&error)))?;
        let stop = Arc::new(AtomicBool::new(false));
        let ended = stop.clone();
        let thread = std::thread::Builder::new()
            .name("route-watch".into())
            .spawn(move || {
                let mut changes = Noted::new();
                while !ended.load(Ordering::Acquire) {
                    let changed = watch.wait(ROUND)?;
                    let now = Instant::now();
                    changes.extend(changed.into_iter().map(|index| (index, now)));
                }
                Ok(changes)
            })?;
        Ok(Self {
            of: of.into_iter().map(|(target, _)| target).collect(),
            bus,
            stop,
            thread: Some(thread),
        })
    }

    /// Stops; what changed when, on the lab's clock in milliseconds. Blocks.
    pub fn stop(&mut self) -> io::Result<Vec<(Target, f64)>> {
        self.stop.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else {
            return Ok(Vec::new());
        };
        let changes = thread
            .join()
            .map_err(|_| io::Error::other("the watching thread broke off"))??;
        let on_lab = |(index, at): (usize, Instant)| {
            let target = self.of.get(index)?.clone();
            Some((target, self.bus.ms_at(at)))
        };
        Ok(changes.into_iter().filter_map(on_lab).collect())
    }
}

impl Drop for RouteChanges {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}
