//! The lab's end of the control socket.

use super::protocol::{Answer, ErrorKind, Request};
use super::{Proposal, SOCKET, exec};
use crate::error::{ActError, chain};
use crate::forward::{Destination, Listen};
use crate::lab::Lab;
use placemat_host::descriptor;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longest request line in bytes.
const LONGEST: usize = 256 * 1024;

/// Most descriptors of one request.
const MOST_DESCRIPTORS: usize = 3;
/// What clients are given to go away when there are too many.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// A client asked for the lab to go down and waits for the socket to close.
    Down,
    /// Cancelled from outside.
    Cancelled,
}

/// Serves the control socket in `run_dir` until a client asks for `Down` or `cancel` is called.
///
/// Requests run on `tasks`, so that one that hangs hinders no other.
pub async fn serve(
    lab: Lab,
    run_dir: &Path,
    tasks: &TaskTracker,
    cancel: CancellationToken,
) -> io::Result<Served> {
    let dir = std::fs::File::open(run_dir)?;
    let listener = UnixListener::bind(format!("/proc/self/fd/{}/{SOCKET}", dir.as_raw_fd()))?;
    let down = CancellationToken::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Too many clients at once must not end the lab: some will go.
                    tracing::warn!(%error, "cannot accept a client");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
            () = down.cancelled() => return Ok(Served::Down),
            () = cancel.cancelled() => return Ok(Served::Cancelled),
        };
        let (lab, down, cancel) = (lab.clone(), down.clone(), cancel.clone());
        tasks.spawn(async move {
            // A client that goes away in the middle is no matter of the lab's.
            cancel.run_until_cancelled(attend(lab, stream, down)).await;
        });
    }
}

async fn attend(lab: Lab, stream: UnixStream, down: CancellationToken) -> io::Result<()> {
    let (request, fds, rest) = match receive(&stream).await {
        Ok(received) => received,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let message = format!("not a request: {error}");
            let refusal = ActError::new(ErrorKind::BadRequest, message);
            return answer(&stream, &refusal.into()).await;
        }
        Err(error) => return Err(error),
    };
    match request {
        Request::Status => {
            answer(
                &stream,
                &Answer::Status {
                    status: lab.status(),
                },
            )
            .await
        }
        Request::Exec {
            target,
            argv,
            env,
            terminal,
        } => {
            let order = exec::Order {
                target,
                argv,
                env,
                terminal,
            };
            exec::run(&lab, stream, order, fds, rest).await
        }
        Request::Console { target } => console(&lab, stream, &target).await,
        Request::Screenshot { target } => {
            let made = match lab.target(&target) {
                Ok(target) => lab.screenshot(&target).await,
                Err(error) => Err(error),
            };
            let made = match made {
                Ok(file) => Answer::Screenshot { file },
                Err(error) => error.into(),
            };
            answer(&stream, &made).await
        }
        Request::Power { target, action } => {
            let done = match lab.target(&target) {
                Ok(target) => lab.power(&target, action, "cli").await,
                Err(error) => Err(error),
            };
            answer(&stream, &done_or(done)).await
        }
        Request::ForwardAdd { listen, to } => {
            let done = forward(&lab, &listen, &to, fds);
            answer(&stream, &done_or(done)).await
        }
        Request::ForwardList => {
            let forwards = lab.forwards().list();
            answer(&stream, &Answer::Forwards { forwards }).await
        }
        Request::ForwardRemove { listen } => {
            let listen = listen
                .parse()
                .map_err(|error| ActError::new(ErrorKind::BadRequest, chain(&error)));
            let done = match listen {
                Ok(listen) => lab.forwards().remove(&listen).await,
                Err(error) => Err(error),
            };
            answer(&stream, &done_or(done)).await
        }
        Request::Capture { what } => capture(&lab, stream, &what).await,
        Request::Connect { to } => connect(&lab, stream, &to).await,
        Request::Events => events(&lab, stream).await,
        Request::Apply => match proposed(fds).await {
            Ok(proposal) => apply(&lab, &stream, proposal).await,
            Err(error) => answer(&stream, &error.into()).await,
        },
        Request::Plan => {
            let compared = match proposed(fds).await {
                Ok(proposal) => lab.plan(&proposal).await,
                Err(error) => Err(error),
            };
            let told = match compared {
                Ok(compared) => Answer::Plan {
                    changes: compared.changes,
                    refused: compared.refused,
                },
                Err(error) => error.into(),
            };
            answer(&stream, &told).await
        }
        Request::Down => {
            down.cancel();
            // Kept open: the client sees the end of the lab as the end of its socket.
            let mut stream = stream;
            let mut byte = [0_u8; 1];
            stream.read(&mut byte).await.map(|_| ())
        }
    }
}

/// Changes the lab on a task of its own: a client that goes away does not leave it half done.
async fn apply(lab: &Lab, stream: &UnixStream, proposal: Proposal) -> io::Result<()> {
    let (sender, mut steps) = tokio::sync::mpsc::unbounded_channel();
    let own = lab.clone();
    let work = lab.tasks().spawn(async move {
        let ends = own.cancelled().clone();
        ends.run_until_cancelled(own.apply(&proposal, sender)).await
    });
    while let Some(step) = steps.recv().await {
        let told = Answer::Step {
            object: step.object,
            text: step.text,
            failed: step.failed,
        };
        answer(stream, &told).await?;
    }
    let told = match work.await {
        Ok(Some(Ok(failures))) => Answer::Applied { failures },
        Ok(Some(Err(error))) => error.into(),
        Ok(None) => ActError::failed("the lab goes down").into(),
        Err(error) => ActError::failed(error.to_string()).into(),
    };
    answer(stream, &told).await
}

/// The proposal that came along.
async fn proposed(fds: Vec<OwnedFd>) -> Result<Proposal, ActError> {
    let wrong = |message: String| ActError::new(ErrorKind::BadRequest, message);
    let [file] = <[OwnedFd; 1]>::try_from(fds)
        .map_err(|_| wrong("a proposal is the contents of one descriptor".into()))?;
    let read = tokio::task::spawn_blocking(move || Proposal::open(file)).await;
    let read = read.map_err(|error| wrong(error.to_string()))?;
    read.map_err(|error| wrong(format!("read the proposal: {error}")))
}

fn forward(lab: &Lab, listen: &str, to: &str, fds: Vec<OwnedFd>) -> Result<(), ActError> {
    let wrong = |message: String| ActError::new(ErrorKind::BadRequest, message);
    let listen: Listen = listen.parse().map_err(|error| wrong(chain(&error)))?;
    let to: Destination = to.parse().map_err(|error| wrong(chain(&error)))?;
    let [socket] = <[OwnedFd; 1]>::try_from(fds)
        .map_err(|_| wrong("a forward needs one descriptor".into()))?;
    lab.forward(&listen, &to, socket)
}

async fn capture(lab: &Lab, mut stream: UnixStream, what: &str) -> io::Result<()> {
    let watched = match lab.capture(what).await {
        Ok(watched) => watched,
        Err(error) => return answer(&stream, &error.into()).await,
    };
    let (links, sockets): (Vec<String>, Vec<OwnedFd>) = watched.into_iter().unzip();
    answer_with(&stream, &Answer::Capturing { links }, &sockets).await?;
    drop(sockets);
    // Kept open: the client sees the end of the lab as the end of its socket.
    let mut byte = [0_u8; 1];
    stream.read(&mut byte).await.map(|_| ())
}

fn done_or(done: Result<(), ActError>) -> Answer {
    match done {
        Ok(()) => Answer::Done,
        Err(error) => error.into(),
    }
}

/// Reads up to the end of the request line: the request, its descriptors, and what came after it.
async fn receive(stream: &UnixStream) -> io::Result<(Request, Vec<OwnedFd>, Vec<u8>)> {
    let mut line: Vec<u8> = Vec::new();
    let mut fds = Vec::new();
    let mut chunk = vec![0_u8; 8192];
    loop {
        stream.readable().await?;
        let received = stream.try_io(Interest::READABLE, || {
            descriptor::receive(stream, &mut chunk)
        });
        let (length, more) = match received {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            other => other?,
        };
        fds.extend(more);
        if fds.len() > MOST_DESCRIPTORS {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "too many descriptors",
            ));
        }
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.extend_from_slice(&chunk[..length]);
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            let rest = line.split_off(end + 1);
            let request = serde_json::from_slice(&line)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            return Ok((request, fds, rest));
        }
        if line.len() > LONGEST {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the line is too long",
            ));
        }
    }
}

/// Sends one answer line.
pub(super) async fn answer(stream: &UnixStream, answer: &Answer) -> io::Result<()> {
    answer_with(stream, answer, &[]).await
}

/// Sends one answer line with descriptors beside it.
async fn answer_with(stream: &UnixStream, answer: &Answer, fds: &[OwnedFd]) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    let (mut rest, mut fds) = (&line[..], fds);
    while !rest.is_empty() {
        stream.writable().await?;
        let sent = stream.try_io(Interest::WRITABLE, || descriptor::send(stream, rest, fds));
        match sent {
            Ok(sent) => {
                rest = &rest[sent..];
                // They went with the first byte.
                fds = &[];
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn connect(lab: &Lab, mut stream: UnixStream, to: &str) -> io::Result<()> {
    let connected = match to.parse::<Destination>() {
        Ok(to) => lab.connect(&to).await,
        Err(error) => Err(ActError::unknown_target(error.to_string())),
    };
    let mut inner = match connected {
        Ok(inner) => inner,
        Err(error) => return answer(&stream, &error.into()).await,
    };
    answer(&stream, &Answer::Attached).await?;
    tokio::io::copy_bidirectional(&mut stream, &mut inner)
        .await
        .map(drop)
}

async fn events(lab: &Lab, stream: UnixStream) -> io::Result<()> {
    let mut events = lab.bus().subscribe();
    answer(&stream, &Answer::Attached).await?;
    loop {
        match events.recv().await {
            Ok(event) => answer(&stream, &Answer::Event { event }).await?,
            // The file has what a slow client missed.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

async fn console(lab: &Lab, stream: UnixStream, target: &str) -> io::Result<()> {
    let console = lab.target(target).and_then(|target| lab.console(&target));
    let console = match console {
        Ok(console) => console,
        Err(error) => return answer(&stream, &error.into()).await,
    };
    answer(&stream, &Answer::Attached).await?;
    super::serial::relay(console, stream).await
}
