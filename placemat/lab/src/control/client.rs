//! The client's end of the control socket.

use super::SOCKET;
use super::protocol::{Answer, Request, Signal};
use crate::error::ActError;
use placemat_host::descriptor;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// Why a lab could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Its socket does not answer.
    #[error("connect to the lab's control socket {path}")]
    Connect {
        /// The socket.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The connection broke.
    #[error("talk to the lab")]
    Talk(#[from] io::Error),
    /// It is gone, and the rest of its answer with it.
    #[error("the lab ended before it was done with this")]
    Ended,
    /// It answered with an error.
    #[error(transparent)]
    Answered(ActError),
    /// It answered something else.
    #[error("the lab answered something unexpected: {0:?}")]
    Unexpected(Box<Answer>),
}

/// A connection to a lab, for one request.
#[derive(Debug)]
pub struct Client {
    read: BufReader<OwnedReadHalf>,
    /// What has come of the next answer.
    line: Vec<u8>,
    write: OwnedWriteHalf,
}

impl Client {
    /// Connects to the lab with this run directory.
    pub async fn connect(run_dir: &Path) -> Result<Self, ClientError> {
        let failed = |source| ClientError::Connect {
            path: run_dir.join(SOCKET).display().to_string(),
            source,
        };
        // By way of a descriptor: a socket's path may have 107 bytes only, a directory's more.
        let dir = std::fs::File::open(run_dir).map_err(failed)?;
        let path = format!("/proc/self/fd/{}/{SOCKET}", dir.as_raw_fd());
        let stream = UnixStream::connect(&path).await.map_err(failed)?;
        Ok(Self::on(stream))
    }

    fn on(stream: UnixStream) -> Self {
        let (read, write) = stream.into_split();
        Self {
            read: BufReader::new(read),
            line: Vec::new(),
            write,
        }
    }

    /// Process id of the lab, as this process sees it; `None` where the kernel does not tell.
    pub fn lab_pid(&self) -> Option<i32> {
        let stream: &UnixStream = self.write.as_ref();
        stream.peer_cred().ok().and_then(|lab| lab.pid())
    }

    /// Sends a request, with descriptors where it takes some.
    pub async fn send(&mut self, request: &Request, fds: &[OwnedFd]) -> Result<(), ClientError> {
        let mut line = serde_json::to_vec(request).map_err(io::Error::from)?;
        line.push(b'\n');
        let stream: &UnixStream = self.write.as_ref();
        let sent = loop {
            stream.writable().await?;
            let sent = stream.try_io(tokio::io::Interest::WRITABLE, || {
                descriptor::send(stream, &line, fds)
            });
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => break other?,
            }
        };
        self.write.write_all(&line[sent..]).await?;
        Ok(())
    }

    /// Sends a signal to the command of an `Exec` request.
    pub async fn signal(&mut self, signal: i32) -> Result<(), ClientError> {
        let mut line = serde_json::to_vec(&Signal { signal }).map_err(io::Error::from)?;
        line.push(b'\n');
        self.write.write_all(&line).await?;
        Ok(())
    }

    /// The next answer; an error where the lab answers with one. Cancel safe: a part of a line that
    /// has come stays for the next call.
    pub async fn answer(&mut self) -> Result<Answer, ClientError> {
        if !self.line.ends_with(b"\n") {
            match self.read.read_until(b'\n', &mut self.line).await {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(ClientError::Ended);
                }
                Err(error) => return Err(error.into()),
            }
        }
        if !self.line.ends_with(b"\n") {
            return Err(ClientError::Ended);
        }
        let line = std::mem::take(&mut self.line);
        match serde_json::from_slice(&line).map_err(io::Error::from)? {
            Answer::Error { kind, message } => {
                Err(ClientError::Answered(ActError { kind, message }))
            }
            answer => Ok(answer),
        }
    }

    /// The first answer, with the descriptors that come beside it.
    pub async fn answer_with_descriptors(&mut self) -> Result<(Answer, Vec<OwnedFd>), ClientError> {
        let mut fds = Vec::new();
        let mut chunk = vec![0; 4096];
        while !self.line.ends_with(b"\n") {
            let stream: &UnixStream = self.write.as_ref();
            stream.readable().await?;
            let received = stream.try_io(tokio::io::Interest::READABLE, || {
                descriptor::receive(stream, &mut chunk)
            });
            let (length, more) = match received {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                other => other?,
            };
            if length == 0 {
                break;
            }
            fds.extend(more);
            self.line.extend_from_slice(&chunk[..length]);
        }
        // All of the line is there: nothing more is read.
        Ok((self.answer().await?, fds))
    }

    /// Sends a request and takes its one answer.
    pub async fn ask(&mut self, request: &Request) -> Result<Answer, ClientError> {
        self.send(request, &[]).await?;
        self.answer().await
    }

    /// The raw stream, after [`Answer::Attached`].
    pub fn into_stream(self) -> (BufReader<OwnedReadHalf>, OwnedWriteHalf) {
        (self.read, self.write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn an_answer_that_comes_in_pieces_survives_a_cancelled_wait() {
        let (ours, mut lab) = UnixStream::pair().expect("a pair");
        let mut client = Client::on(ours);
        let mut line = serde_json::to_vec(&Answer::Exit { code: 7 }).expect("JSON");
        line.push(b'\n');
        for piece in line[..line.len() - 1].chunks(5) {
            lab.write_all(piece).await.expect("send");
            let early = timeout(Duration::from_millis(5), client.answer()).await;
            assert!(early.is_err(), "{early:?}");
        }
        lab.write_all(b"\n").await.expect("send");
        assert_eq!(
            client.answer().await.expect("whole"),
            Answer::Exit { code: 7 }
        );
        lab.write_all(b"{\"answer\"").await.expect("send");
        drop(lab);
        assert!(matches!(client.answer().await, Err(ClientError::Ended)));
    }
}
