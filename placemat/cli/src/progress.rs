//! How a long piece of work on bytes goes on: a bar on a terminal, a line elsewhere.

use crate::talk;
use placemat_lab::image::Watch;
use std::io::Write;
use std::time::{Duration, Instant};

/// Between two drawings of the bar.
const TICK: Duration = Duration::from_millis(100);
/// Characters of the bar.
const BAR: u64 = 20;

/// A line when a piece of work begins.
pub(crate) struct Lines;

impl Watch for Lines {
    fn note(&mut self, text: &str) {
        talk::say(text);
    }
    fn begin(&mut self, act: &str, name: &str) {
        talk::say(&format!("{act} {name}"));
    }
    fn progress(&mut self, _: u64, _: Option<u64>) {}
    fn end(&mut self) {}
}

/// A bar, drawn over and over.
pub(crate) struct Progress {
    title: String,
    began: Instant,
    /// Bytes that were there when it began: they say nothing of the rate.
    first: Option<u64>,
    drawn: Option<Instant>,
}

impl Progress {
    /// Nothing drawn yet.
    pub(crate) fn new() -> Self {
        Self {
            title: String::new(),
            began: Instant::now(),
            first: None,
            drawn: None,
        }
    }

    fn clear(&mut self) {
        if self.drawn.take().is_some() {
            draw("");
        }
    }
}

impl Watch for Progress {
    fn note(&mut self, text: &str) {
        self.clear();
        talk::say(text);
    }

    fn begin(&mut self, act: &str, name: &str) {
        self.title = format!("{act} {name}");
        self.began = Instant::now();
        self.first = None;
    }

    fn progress(&mut self, done: u64, total: Option<u64>) {
        let first = *self.first.get_or_insert(done);
        if self.drawn.is_some_and(|drawn| drawn.elapsed() < TICK) {
            return;
        }
        self.drawn = Some(Instant::now());
        let width = placemat_host::process::terminal_size().map_or(80, |(columns, _)| columns);
        // After a restart from nothing there is less than at first.
        let gained = done.saturating_sub(first);
        let text = line(&self.title, done, total, gained, self.began.elapsed());
        draw(&text.chars().take(width.into()).collect::<String>());
    }

    fn end(&mut self) {
        self.clear();
    }
}

/// Puts a line in the place of the one before.
fn draw(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // A terminal that is gone must not end the work.
    let _ = write!(stderr, "\r\x1b[K{text}");
    let _ = stderr.flush();
}

/// `download disk.img [#####---------------]  25% 30M of 120M, 12M/s, 8 s left`.
fn line(title: &str, done: u64, total: Option<u64>, gained: u64, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let rate = gained.saturating_mul(1000) / millis;
    let Some(total) = total.filter(|total| *total > 0) else {
        return format!("{title} {}, {}/s", size(done), size(rate));
    };
    let filled = usize::try_from((done * BAR / total).min(BAR)).unwrap_or(0);
    let bar = "#".repeat(filled) + &"-".repeat(usize::try_from(BAR).unwrap_or(0) - filled);
    let percent = done * 100 / total;
    let left = match (total.saturating_sub(done)).checked_div(rate) {
        Some(seconds) => format!(", {seconds} s left"),
        None => String::new(),
    };
    format!(
        "{title} [{bar}] {percent:>3}% {} of {}, {}/s{left}",
        size(done),
        size(total),
        size(rate)
    )
}

/// A size as people say it: three digits at most.
pub(crate) fn size(bytes: u64) -> String {
    let units = ["B", "K", "M", "G", "T"];
    let mut scale = 0;
    while bytes >> (10 * scale) >= 1000 && scale + 1 < units.len() {
        scale += 1;
    }
    let whole = bytes >> (10 * scale);
    if scale == 0 || whole >= 10 {
        return format!("{whole}{}", units[scale]);
    }
    let tenths = ((bytes >> (10 * (scale - 1))) * 10 / 1024) % 10;
    format!("{whole}.{tenths}{}", units[scale])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let shown: Vec<String> = [0, 999, 1000, 1536, 10 << 10, 5 << 20, 3 << 30, 2000 << 30]
            .map(size)
            .to_vec();
        insta::assert_snapshot!(shown.join(" "));
    }

    #[test]
    fn bars() {
        let at = |done, total, gained| {
            line(
                "download disk.img",
                done,
                total,
                gained,
                Duration::from_secs(2),
            )
        };
        let lines = [
            at(0, Some(120 << 20), 0),
            at(30 << 20, Some(120 << 20), 24 << 20),
            at(120 << 20, Some(120 << 20), 24 << 20),
            at(30 << 20, None, 24 << 20),
            at(0, Some(0), 0),
        ];
        insta::assert_snapshot!(lines.join("\n"));
    }
}
