//! BIRD's control socket: sessions as the daemon itself sees them.
//!
//! The protocol is lines, each beginning with a four-digit code; a space after the code ends the
//! answer, `-` continues it, and a line that begins with a space continues the code before.

mod parse;

pub use parse::{bfd_sessions, bgp_sessions};

use std::io;
use std::path::Path;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// Sends one command and collects the answer without its codes.
pub async fn command(socket: &Path, command: &str) -> io::Result<String> {
    let stream = UnixStream::connect(socket).await?;
    let mut stream = BufReader::new(stream);
    read_answer(&mut stream).await?;
    stream
        .get_mut()
        .write_all(format!("{command}\n").as_bytes())
        .await?;
    read_answer(&mut stream).await
}

async fn read_answer(stream: &mut BufReader<UnixStream>) -> io::Result<String> {
    let mut answer = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "BIRD closed its socket",
            ));
        }
        let line = line.trim_end_matches('\n');
        if let Some(rest) = line.strip_prefix(' ') {
            push(&mut answer, rest);
            continue;
        }
        let (code, rest) = line.split_at_checked(5).unwrap_or((line, ""));
        push(&mut answer, rest);
        if !code.ends_with('-') {
            return match code.as_bytes().first() {
                Some(b'8' | b'9') => {
                    Err(io::Error::other(format!("BIRD answers: {}", rest.trim())))
                }
                _ => Ok(answer),
            };
        }
    }
}

fn push(answer: &mut String, line: &str) {
    answer.push_str(line);
    answer.push('\n');
}
