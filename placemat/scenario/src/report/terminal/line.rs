//! A line of styled text, cut to a width that colour codes do not count towards.

use crate::event::Verdict;

/// How a stretch of text looks. Shape or words carry the meaning too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// As it is.
    Plain,
    /// In the background.
    Dim,
    /// Stands out.
    Bold,
    /// Passed, up.
    Good,
    /// Failed, down.
    Bad,
    /// Open, late, faulted.
    Warn,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "2",
            Self::Bold => "1",
            Self::Good => "32",
            Self::Bad => "1;31",
            Self::Warn => "33",
        }
    }

    /// The look of a verdict.
    pub(super) fn of(verdict: Option<Verdict>) -> Self {
        match verdict {
            Some(Verdict::Pass) => Self::Good,
            Some(Verdict::Fail | Verdict::Vacuous) => Self::Bad,
            Some(Verdict::Skip) => Self::Dim,
            Some(Verdict::Flaky | Verdict::Inconclusive) | None => Self::Warn,
        }
    }
}

/// A line.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    spans: Vec<(Style, String)>,
    /// Whether it stays on the screen of a live display.
    pub(super) lasting: bool,
}

impl Line {
    /// A line that begins with text as it is.
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        Self::default().then(Style::Plain, text)
    }

    /// A line that begins with a moment.
    pub(super) fn at(t_ms: f64) -> Self {
        Self::default().then(Style::Dim, format!("{:>8.1} s  ", t_ms / 1e3))
    }

    /// Adds text. What comes from a lab may hold anything: control characters become spaces, lest
    /// they move the cursor.
    pub(super) fn then(mut self, style: Style, text: impl AsRef<str>) -> Self {
        let clean = text
            .as_ref()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c });
        self.spans.push((style, clean.collect()));
        self
    }

    /// Marks it as one to keep.
    pub(super) fn lasting(mut self, yes: bool) -> Self {
        self.lasting = yes;
        self
    }

    /// Appends it with its newline.
    pub(super) fn write(&self, out: &mut String, color: bool, width: usize) {
        let mut left = width;
        for (style, text) in &self.spans {
            let length = text.chars().count();
            let code = style.code();
            let colored = color && !code.is_empty();
            if colored {
                out.extend(["\x1b[", code, "m"]);
            }
            if length > left {
                out.extend(text.chars().take(left.saturating_sub(1)));
                out.push('…');
            } else {
                out.push_str(text);
            }
            if colored {
                out.push_str("\x1b[0m");
            }
            left = left.saturating_sub(length);
            if left == 0 {
                break;
            }
        }
        out.push('\n');
    }
}
