//! URLs of files to download.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// An absolute `http` or `https` URL (RFC 9110, 4.2). Displays without the user and password that
/// may stand in it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HttpUrl(String);

/// Why a text is not such a URL. Reads as a few words under a caret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HttpUrlError {
    /// Neither `http://` nor `https://`.
    #[error("it does not begin with `http://` or `https://`")]
    Scheme,
    /// `file:`.
    #[error("a file of this host: give its path as `file`")]
    File,
    /// No host, or none that could be one.
    #[error("it names no host")]
    Host,
    /// A character that a URL cannot have.
    #[error("{0:?} must be written with percent signs")]
    Character(char),
}

impl HttpUrl {
    /// The whole text, for whoever connects.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn split(text: &str) -> Option<(&str, &str)> {
        let at = text.find("://")? + 3;
        Some(text.split_at(at))
    }
}

impl FromStr for HttpUrl {
    type Err = HttpUrlError;
    fn from_str(text: &str) -> Result<Self, HttpUrlError> {
        if let Some(other) = text.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(HttpUrlError::Character(other));
        }
        if text.starts_with("file:") {
            return Err(HttpUrlError::File);
        }
        let (scheme, rest) = Self::split(text).ok_or(HttpUrlError::Scheme)?;
        if !["http://", "https://"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
        {
            return Err(HttpUrlError::Scheme);
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let fine = |c: char| c.is_ascii_alphanumeric() || "-._[]:%~".contains(c);
        if host.is_empty() || host.starts_with(':') || !host.chars().all(fine) {
            return Err(HttpUrlError::Host);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = Self::split(&self.0).unwrap_or(("", &self.0));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host = authority.rsplit('@').next().unwrap_or(authority);
        write!(f, "{scheme}{host}{path}")
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_refuses() {
        let bad = |text: &str| text.parse::<HttpUrl>().unwrap_err();
        for good in [
            "http://10.0.0.1:8080/a.img",
            "HTTPS://example.com",
            "http://[fd00::1]:80/x?y=%20#z",
        ] {
            assert_eq!(good.parse::<HttpUrl>().unwrap().as_str(), good);
        }
        assert_eq!(bad("example.com/disk.img"), HttpUrlError::Scheme);
        assert_eq!(bad("ftp://example.com/disk.img"), HttpUrlError::Scheme);
        assert_eq!(bad("file:///disk.img"), HttpUrlError::File);
        assert_eq!(bad("https:///disk.img"), HttpUrlError::Host);
        assert_eq!(bad("https://a b/"), HttpUrlError::Character(' '));
    }

    #[test]
    fn a_password_is_not_shown() {
        let url: HttpUrl = "https://me:secret@example.com/a@b".parse().unwrap();
        assert_eq!(url.to_string(), "https://example.com/a@b");
        assert_eq!(format!("{url:?}"), "\"https://example.com/a@b\"");
    }

    proptest! {
        #[test]
        fn never_panics(text in "(https?://)?\\PC{0,20}") {
            let _ = text.parse::<HttpUrl>().map(|url| url.to_string());
        }
    }
}
