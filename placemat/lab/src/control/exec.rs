//! `exec`: a command with the client's own descriptors.

use super::protocol::{Answer, Signal};
use super::server::answer;
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
    let refuse = |message: String| Answer::Error { message };
    let Ok(stdio) = <[OwnedFd; 3]>::try_from(fds) else {
        return answer(&stream, &refuse("exec needs three descriptors".into())).await;
    };
    let target = match lab.target(&order.target) {
        Ok(target) => target,
        Err(message) => return answer(&stream, &refuse(message)).await,
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
        Err(message) => return answer(&stream, &refuse(message)).await,
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
                    Err(_) => refuse(format!("{target} lost power")),
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
        read_all(stdin).await?
    };
    answer(stream, &Answer::Started).await?;
    let told = match lab.exec(target, order.argv, order.env, input).await {
        Ok(output) => {
            let written = tokio::task::spawn_blocking(move || {
                std::fs::File::from(stdout).write_all(&output.stdout)?;
                std::fs::File::from(stderr).write_all(&output.stderr)?;
                io::Result::Ok(output.exit)
            });
            Answer::Exit {
                code: written.await.map_err(io::Error::other)??,
            }
        }
        Err(message) => Answer::Error { message },
    };
    answer(stream, &told).await
}

async fn read_all(fd: OwnedFd) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let read = move || {
        let mut bytes = Vec::new();
        std::fs::File::from(fd)
            .take(16 << 20)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(io::Error::other)?
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
            Ok(length) => pending.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
