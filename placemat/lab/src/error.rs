//! Errors in words.

use std::error::Error;

/// An error with its causes, `a: b: c`.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    fn layers(texts: &[&'static str]) -> Layer {
        let (text, rest) = texts.split_first().expect("one at least");
        let source = (!rest.is_empty()).then(|| Box::new(layers(rest)));
        Layer { text, source }
    }

    #[test]
    fn causes_follow_each_other_and_none_comes_twice() {
        assert_eq!(
            chain(&layers(&["start a", "no power"])),
            "start a: no power"
        );
        assert_eq!(
            chain(&layers(&["start a: no power", "no power"])),
            "start a: no power"
        );
        assert_eq!(chain(&layers(&["start a"])), "start a");
    }
}
