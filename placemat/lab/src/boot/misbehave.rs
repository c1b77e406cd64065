//! Bodies as a faulty HTTP server sends them: slowly, in part, or with bytes that are others.

use placemat_spec::resource::HttpFault;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;
use tokio::time::Sleep;

/// Of so many bytes, one is changed.
const STRIDE: u64 = 4096;
/// Which of them: in an EFI image it is one that nobody reads, so that what comes later is told.
const CHANGED: u64 = 7;
/// Parts of a second in which a slow body is sent.
const PARTS: u64 = 10;
/// How long a body that breaks off pauses before it does.
const FLUSH: Duration = Duration::from_millis(50);
/// Most that is read at once.
const CHUNK: usize = 64 << 10;

/// A body that goes through whatever fault is in effect as it is sent.
pub(super) struct Body<R> {
    inner: R,
    fault: watch::Receiver<Option<HttpFault>>,
    /// Where in the file the next byte is.
    at: u64,
    /// Bytes of it that are still to come.
    left: u64,
    /// Those that a server sends that breaks off.
    half: u64,
    chunk: Vec<u8>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl<R> Body<R> {
    /// `length` bytes, the first of which is at `at` in its file.
    pub(super) fn new(
        inner: R,
        fault: watch::Receiver<Option<HttpFault>>,
        at: u64,
        length: u64,
    ) -> Self {
        Self {
            inner,
            fault,
            at,
            left: length,
            half: length.div_ceil(2),
            chunk: Vec::new(),
            pause: None,
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Body<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let body = &mut *self;
        let fault = *body.fault.borrow();
        let mut most = buffer.remaining().min(CHUNK);
        match fault {
            Some(HttpFault::Truncated) if body.left <= body.half => {
                // What was read so far is sent while nothing comes; an error at once would keep it.
                let pause = body
                    .pause
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(FLUSH)));
                ready!(pause.as_mut().poll(context));
                let error = "a fault: the body is truncated";
                return Poll::Ready(Err(io::Error::other(error)));
            }
            Some(HttpFault::Truncated) => {
                let rest = body.left - body.half;
                most = most.min(usize::try_from(rest).unwrap_or(most));
            }
            Some(HttpFault::Slow { rate }) => {
                let part = (rate / 8 / PARTS).max(1);
                most = most.min(usize::try_from(part).unwrap_or(most));
                let bytes = body.left.min(most as u64);
                // Once healed, the rest is not waited for.
                let pause = body.pause.get_or_insert_with(|| {
                    let time = Duration::from_micros(bytes * 8 * 1_000_000 / rate.max(1));
                    Box::pin(tokio::time::sleep(time))
                });
                ready!(pause.as_mut().poll(context));
            }
            _ => {}
        }
        body.chunk.resize(most, 0);
        let mut chunk = ReadBuf::new(&mut body.chunk);
        ready!(Pin::new(&mut body.inner).poll_read(context, &mut chunk))?;
        let read = chunk.filled_mut();
        let size = read.len() as u64;
        if fault == Some(HttpFault::Corrupt) {
            for (byte, at) in read.iter_mut().zip(body.at..) {
                if at % STRIDE == CHANGED {
                    *byte = !*byte;
                }
            }
        }
        buffer.put_slice(read);
        body.pause = None;
        body.at += size;
        body.left = body.left.saturating_sub(size);
        Poll::Ready(Ok(()))
    }
}
