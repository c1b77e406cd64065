//! Texts that are almost right: files of a corpus with lines and words deleted, repeated, swapped and
//! replaced by those of other files. Shared by the property tests of cluster files and rack specs.

use proptest::prelude::*;
use std::path::Path;

/// Words that readers of numbers, addresses and YAML stumble over.
const ODD: [&str; 24] = [
    "",
    "~",
    "null",
    "*a",
    "&a",
    "<<",
    "---",
    "...",
    "|",
    ">-",
    "[",
    "}",
    "!!str",
    "é",
    "\u{0}",
    "0",
    "-1",
    "1e400",
    "18446744073709551616",
    "4294967295",
    "0.0.0.0/0",
    "255.255.255.255/32",
    "::/0",
    "hub",
];

/// One change: what to do, where, and with what.
type Edit = (u8, prop::sample::Index, prop::sample::Index);

/// The YAML files of a folder.
pub(crate) fn corpus(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the corpus");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "yml"));
    paths.sort();
    let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).expect("a file");
    paths.iter().map(read).collect()
}

/// A file of the corpus with one to six changes.
pub(crate) fn mutated(corpus: Vec<String>) -> impl Strategy<Value = String> {
    let edit = (
        0_u8..6,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    );
    let edits = prop::collection::vec(edit, 1..6);
    let lines: Vec<String> = corpus
        .iter()
        .flat_map(|text| text.lines())
        .map(str::to_owned)
        .collect();
    let words: Vec<String> = lines
        .iter()
        .flat_map(|line| line.split(['{', '}', '[', ']', ',', ':', ' ', '"']))
        .chain(ODD)
        .map(str::to_owned)
        .collect();
    (any::<prop::sample::Index>(), edits).prop_map(move |(base, edits)| {
        let mut text: Vec<String> = base.get(&corpus).lines().map(str::to_owned).collect();
        for edit in edits {
            if text.is_empty() {
                break;
            }
            apply(&mut text, edit, &lines, &words);
        }
        text.join("\n")
    })
}

fn apply(text: &mut Vec<String>, (what, at, with): Edit, lines: &[String], words: &[String]) {
    let line = at.index(text.len());
    match what {
        0 => drop(text.remove(line)),
        1 => text.insert(line, text[line].clone()),
        2 => {
            let other = with.index(text.len());
            text.swap(line, other);
        }
        3 => text[line].clone_from(with.get(lines)),
        // The same indentation, another line.
        4 => {
            let depth = text[line].len() - text[line].trim_start().len();
            let indent = text[line][..depth].to_owned();
            text[line] = indent + with.get(lines).trim_start();
        }
        _ => {
            let parts: Vec<&str> = text[line].split_inclusive([' ', ',', '[', '{']).collect();
            if parts.is_empty() {
                return;
            }
            let part = with.index(parts.len());
            let mut parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
            let kept = parts[part]
                .trim_end_matches(|c: char| !" ,[{".contains(c))
                .to_owned();
            let kept = kept
                .chars()
                .next_back()
                .map(String::from)
                .unwrap_or_default();
            parts[part] = at.get(words).clone() + &kept;
            text[line] = parts.concat();
        }
    }
}
