//! A machine's serial console: one task holds the socket, any number of readers and writers share
//! it. QEMU itself writes the log file, which has everything; here is the last of it, for whoever
//! looks in late. The console outlives the machine's lives: power off, and its history stays.

use super::scan::{Scanner, Sign};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};

/// Bytes that a late reader still sees.
const HISTORY: usize = 64 << 10;

/// Chunks that a slow reader may lag behind before it loses some.
const BACKLOG: usize = 1024;

/// Chunks of input that may wait for the guest to take them.
const INPUT: usize = 64;

/// Why a console takes no input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the console takes no input: the machine has no power")]
pub struct ConsoleOff;

/// A serial console. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Console {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    history: VecDeque<u8>,
    readers: broadcast::Sender<Arc<[u8]>>,
    input: Option<mpsc::Sender<Vec<u8>>>,
    scanner: Scanner,
}

/// A reader and writer of a console: it sees what was, at most 64 KiB, and then what comes, with
/// nothing lost or doubled between the two.
#[derive(Debug)]
pub struct ConsoleSession {
    console: Console,
    history: Vec<u8>,
    output: broadcast::Receiver<Arc<[u8]>>,
}

impl ConsoleSession {
    /// The next output; `None` once the console is gone for good. Cancel safe. A reader that lags
    /// far behind loses what it has not read; the log file has it.
    pub async fn read(&mut self) -> Option<Vec<u8>> {
        if !self.history.is_empty() {
            return Some(std::mem::take(&mut self.history));
        }
        loop {
            match self.output.recv().await {
                Ok(bytes) => return Some(bytes.to_vec()),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Types on it. Waits while the guest is slow to take it.
    pub async fn write(&self, bytes: Vec<u8>) -> Result<(), ConsoleOff> {
        self.console.write(bytes).await
    }
}

impl Default for Console {
    fn default() -> Self {
        let (readers, _) = broadcast::channel(BACKLOG);
        Self {
            state: Arc::new(Mutex::new(State {
                history: VecDeque::new(),
                readers,
                input: None,
                scanner: Scanner::default(),
            })),
        }
    }
}

impl Console {
    /// Begins to read and write.
    pub fn attach(&self) -> ConsoleSession {
        let state = self.state();
        ConsoleSession {
            console: self.clone(),
            history: state.history.iter().copied().collect(),
            output: state.readers.subscribe(),
        }
    }

    /// Types on it. Waits while the guest is slow to take it.
    pub async fn write(&self, bytes: Vec<u8>) -> Result<(), ConsoleOff> {
        let input = self.state().input.clone().ok_or(ConsoleOff)?;
        input.send(bytes).await.map_err(|_| ConsoleOff)
    }

    /// Forgets half a line of the boot before: signs are looked for anew.
    pub(super) fn begin_boot(&self) {
        self.state().scanner = Scanner::default();
    }

    /// Serves one life of the machine: until QEMU closes the socket. `sign` hears of what the
    /// output says about the boot.
    pub(super) async fn serve(&self, mut socket: UnixStream, mut sign: impl FnMut(Sign)) {
        let (sender, mut input) = mpsc::channel(INPUT);
        self.state().input = Some(sender);
        let (mut from, mut to) = socket.split();
        let write = async {
            while let Some(bytes) = input.recv().await {
                if to.write_all(&bytes).await.is_err() {
                    break;
                }
            }
        };
        let read = async {
            let mut buffer = vec![0; 16 << 10];
            while let Ok(count @ 1..) = from.read(&mut buffer).await {
                self.take(&buffer[..count]).into_iter().for_each(&mut sign);
            }
        };
        tokio::select! {
            () = read => (),
            // Input that fails says nothing about output: go on reading.
            () = async { write.await; std::future::pending().await } => (),
        }
        self.state().input = None;
    }

    fn take(&self, bytes: &[u8]) -> Vec<Sign> {
        let mut state = self.state();
        state.history.extend(bytes);
        let excess = state.history.len().saturating_sub(HISTORY);
        state.history.drain(..excess);
        // Nobody may be reading.
        let _ = state.readers.send(bytes.into());
        state.scanner.scan(bytes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn late_reader_sees_history_and_what_comes_and_can_type() {
        let console = Console::default();
        assert_eq!(console.write(b"x".to_vec()).await, Err(ConsoleOff));
        let (ours, mut guest) = UnixStream::pair().expect("socket pair");
        let mut signs = Vec::new();
        let serve = console.serve(ours, |sign| signs.push(sign));
        let act = async {
            let mut early = console.attach();
            guest
                .write_all(b"Linux version 6.1\r\n")
                .await
                .expect("write");
            assert_eq!(
                early.read().await.expect("output"),
                b"Linux version 6.1\r\n"
            );
            let mut late = console.attach();
            assert_eq!(
                late.read().await.expect("history"),
                b"Linux version 6.1\r\n"
            );
            guest.write_all(b"login: ").await.expect("write");
            assert_eq!(late.read().await.expect("output"), b"login: ");
            late.write(b"root\r".to_vec()).await.expect("type");
            let mut typed = [0; 5];
            guest.read_exact(&mut typed).await.expect("read");
            assert_eq!(&typed, b"root\r");
            drop(guest);
        };
        tokio::join!(serve, act);
        assert_eq!(signs, [Sign::Output, Sign::Kernel]);
        assert_eq!(console.write(b"x".to_vec()).await, Err(ConsoleOff));
        assert_eq!(console.attach().history, b"Linux version 6.1\r\nlogin: ");
    }

    #[test]
    fn history_is_bounded() {
        let console = Console::default();
        for _ in 0..20 {
            console.take(&[b'a'; 5000]);
        }
        console.take(b"end");
        let history = console.attach().history;
        assert_eq!(history.len(), HISTORY);
        assert!(history.ends_with(b"aaend"));
    }
}
