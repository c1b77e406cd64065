//! `placemat events`.

use super::LabArg;
use crate::exit::{self, Code, Failure};
use crate::{launch, talk};
use anyhow::Context;
use placemat_lab::control::Client;
use placemat_lab::control::protocol::Request;
use placemat_spec::event::{LabEvent, LabEventKind};
use std::fs::File;
use std::io::Read;

/// Arguments of `events`.
#[derive(Debug, clap::Args)]
pub(super) struct Events {
    /// Go on with what happens from now on, until the lab ends.
    #[arg(short, long)]
    follow: bool,
    /// One JSON object a line, as `events.jsonl` in the run directory has them.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lab: LabArg,
}

impl Events {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let entry = self.lab.find()?;
        let path = entry.run_dir.join("events.jsonl");
        let file = File::open(&path)
            .with_context(|| format!("read {}", path.display()))
            .code(exit::LAB)?;
        let mut log = Log {
            file,
            part: Vec::new(),
            json: self.json,
        };
        if !self.follow {
            log.show()?;
            return Ok(exit::OK);
        }
        launch::run(async move {
            let mut client = Client::connect(&entry.run_dir).await?;
            // From this answer on nothing is missed. What comes tells when to look; the file has it
            // all, in order, even what a slow reader misses.
            client.ask(&Request::Events).await?;
            log.show()?;
            while client.answer().await.is_ok() {
                log.show()?;
            }
            log.show()?;
            Ok(exit::OK)
        })
    }
}

/// The file of events, as far as it was shown.
struct Log {
    file: File,
    /// The beginning of a line whose end has not come.
    part: Vec<u8>,
    json: bool,
}

impl Log {
    /// Shows what is new.
    fn show(&mut self) -> Result<(), Failure> {
        self.file
            .read_to_end(&mut self.part)
            .context("read events.jsonl")
            .code(exit::LAB)?;
        let Some(end) = self.part.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(());
        };
        let rest = self.part.split_off(end + 1);
        let lines = std::mem::replace(&mut self.part, rest);
        let lines = String::from_utf8_lossy(&lines);
        if self.json {
            return talk::data(&lines);
        }
        let shown: String = lines.lines().map(line).collect();
        talk::data(&shown)
    }
}

/// An event for people; a line that is none stays as it is.
fn line(text: &str) -> String {
    match serde_json::from_str::<LabEvent>(text) {
        Ok(event) => {
            let seconds = event.t_ms / 1000.0;
            format!(
                "{seconds:>10.3}  {:<24}  {}\n",
                event.object,
                words(&event.what)
            )
        }
        Err(_) => format!("{text}\n"),
    }
}

fn words(what: &LabEventKind) -> String {
    let with = |word: String, detail: &Option<String>| match detail {
        Some(detail) => format!("{word}: {detail}"),
        None => word,
    };
    match what {
        LabEventKind::Lab { phase } => talk::word(phase),
        LabEventKind::Boot {
            phase,
            boot,
            detail,
        } => with(format!("boot {boot}, {}", talk::word(phase)), detail),
        LabEventKind::Power { on, cause } => {
            format!("power {} by {cause}", if *on { "on" } else { "off" })
        }
        LabEventKind::App { app, state, detail } => {
            with(format!("{app} {}", talk::word(state)), detail)
        }
        LabEventKind::Link { interface, up } => {
            format!("link {interface} {}", if *up { "up" } else { "down" })
        }
        LabEventKind::Http {
            path,
            status,
            bytes,
            client,
            node,
        } => {
            let who = node.as_ref().unwrap_or(client);
            format!("HTTP {status} {path} to {who}, {bytes} bytes")
        }
        LabEventKind::Dhcp {
            act,
            node,
            mac,
            address,
        } => {
            let who = node.as_ref().unwrap_or(mac);
            with(format!("DHCP {} of {who}", talk::word(act)), address)
        }
        LabEventKind::Note { text } => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn events_in_words() {
        let lines = [
            r#"{"t_ms":1.5,"object":"lab","kind":"lab","phase":"boot-servers"}"#,
            r#"{"t_ms":12345.678,"object":"node/a","kind":"boot","phase":"dhcp","boot":2}"#,
            r#"{"t_ms":12345.678,"object":"node/a","kind":"boot","phase":"http","boot":2,"detail":"node-os"}"#,
            r#"{"t_ms":20000,"object":"node/a","kind":"power","on":false,"cause":"ipmi"}"#,
            r#"{"t_ms":20001,"object":"router/r1","kind":"app","app":"bird","state":"ended","detail":"exit code 1"}"#,
            r#"{"t_ms":20002,"object":"router/r1","kind":"link","interface":"eth0","up":false}"#,
            r#"{"t_ms":20003,"object":"boot-server/b","kind":"http","path":"/node.efi","status":200,"bytes":17,"client":"10.0.0.1"}"#,
            r#"{"t_ms":20003,"object":"boot-server/b","kind":"dhcp","act":"ack","node":"a","mac":"52:54:00:00:00:01","address":"10.0.0.1"}"#,
            r#"{"t_ms":20004,"object":"node/a","kind":"note","text":"no more"}"#,
            "not an event",
        ];
        let text: String = lines.into_iter().map(super::line).collect();
        insta::assert_snapshot!(text);
    }
}
