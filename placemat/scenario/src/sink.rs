//! Where events go: one line each into `events.jsonl`, and a copy to whoever watches live.

use crate::event::{Event, VERSION, What};
use placemat_spec::event::{LabEvent, LabEventKind};
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The one writer of a run's events. Cheap to clone; all clones write the same file, a line at a
/// time, flushed, so that the file is whole up to the last event even after SIGKILL.
#[derive(Clone)]
pub struct EventSink(Arc<Inner>);

struct Inner {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    out: Option<Box<dyn Write + Send>>,
    error: Option<std::io::Error>,
    live: Vec<mpsc::UnboundedSender<Event>>,
}

impl EventSink {
    /// A sink whose clock starts now. `out` is the events file; `None` writes nowhere and only
    /// serves the live display.
    pub fn new(out: Option<Box<dyn Write + Send>>) -> Self {
        Self(Arc::new(Inner {
            start: Instant::now(),
            state: Mutex::new(State {
                out,
                ..State::default()
            }),
        }))
    }

    /// Every event from now on. Never blocks the run: the channel is unbounded.
    pub fn subscribe(&self) -> mpsc::UnboundedReceiver<Event> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.state().live.push(sender);
        receiver
    }

    /// Milliseconds since the sink was made: the clock of [`Event::t_ms`].
    pub fn elapsed_ms(&self) -> f64 {
        self.0.start.elapsed().as_secs_f64() * 1000.0
    }

    /// Writes one event with the time of now.
    pub fn emit(&self, what: What) {
        let mut state = self.state();
        // Taken under the lock, so that times in the file never run backwards.
        let event = Event {
            v: VERSION,
            t_ms: (self.elapsed_ms() * 1000.0).round() / 1000.0,
            wall: jiff::Timestamp::now().to_string(),
            what,
        };
        if state.error.is_none()
            && let Some(out) = state.out.as_mut()
            && let Err(error) = write_line(out, &event)
        {
            state.error = Some(error);
        }
        state
            .live
            .retain(|watcher| watcher.send(event.clone()).is_ok());
    }

    /// Ends the file and the live copies; the error is the first one met in writing.
    pub fn finish(&self) -> std::io::Result<()> {
        let mut state = self.state();
        state.out = None;
        state.live.clear();
        state.error.take().map_or(Ok(()), Err)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_line(out: &mut Box<dyn Write + Send>, event: &Event) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

/// Copies what happens in a lab into the sink, until the lab is gone, or `stop` and all that
/// happened before it is copied.
pub async fn forward(
    mut events: broadcast::Receiver<LabEvent>,
    sink: EventSink,
    stop: CancellationToken,
) {
    loop {
        let next = tokio::select! {
            biased;
            next = events.recv() => next,
            () = stop.cancelled() => return,
        };
        match next {
            Ok(lab) => sink.emit(What::Lab { lab }),
            Err(broadcast::error::RecvError::Lagged(missed)) => sink.emit(What::Lab {
                lab: LabEvent {
                    t_ms: sink.elapsed_ms(),
                    object: "lab".to_owned(),
                    what: LabEventKind::Note {
                        text: format!("{missed} events came faster than they could be written"),
                    },
                },
            }),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Verdict;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_happened_before_the_end_is_copied() {
        let (bus, events) = broadcast::channel(16);
        let note = |text: &str| LabEvent {
            t_ms: 0.0,
            object: "lab".to_owned(),
            what: LabEventKind::Note {
                text: text.to_owned(),
            },
        };
        for text in ["first", "last"] {
            bus.send(note(text)).unwrap();
        }
        let sink = EventSink::new(None);
        let mut live = sink.subscribe();
        let stop = CancellationToken::new();
        stop.cancel();
        forward(events, sink, stop).await;
        for text in ["first", "last"] {
            let copied = live.try_recv().unwrap().what;
            assert_eq!(copied, What::Lab { lab: note(text) });
        }
    }

    #[tokio::test]
    async fn writes_lines_that_read_back_and_copies_them_live() {
        let out = Shared::default();
        let sink = EventSink::new(Some(Box::new(out.clone())));
        let mut live = sink.subscribe();
        sink.emit(What::RunEnd {
            verdict: Verdict::Pass,
        });
        sink.emit(What::RunEnd {
            verdict: Verdict::Vacuous,
        });
        sink.finish().unwrap();
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let events: Vec<Event> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(events.len(), 2);
        assert!(events[0].t_ms <= events[1].t_ms);
        assert_eq!(live.recv().await.as_ref(), Some(&events[0]));
        assert_eq!(live.recv().await.as_ref(), Some(&events[1]));
        assert_eq!(live.recv().await, None);
    }
}
