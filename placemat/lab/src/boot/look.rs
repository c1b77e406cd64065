//! Looks how a boot server's HTTP behaves, as a client on the boot server itself.

use super::site::{PROBE_PATH, PROBE_SIZE};
use placemat_spec::resource::HttpFault;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// A server that has said nothing for this long on its own machine says nothing.
const SILENCE: Duration = Duration::from_millis(500);

/// Whether the HTTP server at the other end of a connection shows the fault, or with `None`, none at
/// all.
pub async fn look_at_http(mut stream: TcpStream, fault: Option<HttpFault>) -> io::Result<bool> {
    let began = Instant::now();
    let request = format!("GET {PROBE_PATH} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let patience = match fault {
        // Its last byte is what counts, and when it comes is known.
        Some(HttpFault::Slow { rate }) => due(rate) + SILENCE * 4,
        Some(HttpFault::Silent) => SILENCE,
        _ => SILENCE * 4,
    };
    // What was read before an error or the end of patience stays in `answer`.
    let read = timeout(patience, stream.read_to_end(&mut answer)).await;
    if answer.is_empty() {
        return Ok(read.is_err() && fault == Some(HttpFault::Silent));
    }
    let told = String::from_utf8_lossy(&answer);
    let body = told.find("\r\n\r\n").map_or(0, |at| at + 4);
    let found = told.starts_with("HTTP/1.1 200 ");
    let whole = answer.len() - body.min(answer.len()) == PROBE_SIZE;
    let sound = found && whole && told[body..] == "placemat".repeat(PROBE_SIZE / 8);
    Ok(match fault {
        None => sound,
        Some(HttpFault::Silent) => false,
        Some(HttpFault::NotFound) => told.starts_with("HTTP/1.1 404 "),
        Some(HttpFault::Truncated) => found && !whole,
        Some(HttpFault::Corrupt) => found && whole && !sound,
        Some(HttpFault::Slow { rate }) => sound && began.elapsed() >= due(rate),
    })
}

/// What the probe takes at a rate.
fn due(rate: u64) -> Duration {
    Duration::from_micros(PROBE_SIZE as u64 * 8 * 1_000_000 / rate.max(1))
}
