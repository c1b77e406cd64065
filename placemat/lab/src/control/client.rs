//! The client's end of the control socket.

use super::SOCKET;
use super::protocol::{Answer, Request, Signal};
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
    /// It answered with an error.
    #[error("{0}")]
    Refused(String),
    /// It answered something else.
    #[error("the lab answered something unexpected: {0:?}")]
    Unexpected(Box<Answer>),
}

/// A connection to a lab, for one request.
#[derive(Debug)]
pub struct Client {
    read: BufReader<OwnedReadHalf>,
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
        let (read, write) = stream.into_split();
        Ok(Self {
            read: BufReader::new(read),
            write,
        })
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

    /// The next answer; an error where the lab answers with one.
    pub async fn answer(&mut self) -> Result<Answer, ClientError> {
        let mut line = String::new();
        if self.read.read_line(&mut line).await? == 0 {
            return Err(ClientError::Talk(io::ErrorKind::UnexpectedEof.into()));
        }
        match serde_json::from_str(&line).map_err(io::Error::from)? {
            Answer::Error { message } => Err(ClientError::Refused(message)),
            answer => Ok(answer),
        }
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
