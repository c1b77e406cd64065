//! `exec`: a command with the client's own descriptors.

use super::protocol::{Answer, ErrorKind, Signal};
use super::server::answer;
use crate::error::ActError;
use crate::lab::Lab;
use placemat_host::container::Program;
use std::io;
use std::os::fd::OwnedFd;
use tokio::net::UnixStream;

/// What to run.
pub(super) struct Order {
    pub(super) target: String,
    pub(super) argv: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) terminal: bool,
}

pub(super) async fn run(
    lab: &Lab,
    stream: UnixStream,
    order: Order,
    fds: Vec<OwnedFd>,
    rest: Vec<u8>,
) -> io::Result<()> {
    let Ok(stdio) = <[OwnedFd; 3]>::try_from(fds) else {
        let refusal = ActError::new(ErrorKind::BadRequest, "exec needs three descriptors");
        return answer(&stream, &refusal.into()).await;
    };
    let target = match lab.target(&order.target) {
        Ok(target) => target,
        Err(error) => return answer(&stream, &error.into()).await,
    };
    if lab.is_vm(&target) {
        return in_vm(lab, &stream, &target, order, stdio).await;
    }
    let program = Program {
        argv: order.argv,
        env: order.env,
        stdio,
        terminal: order.terminal,
    };
    let (container, process) = match lab.spawn(&target, program).await {
        Ok(running) => running,
        Err(error) => return answer(&stream, &error.into()).await,
    };
    let id = process.id();
    if let Err(error) = answer(&stream, &Answer::Started).await {
        container.signal_id(id, SIGKILL).await;
        return Err(error);
    }
    let mut exit = process.exit;
    let mut pending = rest;
    loop {
        tokio::select! {
            ended = &mut exit => {
                let told = match ended {
                    Ok(code) => Answer::Exit { code },
                    Err(_) => ActError::failed(format!("{target} lost power")).into(),
                };
                return answer(&stream, &told).await;
            }
            line = next_line(&stream, &mut pending) => {
                let Ok(Some(line)) = line else {
                    // The client is gone: what it asked for has no purpose any more.
                    container.signal_id(id, SIGKILL).await;
                    return Ok(());
                };
                if let Ok(Signal { signal }) = serde_json::from_slice(&line) {
                    container.signal_id(id, signal).await;
                }
            },
        }
    }
}

const SIGKILL: i32 = 9;
/// Longest line of a client whose command runs, in bytes.
const LONGEST_SIGNAL: usize = 1024;

/// A VM is reached through its guest agent, which takes and gives whole buffers.
async fn in_vm(
    lab: &Lab,
    stream: &UnixStream,
    target: &placemat_spec::selector::Target,
    order: Order,
    stdio: [OwnedFd; 3],
) -> io::Result<()> {
    use std::io::Write;
    let [stdin, stdout, stderr] = stdio;
    // A terminal never ends: only what is piped in is passed on.
    let input = if order.terminal {
        Vec::new()
    } else {
        tokio::select! {
            input = read_all(stdin) => input?,
            () = gone(stream) => return Ok(()),
        }
    };
    answer(stream, &Answer::Started).await?;
    let done = tokio::select! {
        done = lab.exec(target, order.argv, order.env, input) => done,
        () = gone(stream) => return Ok(()),
    };
    let told = match done {
        Ok(output) => Answer::Exit {
            code: on_thread(move || {
                std::fs::File::from(stdout).write_all(&output.stdout)?;
                std::fs::File::from(stderr).write_all(&output.stderr)?;
                Ok(output.exit)
            })
            .await?,
        },
        Err(error) => error.into(),
    };
    answer(stream, &told).await
}

async fn read_all(fd: OwnedFd) -> io::Result<Vec<u8>> {
    use std::io::Read;
    on_thread(move || {
        let mut bytes = Vec::new();
        std::fs::File::from(fd)
            .take(16 << 20)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    })
    .await
}

/// On a thread of its own: a client's descriptor may block for ever, and the runtime's threads for
/// blocking work are few.
async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, done) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("exec".into())
        .spawn(move || {
            // Nobody waits any more when the client has gone.
            let _ = sender.send(work());
        })?;
    done.await.map_err(io::Error::other)?
}

/// Resolves when the client has closed its end; what else it says meanwhile is dropped.
async fn gone(stream: &UnixStream) {
    let mut pending = Vec::new();
    while let Ok(Some(_)) = next_line(stream, &mut pending).await {}
}

async fn next_line(stream: &UnixStream, pending: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let rest = pending.split_off(end + 1);
            return Ok(Some(std::mem::replace(pending, rest)));
        }
        stream.readable().await?;
        let mut chunk = [0_u8; 512];
        match stream.try_read(&mut chunk) {
            Ok(0) => return Ok(None),
            Ok(_) if pending.len() > LONGEST_SIGNAL => {
                return Err(io::ErrorKind::InvalidData.into());
            }
            Ok(length) => pending.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
