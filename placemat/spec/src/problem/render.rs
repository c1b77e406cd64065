//! Renders problems as rustc does: the message, the place, the source lines with carets, the help.

use super::{Place, Problem, Severity, Source};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthChar as _;

/// Source lines longer than this are cut around their carets, in characters.
const WIDTH: usize = 140;

/// ANSI styles, or none.
struct Paint(bool);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
    fn head(&self, severity: Severity, text: &str) -> String {
        self.with(
            if severity == Severity::Error {
                "1;31"
            } else {
                "1;33"
            },
            text,
        )
    }
    fn frame(&self, text: &str) -> String {
        self.with("1;34", text)
    }
    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }
}

/// One caret line to draw.
struct Mark<'a> {
    place: Place,
    label: &'a str,
    main: bool,
}

pub(super) fn render(
    sources: &[Source],
    problems: &[Problem],
    severity: Severity,
    color: bool,
) -> String {
    let paint = Paint(color);
    let mut lines = Lines::default();
    problems
        .iter()
        .map(|problem| one(sources, &mut lines, problem, severity, &paint))
        .collect::<Vec<_>>()
        .join("\n")
}

fn one(
    sources: &[Source],
    lines: &mut Lines,
    problem: &Problem,
    severity: Severity,
    paint: &Paint,
) -> String {
    let word = if severity == Severity::Error {
        "error"
    } else {
        "warning"
    };
    let mut out = format!(
        "{}{}\n",
        paint.head(severity, &format!("{word}[{}]", problem.code)),
        paint.bold(&format!(": {}", printable(&problem.message))),
    );
    let gutter = problem
        .labels
        .iter()
        .map(|(place, _)| digits(place.line))
        .max()
        .unwrap_or(1)
        + 1;
    // Files in the order of their first label: the main one first.
    let mut files: Vec<usize> = Vec::new();
    for (place, _) in &problem.labels {
        if !files.contains(&place.source) {
            files.push(place.source);
        }
    }
    for (index, file) in files.iter().enumerate() {
        let Some(source) = sources.get(*file) else {
            continue;
        };
        let marks: Vec<Mark<'_>> = problem
            .labels
            .iter()
            .enumerate()
            .filter(|(_, (place, _))| place.source == *file)
            .map(|(at, (place, label))| Mark {
                place: *place,
                label,
                main: at == 0,
            })
            .collect();
        let Some(first) = marks.first().map(|mark| mark.place) else {
            continue;
        };
        if index > 0 {
            let _ = writeln!(out, "{:gutter$} {}", "", paint.frame("|"));
        }
        let arrow = if index == 0 { "-->" } else { ":::" };
        let _ = writeln!(
            out,
            "{:gutter$}{} {}:{}:{}",
            "",
            paint.frame(arrow),
            source.name,
            first.line,
            first.column
        );
        excerpt(
            &mut out,
            source,
            lines.of(*file, source),
            marks,
            gutter,
            severity,
            paint,
        );
    }
    if let Some(help) = &problem.help {
        if !files.is_empty() {
            let _ = writeln!(out, "{:gutter$} {}", "", paint.frame("|"));
        }
        let bar = if files.is_empty() {
            String::new()
        } else {
            format!("{:gutter$} ", "")
        };
        for (index, line) in help.lines().enumerate() {
            let head = if index == 0 { "= help:" } else { "       " };
            let _ = writeln!(out, "{bar}{} {}", paint.frame(head), printable(line));
        }
    }
    out
}

/// The marked lines of one file, in the order of the file.
fn excerpt(
    out: &mut String,
    source: &Source,
    starts: &[usize],
    marks: Vec<Mark<'_>>,
    gutter: usize,
    severity: Severity,
    paint: &Paint,
) {
    let bar = paint.frame("|");
    let _ = writeln!(out, "{:gutter$} {bar}", "");
    let mut by_line: BTreeMap<u32, Vec<Mark<'_>>> = BTreeMap::new();
    for mark in marks {
        by_line.entry(mark.place.line).or_default().push(mark);
    }
    let mut previous: Option<u32> = None;
    for (number, marks) in by_line {
        match previous {
            Some(before) if number == before + 2 => {
                source_line(
                    out,
                    before + 1,
                    line_at(source, starts, before + 1),
                    gutter,
                    paint,
                );
            }
            Some(before) if number > before + 2 => {
                let _ = writeln!(out, "{}", paint.frame("..."));
            }
            _ => {}
        }
        previous = Some(number);
        let line = line_at(source, starts, number);
        let (shown, cut) = window(line, &marks);
        source_line(out, number, &shown, gutter, paint);
        for mark in marks {
            let before = (mark.place.column.max(1) as usize - 1).saturating_sub(cut);
            let column: usize = shown.chars().take(before).map(columns).sum();
            let caret = if mark.main { '^' } else { '-' };
            let carets: String = std::iter::repeat_n(caret, width(line, mark.place)).collect();
            let text = format!("{carets} {}", printable(mark.label));
            let text = text.trim_end();
            let text = if mark.main {
                paint.head(severity, text)
            } else {
                paint.frame(text)
            };
            let _ = writeln!(out, "{:gutter$} {bar} {:column$}{text}", "", "");
        }
    }
}

/// What an input says must not move a terminal's cursor, nor look like lines of ours.
fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    let shown = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(shown).collect::<String>().into()
}

fn source_line(out: &mut String, number: u32, line: &str, gutter: usize, paint: &Paint) {
    let head = paint.frame(&format!("{number:>gutter$} |"));
    let _ = writeln!(out, "{}", format!("{head} {line}").trim_end());
}

/// How many columns of a terminal a character takes: two, most letters of East Asia.
fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// How many columns a mark covers: at least one, and never past the end of its line.
fn width(line: &str, place: Place) -> usize {
    let rest: String = line
        .chars()
        .skip(place.column.max(1) as usize - 1)
        .collect();
    let end = (0..=place.len.min(rest.len()))
        .rev()
        .find(|end| rest.is_char_boundary(*end));
    let marked = rest[..end.unwrap_or(0)].trim_end();
    marked.chars().map(columns).sum::<usize>().clamp(1, WIDTH)
}

/// The part of a line that is shown, printable, and how many characters were cut off before it.
fn window(line: &str, marks: &[Mark<'_>]) -> (String, usize) {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let length = line.chars().count();
    if length <= WIDTH {
        return (line.chars().map(printable).collect(), 0);
    }
    let first = marks
        .iter()
        .map(|mark| mark.place.column as usize)
        .min()
        .unwrap_or(1);
    let cut = first.saturating_sub(40).min(length - WIDTH);
    (
        line.chars().skip(cut).take(WIDTH).map(printable).collect(),
        cut,
    )
}

fn line_at<'a>(source: &'a Source, starts: &[usize], number: u32) -> &'a str {
    let index = (number.max(1) - 1) as usize;
    let start = starts.get(index).copied().unwrap_or(source.text.len());
    source.text[start..]
        .split(['\n', '\r'])
        .next()
        .unwrap_or_default()
}

fn digits(number: u32) -> usize {
    number.max(1).ilog10() as usize + 1
}

/// Where the lines of each source start: found once a source, as there may be thousands of problems.
#[derive(Default)]
struct Lines(BTreeMap<usize, Vec<usize>>);

impl Lines {
    fn of(&mut self, index: usize, source: &Source) -> &[usize] {
        self.0.entry(index).or_insert_with(|| {
            // YAML's line breaks: LF, CR LF, and CR alone.
            let bytes = source.text.as_bytes();
            let ends = (0..bytes.len()).filter(|at| match bytes[*at] {
                b'\n' => true,
                b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            });
            std::iter::once(0).chain(ends.map(|at| at + 1)).collect()
        })
    }
}
