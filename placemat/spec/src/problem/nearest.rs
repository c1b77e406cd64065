//! The nearest valid name for one that is not.

use std::fmt::Write as _;

/// The candidate that `word` was most probably meant to be, if any is near enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let allowed = (word.chars().count().max(3)) / 3;
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| {
            *distance <= allowed && *distance < shorter(word, candidate)
        })
        // Of two that are as near, the one of the same letters: fingers swap them more often than they
        // find another key.
        .min_by_key(|(distance, candidate)| (*distance, letters(candidate) != letters(&lower)))
        .map(|(_, candidate)| candidate)
}

/// The letters of a word, in an order of their own.
fn letters(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.to_lowercase().chars().collect();
    letters.sort_unstable();
    letters
}

/// A distance as long as the word itself would be a different word.
fn shorter(a: &str, b: &str) -> usize {
    a.chars().count().min(b.chars().count())
}

/// Help text: the nearest name if there is one, then the list of all (cut at 12) after `introduction`.
pub fn suggestion(word: &str, introduction: &str, candidates: &[&str]) -> String {
    const SHOWN: usize = 12;
    let mut text = nearest(word, candidates.iter().copied())
        .map(|near| format!("did you mean `{near}`? "))
        .unwrap_or_default();
    if candidates.len() == 1 && !text.is_empty() {
        text.truncate(text.trim_end().len());
        return text;
    }
    if candidates.is_empty() {
        text.push_str("there is none");
        return text;
    }
    text.push_str(introduction);
    for (index, candidate) in candidates.iter().take(SHOWN).enumerate() {
        text.push_str(if index == 0 { " " } else { ", " });
        text.push('`');
        text.push_str(candidate);
        text.push('`');
    }
    if candidates.len() > SHOWN {
        let _ = write!(text, " and {} more", candidates.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let keys = ["network", "addresses", "mac", "name"];
        assert_eq!(nearest("adresses", keys), Some("addresses"));
        assert_eq!(nearest("Name", keys), Some("name"));
        assert_eq!(nearest("mca", keys), Some("mac"));
        assert_eq!(nearest("tmp", ["smp", "tpm"]), Some("tpm"));
        assert_eq!(nearest("colour", keys), None);
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..20).map(|i| format!("spine-{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(suggestion("xxxxxxxx", "there are:", &names).ends_with("`spine-11` and 8 more"));
        assert_eq!(suggestion("a", "there are:", &[]), "there is none");
    }
}
