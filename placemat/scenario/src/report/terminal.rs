//! The terminal: live while a lab boots or a run goes on, then a summary.
//!
//! On a TTY permanent lines scroll by (ends of scenarios, failures, programs that fell over), and
//! beneath them a frame is redrawn in place: a line a server with its boot phase, a bar over all,
//! the current step, active faults. Elsewhere it is one line a step edge and boot phase, and a
//! heartbeat when nothing else was said for 30 s, so that CI sees the run live.
//!
//! The frame is plain ANSI rather than a progress-bar crate's: it is a pure function of the
//! `Run`, so tests can hold it still, nothing draws from another thread, and it goes to any
//! [`Write`]. The same display serves `placemat up`, which has lab events only.

use super::timeline::Timeline;
use crate::event::Event;
use placemat_spec::event::LabEvent;
use std::future::poll_fn;
use std::io::{self, Write};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

mod frame;
mod line;
mod plain;
mod summary;

use line::Line;

/// A display that is no TTY says something at least this often.
const HEARTBEAT_MS: f64 = 30_000.0;

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Redraw in place. False writes lines only.
    pub live: bool,
    /// Colour; never the only carrier of a meaning.
    pub color: bool,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Options {
    /// Lines only, without colour.
    pub const fn plain() -> Self {
        Self {
            live: false,
            color: false,
            width: 100,
            height: 24,
        }
    }
}

/// What a display takes in.
#[derive(Debug, Clone)]
pub enum Input {
    /// An event of a run.
    Run(Box<Event>),
    /// An event of a lab that runs without scenarios.
    Lab(LabEvent),
}

impl From<Event> for Input {
    fn from(event: Event) -> Self {
        Self::Run(Box::new(event))
    }
}

impl From<LabEvent> for Input {
    fn from(event: LabEvent) -> Self {
        Self::Lab(event)
    }
}

/// The display.
#[derive(Debug)]
pub struct Terminal<W> {
    out: W,
    options: Options,
    timeline: Timeline,
    /// Rows of the frame that stands on the screen.
    drawn: usize,
    said_ms: f64,
}

impl<W: Write> Terminal<W> {
    /// A display that has seen nothing yet.
    pub fn new(out: W, options: Options) -> Self {
        Self {
            out,
            options,
            timeline: Timeline::new(),
            drawn: 0,
            said_ms: 0.0,
        }
    }

    /// What it has seen.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// The terminal's size changed.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.options.width = width;
        self.options.height = height;
    }

    /// Takes in an event of a run.
    pub fn handle(&mut self, event: &Event) -> io::Result<()> {
        self.timeline.apply(event);
        let lines = plain::lines(self.timeline.run(), event);
        self.say(event.t_ms, lines)
    }

    /// Takes in an event of a lab without scenarios.
    pub fn handle_lab(&mut self, event: &LabEvent) -> io::Result<()> {
        self.timeline.apply_lab(event);
        let lines = plain::lab_lines(self.timeline.run(), event);
        self.say(event.t_ms, lines)
    }

    /// Time has passed: `now_ms` on the clock of the events. Redraws the frame, or beats the heart.
    pub fn tick(&mut self, now_ms: f64) -> io::Result<()> {
        if self.options.live {
            return self.redraw(now_ms, &[]);
        }
        if now_ms - self.said_ms < HEARTBEAT_MS {
            return Ok(());
        }
        self.said_ms = now_ms;
        let line = plain::heartbeat(self.timeline.run(), now_ms);
        self.write(line.as_slice())
    }

    /// The end: takes the frame away and writes the summary, failures last.
    pub fn finish(&mut self) -> io::Result<()> {
        let mut text = self.erased();
        self.drawn = 0;
        for line in summary::lines(self.timeline.run()) {
            line.write(&mut text, self.options.color, usize::MAX);
        }
        self.put(&text)
    }

    /// Writes what is due now. In place of a frame, only what should stay on the screen is said.
    fn say(&mut self, t_ms: f64, lines: Vec<Line>) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.said_ms = t_ms;
        if !self.options.live {
            return self.write(&lines);
        }
        let lasting: Vec<Line> = lines.into_iter().filter(|line| line.lasting).collect();
        if lasting.is_empty() {
            Ok(())
        } else {
            self.redraw(t_ms, &lasting)
        }
    }

    fn write(&mut self, lines: &[Line]) -> io::Result<()> {
        let mut text = String::new();
        for line in lines {
            line.write(&mut text, self.options.color, usize::MAX);
        }
        self.put(&text)
    }

    /// One write for the whole change, so that no half frame is ever seen.
    fn redraw(&mut self, now_ms: f64, lasting: &[Line]) -> io::Result<()> {
        let (width, height) = (
            usize::from(self.options.width),
            usize::from(self.options.height),
        );
        let frame = frame::lines(self.timeline.run(), now_ms, height.saturating_sub(2));
        let mut text = self.erased();
        for line in lasting {
            line.write(&mut text, self.options.color, usize::MAX);
        }
        for line in &frame {
            // A line that wraps would be counted once and drawn twice.
            line.write(&mut text, self.options.color, width.saturating_sub(1));
        }
        self.drawn = frame.len();
        self.put(&text)
    }

    /// Escape codes that take the frame away: cursor up, clear to the end of the screen.
    fn erased(&self) -> String {
        match self.drawn {
            0 => String::new(),
            rows => format!("\x1b[{rows}A\r\x1b[J"),
        }
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// Runs a display until its senders are gone, then writes the summary. The display is given back
/// for what it saw and wrote.
pub async fn show<W: Write, I: Into<Input>>(
    terminal: Terminal<W>,
    mut events: mpsc::Receiver<I>,
) -> io::Result<Terminal<W>> {
    drive(terminal, |cx| {
        events.poll_recv(cx).map(|event| event.map(Into::into))
    })
    .await
}

/// [`show`] for what [`EventSink::subscribe`](crate::sink::EventSink::subscribe) gives.
pub async fn show_run<W: Write>(
    terminal: Terminal<W>,
    mut events: mpsc::UnboundedReceiver<Event>,
) -> io::Result<Terminal<W>> {
    drive(terminal, |cx| {
        events.poll_recv(cx).map(|event| event.map(Into::into))
    })
    .await
}

async fn drive<W: Write>(
    mut terminal: Terminal<W>,
    mut next: impl FnMut(&mut Context<'_>) -> Poll<Option<Input>>,
) -> io::Result<Terminal<W>> {
    let every = Duration::from_millis(if terminal.options.live { 100 } else { 1_000 });
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut seen = (Instant::now(), 0.0);
    loop {
        tokio::select! {
            event = poll_fn(&mut next) => match event {
                None => break,
                Some(Input::Run(event)) => {
                    seen = (Instant::now(), event.t_ms);
                    terminal.handle(&event)?;
                }
                Some(Input::Lab(event)) => {
                    seen = (Instant::now(), event.t_ms);
                    terminal.handle_lab(&event)?;
                }
            },
            _ = ticks.tick() => terminal.tick(seen.1 + seen.0.elapsed().as_secs_f64() * 1e3)?,
        }
    }
    terminal.finish()?;
    Ok(terminal)
}
