//! Files and texts as HTTP answers: whole or in part, streamed, and counted as they go.

use super::misbehave;
use super::range::{Wanted, wanted};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use placemat_spec::resource::HttpFault;
use std::io::{self, Cursor, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, ReadBuf};
use tokio::sync::watch;
use tokio_util::io::ReaderStream;

/// Bytes that are read at once. Firmware takes small ones anyway.
const CHUNK: usize = 64 << 10;

/// Called once with the bytes that were sent, when the answer is over.
pub(super) type Sent = Box<dyn FnOnce(u64) + Send>;

/// What is asked of something that can be read.
pub(super) struct Wish<'a> {
    pub(super) method: &'a Method,
    pub(super) headers: &'a HeaderMap,
    /// How bodies misbehave.
    pub(super) fault: watch::Receiver<Option<HttpFault>>,
}

/// The answer to a request for a file, `sent` being called when it is over.
pub(super) async fn answer(
    path: &Path,
    wish: Wish<'_>,
    sent: impl FnOnce(StatusCode) -> Sent,
) -> Response<Body> {
    match open(path).await {
        Ok((file, size)) => whole_or_part(file, size, content_type(path), wish, sent).await,
        Err(error) => {
            let status = match error.kind() {
                io::ErrorKind::NotFound => StatusCode::NOT_FOUND,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            words(status, &format!("{}: {error}\n", path.display()), sent)
        }
    }
}

/// The answer to a request for a text that was made for it.
pub(super) async fn text(
    text: String,
    wish: Wish<'_>,
    sent: impl FnOnce(StatusCode) -> Sent,
) -> Response<Body> {
    let size = text.len() as u64;
    let text = Cursor::new(text.into_bytes());
    whole_or_part(text, size, "text/plain; charset=utf-8", wish, sent).await
}

async fn whole_or_part<R>(
    mut from: R,
    size: u64,
    content_type: &str,
    wish: Wish<'_>,
    sent: impl FnOnce(StatusCode) -> Sent,
) -> Response<Body>
where
    R: AsyncRead + AsyncSeekExt + Unpin + Send + 'static,
{
    let range = wish
        .headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok());
    let (status, bytes) = match wanted(range, size) {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(bytes) => (StatusCode::PARTIAL_CONTENT, bytes),
        Wanted::Unsatisfiable => {
            let mut answer = words(StatusCode::RANGE_NOT_SATISFIABLE, "no such bytes\n", sent);
            let content = format!("bytes */{size}");
            set(&mut answer, header::CONTENT_RANGE, &content);
            return answer;
        }
    };
    let length = bytes.end - bytes.start;
    let over = sent(status);
    let body = if wish.method == Method::HEAD {
        over(0);
        Body::empty()
    } else {
        if let Err(error) = from.seek(SeekFrom::Start(bytes.start)).await {
            tracing::warn!(%error, "read a boot file");
            over(0);
            return plain(StatusCode::INTERNAL_SERVER_ERROR, "");
        }
        let counted = Counted {
            body: misbehave::Body::new(from.take(length), wish.fault, bytes.start, length),
            count: 0,
            over: Some(over),
        };
        Body::from_stream(ReaderStream::with_capacity(counted, CHUNK))
    };
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    set(&mut answer, header::CONTENT_LENGTH, &length.to_string());
    set(&mut answer, header::ACCEPT_RANGES, "bytes");
    set(&mut answer, header::CONTENT_TYPE, content_type);
    if status == StatusCode::PARTIAL_CONTENT {
        let content = format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1);
        set(&mut answer, header::CONTENT_RANGE, &content);
    }
    answer
}

/// An answer in words.
pub(super) fn words(
    status: StatusCode,
    text: &str,
    sent: impl FnOnce(StatusCode) -> Sent,
) -> Response<Body> {
    sent(status)(text.len() as u64);
    plain(status, text)
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let mut answer = Response::new(Body::from(Bytes::copy_from_slice(text.as_bytes())));
    *answer.status_mut() = status;
    answer
}

fn set(answer: &mut Response<Body>, name: header::HeaderName, value: &str) {
    // The values are made of digits and fixed words here; all of them are valid.
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// OVMF decides by type, or by the name's end, that a file is an EFI image.
fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|end| end.to_str()) {
        Some("efi") => "application/efi",
        Some("json") => "application/json",
        Some("env" | "conf" | "ipxe") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

async fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = File::open(path).await?;
    let about = file.metadata().await?;
    if !about.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok((file, about.len()))
}

/// Counts what is read, and tells when it is dropped: the answer is over, or the client has gone.
struct Counted<R> {
    body: misbehave::Body<R>,
    count: u64,
    over: Option<Sent>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Counted<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.body).poll_read(context, buffer);
        self.count += (buffer.filled().len() - before) as u64;
        read
    }
}

impl<R> Drop for Counted<R> {
    fn drop(&mut self) {
        if let Some(over) = self.over.take() {
            over(self.count);
        }
    }
}
