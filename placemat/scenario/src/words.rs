//! Durations, shares and lists as a person would say them.

use std::time::Duration;

/// `400 ms`, `1.7 s`, `15 s`, `4 min`, `1 min 30 s`.
pub(crate) fn span(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    if ms < 999.5 {
        return format!("{ms:.0} ms");
    }
    let tenths = (ms / 100.0).round() / 10.0;
    if tenths < 60.0 {
        return if tenths.fract() == 0.0 {
            format!("{tenths:.0} s")
        } else {
            format!("{tenths:.1} s")
        };
    }
    let seconds = (ms / 1000.0).round();
    let minutes = (seconds / 60.0).floor();
    match seconds - minutes * 60.0 {
        0.0 => format!("{minutes:.0} min"),
        rest => format!("{minutes:.0} min {rest:.0} s"),
    }
}

/// Milliseconds as a span.
pub(crate) fn span_ms(ms: f64) -> String {
    span(Duration::from_secs_f64((ms / 1000.0).max(0.0)))
}

/// `12.5 %`, `8 %`.
pub(crate) fn percent(share: f64) -> String {
    let tenths = (share * 1000.0).round() / 10.0;
    if tenths.fract() == 0.0 {
        format!("{tenths:.0} %")
    } else {
        format!("{tenths:.1} %")
    }
}

/// `1 try`, `31 tries`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// At most `most` of the lines, then how many more there are.
pub(crate) fn capped(lines: impl IntoIterator<Item = String>, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = lines.into_iter().collect();
    if lines.len() > most {
        let more = lines.len() - most;
        lines.truncate(most);
        lines.push(format!("... and {more} more"));
    }
    lines
}

/// The first line of a text, cut to a width that fits a terminal.
pub(crate) fn first_line(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    if line.chars().count() > 160 {
        let cut: String = line.chars().take(157).collect();
        return format!("{cut}...");
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        let said = [
            0, 20, 400, 999, 1000, 1700, 15_000, 60_000, 90_000, 240_000, 3_600_000,
        ]
        .map(|ms| span(Duration::from_millis(ms)))
        .join(", ");
        assert_eq!(
            said,
            "0 ms, 20 ms, 400 ms, 999 ms, 1 s, 1.7 s, 15 s, 1 min, 1 min 30 s, 4 min, 60 min"
        );
        assert_eq!(percent(0.125), "12.5 %");
        assert_eq!(percent(0.08), "8 %");
    }
}
