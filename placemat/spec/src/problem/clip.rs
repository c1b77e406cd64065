//! An input that is one word of megabytes is not said whole: it would fill a log with itself.

use super::Problem;

/// Longest word that is said, in bytes: no path that a system takes is longer (PATH_MAX).
const LONGEST: usize = 4096;
/// What is left of a longer one.
const LEFT: usize = 60;

/// Cuts words of a problem that are too long to be read.
pub(super) fn clip(problem: &mut Problem) {
    let labels = problem.labels.iter_mut().map(|(_, label)| label);
    for text in labels
        .chain(&mut problem.help)
        .chain([&mut problem.message])
    {
        if text.len() > LONGEST {
            *text = clipped(text);
        }
    }
}

fn clipped(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace);
    let shown = words.map(|word| {
        if word.len() <= LONGEST {
            return word.to_owned();
        }
        let ends = word.trim_end();
        let count = ends.chars().count();
        let first: String = ends.chars().take(LEFT).collect();
        let quote = if ends.ends_with('`') { "`" } else { "" };
        let space = &word[ends.len()..];
        format!("{first}...{quote} ({count} characters){space}")
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_megabytes_is_cut_and_its_neighbours_stay() {
        let long = "ä".repeat(3000);
        let mut problem = Problem::new("bad-name", format!("`{long}` is\nno name")).help("short");
        clip(&mut problem);
        let shown = "ä".repeat(59);
        assert_eq!(
            problem.message,
            format!("`{shown}...` (3002 characters) is\nno name")
        );
        assert_eq!(problem.help.as_deref(), Some("short"));
    }

    #[test]
    fn a_long_list_of_words_is_said_whole() {
        let list = "a-word, ".repeat(2000);
        let mut problem = Problem::new("unknown-key", list.clone());
        clip(&mut problem);
        assert_eq!(problem.message, list);
    }
}
