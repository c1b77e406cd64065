//! Downloads over HTTP(S): resumed where the server can, tried again where that may help.

use super::partial::{Partial, Validators};
use super::{ImageError, Watch, roots};
use placemat_spec::value::HttpUrl;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;
use ureq::http::{Response, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

/// A server that says nothing for this long is taken for dead.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(20);
/// Attempts in a row that bring nothing, after which it fails.
const TRIES: u32 = 5;
/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The server does not give it.
    #[error("the server answers {status}{}", status_hint(*status))]
    Status {
        /// What it answers.
        status: StatusCode,
    },
    /// No connection, or it broke.
    #[error("{}", words(.0))]
    Connection(Box<ureq::Error>),
    /// The body broke.
    #[error("the connection broke after {done} bytes")]
    Body {
        /// Bytes that came.
        done: u64,
        /// How it broke.
        source: io::Error,
    },
    /// The body ended early.
    #[error("the server sent {done} of {total} bytes")]
    Short {
        /// Bytes that came.
        done: u64,
        /// Bytes that were announced.
        total: u64,
    },
    /// It sent another part of the file than was asked for.
    #[error("the server sent another part of the file than was asked for")]
    Part,
    /// Each of several attempts failed.
    #[error("gave up after {TRIES} attempts that brought nothing")]
    GaveUp(#[source] Box<DownloadError>),
}

impl DownloadError {
    /// What to do about it.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::GaveUp(_) => Some("what has come so far is kept: run it again to go on"),
            Self::Connection(error) if is_of_tls(error) => {
                Some("`SSL_CERT_FILE` can name a file of the authorities to trust")
            }
            _ => None,
        }
    }
}

fn status_hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            " (a user and password can stand in the URL)"
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => " (is the URL right?)",
        _ => "",
    }
}

/// What the library says, shorter where it wraps what the kernel says.
fn words(error: &ureq::Error) -> String {
    let text = match error {
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    };
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// How one attempt failed.
enum Failed {
    /// Another attempt may do better; after how long, if the server said so.
    ForNow(DownloadError, Option<Duration>),
    /// None will.
    ForGood(ImageError),
}

/// An HTTP client.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    /// Before the second attempt; doubled before each further one.
    pause: Duration,
}

impl Client {
    /// A client that trusts whom this host trusts.
    pub(super) fn new(pause: Duration) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::from(roots::read()))
            .build();
        // No limit on the whole: images are large. (A limit on name look-ups would also start a
        // thread, and the sandbox is entered with one.)
        let config = Agent::config_builder()
            .tls_config(tls)
            .user_agent(concat!("placemat/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .build();
        Self {
            agent: config.into(),
            pause,
        }
    }

    /// Brings the whole file into `partial`. `room` says whether so many more bytes fit.
    pub(super) fn fetch(
        &self,
        url: &HttpUrl,
        partial: &mut Partial,
        room: &dyn Fn(u64) -> Result<(), ImageError>,
        watch: &mut dyn Watch,
    ) -> Result<(), ImageError> {
        let failed = |source| ImageError::Download {
            url: url.clone(),
            source,
        };
        let mut tries = 0;
        // What a server sends again from the beginning, and breaks off again, brings nothing.
        let mut most = partial.length();
        loop {
            let (error, asked) = match self.attempt(url, partial, room, watch) {
                Ok(()) => return Ok(()),
                Err(Failed::ForGood(error)) => return Err(error),
                Err(Failed::ForNow(error, asked)) => (error, asked),
            };
            tries = if partial.length() > most {
                most = partial.length();
                1
            } else {
                tries + 1
            };
            if tries >= TRIES {
                return Err(failed(DownloadError::GaveUp(Box::new(error))));
            }
            let pause = asked.unwrap_or(self.pause * (1 << (tries - 1)));
            let why = crate::error::chain(&error);
            watch.note(&format!("{url}: {why}; trying again"));
            std::thread::sleep(pause.min(LONGEST_PAUSE));
        }
    }

    fn attempt(
        &self,
        url: &HttpUrl,
        partial: &mut Partial,
        room: &dyn Fn(u64) -> Result<(), ImageError>,
        watch: &mut dyn Watch,
    ) -> Result<(), Failed> {
        // As published: a packed file must not be unpacked on its way, nor another packed.
        let mut request = self
            .agent
            .get(url.as_str())
            .header(header::ACCEPT_ENCODING, "identity");
        let resumed = partial
            .validators()
            .if_range()
            .filter(|_| partial.length() > 0);
        if let Some(validator) = resumed {
            request = request
                .header(header::RANGE, format!("bytes={}-", partial.length()))
                .header(header::IF_RANGE, validator);
        }
        let mut response = request.call().map_err(|error| connection(url, error))?;
        begin(url, &response, partial)?;
        let left = response.body().content_length();
        // A server may send less of the rest than was asked for (RFC 9110, 15.3.7).
        let total = whole(&response).or_else(|| Some(partial.length().saturating_add(left?)));
        let need = total.map_or(0, |total| total.saturating_sub(partial.length()));
        room(need).map_err(Failed::ForGood)?;
        watch.progress(partial.length(), total);
        let mut body = response.body_mut().as_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    let part = &buffer[..count];
                    partial.append(part).map_err(Failed::ForGood)?;
                    watch.progress(partial.length(), total);
                }
                Err(source) => {
                    let done = partial.length();
                    return Err(Failed::ForNow(DownloadError::Body { done, source }, None));
                }
            }
        }
        match total {
            Some(total) if partial.length() < total => {
                let done = partial.length();
                Err(Failed::ForNow(DownloadError::Short { done, total }, None))
            }
            _ => Ok(()),
        }
    }
}

/// Brings `partial` to where the body that follows begins.
fn begin(url: &HttpUrl, response: &Response<Body>, partial: &mut Partial) -> Result<(), Failed> {
    let status = response.status();
    let resumed = partial.length() > 0;
    match status {
        StatusCode::OK => partial
            .restart(validators(response))
            .map_err(Failed::ForGood),
        StatusCode::PARTIAL_CONTENT if resumed && fits(response, partial) => Ok(()),
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if resumed => {
            // Never to be asked for again: from the beginning.
            let restarted = partial.restart(Validators::default());
            restarted.map_err(Failed::ForGood)?;
            Err(Failed::ForNow(DownloadError::Part, Some(Duration::ZERO)))
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(Failed::ForNow(
            DownloadError::Status { status },
            asked(response),
        )),
        status if status.is_server_error() => Err(Failed::ForNow(
            DownloadError::Status { status },
            asked(response),
        )),
        status => Err(Failed::ForGood(ImageError::Download {
            url: url.clone(),
            source: DownloadError::Status { status },
        })),
    }
}

fn connection(url: &HttpUrl, error: ureq::Error) -> Failed {
    use ureq::Error;
    let for_now = !is_of_tls(&error)
        && matches!(
            error,
            Error::Io(_)
                | Error::Timeout(_)
                | Error::HostNotFound
                | Error::ConnectionFailed
                | Error::Protocol(_)
        );
    let error = DownloadError::Connection(Box::new(error));
    if for_now {
        return Failed::ForNow(error, None);
    }
    Failed::ForGood(ImageError::Download {
        url: url.clone(),
        source: error,
    })
}

/// Whether the two do not trust or understand each other: a certificate, a version.
fn is_of_tls(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::Pem(_) => true,
        ureq::Error::Io(error) => error
            .get_ref()
            .is_some_and(|inner| inner.downcast_ref::<rustls::Error>().is_some()),
        _ => false,
    }
}

fn text(response: &Response<Body>, name: header::HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

fn validators(response: &Response<Body>) -> Validators {
    let etag = text(response, header::ETAG).filter(|etag| !etag.starts_with("W/"));
    Validators {
        etag: etag.map(str::to_owned),
        last_modified: text(response, header::LAST_MODIFIED).map(str::to_owned),
    }
}

/// Whether a 206 goes on where the part ends, with the same file.
fn fits(response: &Response<Body>, partial: &Partial) -> bool {
    // Content-Range: bytes 100-199/200
    let start = text(response, header::CONTENT_RANGE)
        .and_then(|range| range.strip_prefix("bytes "))
        .and_then(|range| range.split('-').next())
        .and_then(|start| start.trim().parse::<u64>().ok());
    let ours = partial.validators();
    let theirs = validators(response);
    let same = |ours: &Option<String>, theirs: &Option<String>| {
        ours.is_none() || theirs.is_none() || ours == theirs
    };
    start == Some(partial.length())
        && same(&ours.etag, &theirs.etag)
        && same(&ours.last_modified, &theirs.last_modified)
}

/// How long the file is of which a 206 brings a part, if it says so.
fn whole(response: &Response<Body>) -> Option<u64> {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return None;
    }
    let range = text(response, header::CONTENT_RANGE)?;
    range.rsplit_once('/')?.1.trim().parse().ok()
}

/// `Retry-After` in seconds (RFC 9110, 10.2.3); dates are not looked at.
fn asked(response: &Response<Body>) -> Option<Duration> {
    let seconds = text(response, header::RETRY_AFTER)?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
