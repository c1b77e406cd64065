//! The lab's event bus: everything that happens goes to `events.jsonl` in the run directory and to
//! whoever listens.

use placemat_spec::event::{LabEvent, LabEventKind};
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::broadcast;

/// Listeners that fall further behind than this lose events; the file has them all.
const BACKLOG: usize = 4096;

/// Where events go. Clones are the same bus.
#[derive(Debug, Clone)]
pub struct EventBus {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    start: Instant,
    sender: broadcast::Sender<LabEvent>,
    /// Has all since the bus was made, until somebody takes it: a lab has something to say before
    /// anybody can listen.
    first: Mutex<Option<broadcast::Receiver<LabEvent>>>,
    file: Mutex<Option<File>>,
}

impl EventBus {
    /// A bus whose clock began at `start`. With a file, every event is a line of it.
    pub fn new(file: Option<File>, start: Instant) -> Self {
        let (sender, first) = broadcast::channel(BACKLOG);
        Self {
            inner: Arc::new(Inner {
                start,
                sender,
                first: Mutex::new(Some(first)),
                file: Mutex::new(file),
            }),
        }
    }

    /// Milliseconds since the lab began to start.
    pub fn now_ms(&self) -> f64 {
        self.ms_at(Instant::now())
    }

    /// The same for another instant.
    pub fn ms_at(&self, instant: Instant) -> f64 {
        instant
            .saturating_duration_since(self.inner.start)
            .as_secs_f64()
            * 1000.0
    }

    /// Records that something happened to `object`.
    pub fn emit(&self, object: impl Into<String>, what: LabEventKind) {
        let event = LabEvent {
            t_ms: self.now_ms(),
            object: object.into(),
            what,
        };
        tracing::debug!(object = %event.object, what = ?event.what, "event");
        let mut file = self
            .inner
            .file
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = file.as_mut() {
            let mut line = serde_json::to_vec(&event).unwrap_or_default();
            line.push(b'\n');
            if let Err(error) = open.write_all(&line) {
                // A full disk must not end the lab; listeners still hear everything.
                tracing::error!(%error, "write events.jsonl: it ends here");
                *file = None;
            }
        }
        drop(file);
        // Nobody may be listening.
        let _ = self.inner.sender.send(event);
    }

    /// Everything from the beginning, for the first who asks; for others from now on.
    pub fn subscribe_first(&self) -> broadcast::Receiver<LabEvent> {
        let first = &self.inner.first;
        let taken = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.unwrap_or_else(|| self.subscribe())
    }

    /// Everything from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<LabEvent> {
        self.inner.sender.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_first_hears_what_was_said_before() {
        let note = |text: &str| LabEventKind::Note { text: text.into() };
        let bus = EventBus::new(None, Instant::now());
        bus.emit("lab", note("early"));
        let (mut first, mut second) = (bus.subscribe_first(), bus.subscribe_first());
        bus.emit("lab", note("late"));
        let heard = |events: &mut broadcast::Receiver<LabEvent>| {
            std::iter::from_fn(|| events.try_recv().ok())
                .map(|event| event.what)
                .collect::<Vec<_>>()
        };
        assert_eq!(heard(&mut first), [note("early"), note("late")]);
        assert_eq!(heard(&mut second), [note("late")]);
    }
}
