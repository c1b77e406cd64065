//! The guest agent (`qemu-ga`): commands inside a VM, over virtio-serial.
//!
//! The channel outlives the agent: the guest reboots, the agent restarts, and what either side
//! wrote before may still lie in it. So an exchange that did not end well marks the channel stale,
//! and the next one first synchronises (`guest-sync-delimited`, QEMU guest agent protocol
//! reference), dropping whatever is old.

use qapi::qga;
use serde_json::{Value, json};
use std::io;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Byte that never occurs in JSON: the agent's parser starts anew on it, and it leads the answer to
/// `guest-sync-delimited`.
const DELIMITER: u8 = 0xff;

/// Pause between two looks at a running command; it doubles up to the second number. The agent has
/// no event for a command's end.
const POLL: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// Least time that a look at a running command gets.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Why a guest agent did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// No answer in time.
    #[error("guest agent: no answer to {command} within {} ms", waited.as_millis())]
    Timeout {
        /// The command.
        command: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The agent said no.
    #[error("guest agent refused {command}: {reason}")]
    Refused {
        /// The command.
        command: String,
        /// Its words.
        reason: String,
    },
    /// The machine is off.
    #[error("guest agent: the machine's channel is closed")]
    Closed(#[source] io::Error),
    /// The answer does not have the form that the schema promises.
    #[error("guest agent: answer to {command} not understood")]
    Answer {
        /// The command.
        command: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The guest's program did not end in time; it still runs.
    #[error("{program} in the guest did not end within {} ms", waited.as_millis())]
    Runs {
        /// The program.
        program: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Nothing to run.
    #[error("guest agent: no program given to run")]
    NoProgram,
}

/// A program to run in the guest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentCommand {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Environment on top of the agent's own.
    pub env: Vec<(String, String)>,
    /// Standard input.
    pub stdin: Vec<u8>,
}

/// How it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentOutput {
    /// Exit code; 128 + signal number when a signal ended it.
    pub exit: i32,
    /// Standard output, at most 16 MiB.
    pub stdout: Vec<u8>,
    /// Standard error, at most 16 MiB.
    pub stderr: Vec<u8>,
}

/// How the guest is to go down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentShutdown {
    /// Power off.
    PowerOff,
    /// Reboot.
    Reboot,
}

/// A guest agent's channel. Calls at once are fine: they take turns.
#[derive(Debug)]
pub struct Agent {
    channel: Mutex<Channel>,
}

#[derive(Debug)]
struct Channel {
    stream: BufReader<UnixStream>,
    /// Something old may lie in the channel.
    stale: bool,
    next_sync: i64,
}

impl Agent {
    /// Takes the host's end of the channel. Nothing is sent yet: the agent may not run yet.
    pub fn new(stream: UnixStream) -> Self {
        Self {
            channel: Mutex::new(Channel {
                stream: BufReader::new(stream),
                stale: true,
                next_sync: 1,
            }),
        }
    }

    /// Says that the guest has rebooted or its agent restarted: the next call synchronises first.
    pub fn mark_stale(&self) {
        // Where an exchange is under way, it gets no answer and marks the channel itself.
        if let Ok(mut channel) = self.channel.try_lock() {
            channel.stale = true;
        }
    }

    /// Whether the agent answers, within `patience`.
    pub async fn ping(&self, patience: Duration) -> Result<(), AgentError> {
        self.run(qga::guest_ping {}, patience).await.map(|_| ())
    }

    /// Runs a program in the guest and collects what it wrote. `patience` bounds the whole.
    pub async fn exec(
        &self,
        command: &AgentCommand,
        patience: Duration,
    ) -> Result<AgentOutput, AgentError> {
        let end = Instant::now() + patience;
        let left = || end.saturating_duration_since(Instant::now());
        let mut argv = command.argv.iter().cloned();
        let mut program = argv.next().ok_or(AgentError::NoProgram)?;
        let mut arg: Vec<String> = argv.collect();
        if !command.env.is_empty() {
            // The agent's own `env` replaces the environment; `env` adds to it.
            let variables = command
                .env
                .iter()
                .map(|(key, value)| format!("{key}={value}"));
            arg = variables.chain([program]).chain(arg).collect();
            program = "env".into();
        }
        let name = program.clone();
        let started = self
            .run(
                qga::guest_exec {
                    path: program,
                    arg: Some(arg),
                    env: None,
                    input_data: Some(command.stdin.clone()),
                    capture_output: Some(qga::GuestExecCaptureOutput::flag(true)),
                },
                left(),
            )
            .await?;
        let mut pause = POLL.0;
        loop {
            let status = self
                .run(
                    qga::guest_exec_status { pid: started.pid },
                    left().max(LAST_LOOK),
                )
                .await?;
            if status.exited {
                return Ok(output(status));
            }
            if left().is_zero() {
                return Err(AgentError::Runs {
                    program: name,
                    waited: patience,
                });
            }
            tokio::time::sleep(pause.min(left())).await;
            pause = (pause * 2).min(POLL.1);
        }
    }

    /// Asks the guest to go down. The agent does not answer when it succeeds, so only a refusal is
    /// an error; whether it goes down shows in QMP events.
    pub async fn shutdown(&self, how: AgentShutdown, patience: Duration) -> Result<(), AgentError> {
        let command = qga::guest_shutdown {
            mode: Some(match how {
                AgentShutdown::PowerOff => qga::GuestShutdownMode::Powerdown,
                AgentShutdown::Reboot => qga::GuestShutdownMode::Reboot,
            }),
        };
        match self
            .run(command, patience.min(Duration::from_secs(1)))
            .await
        {
            Ok(_) | Err(AgentError::Timeout { .. } | AgentError::Closed(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Executes any command of the agent's schema within `patience`.
    pub async fn run<C: qapi::Command>(
        &self,
        command: C,
        patience: Duration,
    ) -> Result<C::Ok, AgentError> {
        let answer = |source| AgentError::Answer {
            command: C::NAME.into(),
            source,
        };
        let arguments = serde_json::to_value(&command).map_err(answer)?;
        let exchange = async {
            let mut channel = self.channel.lock().await;
            channel.exchange(C::NAME, arguments).await
        };
        let value = timeout(patience, exchange).await.unwrap_or_else(|_| {
            Err(AgentError::Timeout {
                command: C::NAME.into(),
                waited: patience,
            })
        })?;
        serde_json::from_value(value).map_err(answer)
    }
}

impl Channel {
    /// One command and its answer. Dropped half way, it leaves the channel marked stale.
    async fn exchange(&mut self, command: &str, arguments: Value) -> Result<Value, AgentError> {
        if self.stale {
            self.synchronise().await?;
        }
        self.stale = true;
        self.send(&[], command, arguments).await?;
        let message = self.receive(command).await?;
        self.stale = false;
        if let Some(error) = message.get("error") {
            return Err(AgentError::Refused {
                command: command.into(),
                reason: error["desc"].as_str().unwrap_or_default().into(),
            });
        }
        Ok(message.get("return").cloned().unwrap_or_default())
    }

    async fn synchronise(&mut self) -> Result<(), AgentError> {
        let id = self.next_sync;
        self.next_sync += 1;
        let command = "guest-sync-delimited";
        self.send(&[DELIMITER], command, json!({"id": id})).await?;
        loop {
            let mut old = Vec::new();
            self.stream
                .read_until(DELIMITER, &mut old)
                .await
                .and_then(not_ended)
                .map_err(AgentError::Closed)?;
            // Answers to syncs that were given up on carry other ids.
            if self.receive(command).await?["return"] == id {
                self.stale = false;
                return Ok(());
            }
        }
    }

    async fn send(
        &mut self,
        lead: &[u8],
        command: &str,
        arguments: Value,
    ) -> Result<(), AgentError> {
        let mut message = json!({"execute": command});
        if arguments.as_object().is_some_and(|map| !map.is_empty()) {
            message["arguments"] = arguments;
        }
        let bytes = [lead, message.to_string().as_bytes(), b"\n"].concat();
        self.stream
            .write_all(&bytes)
            .await
            .map_err(AgentError::Closed)
    }

    async fn receive(&mut self, command: &str) -> Result<Value, AgentError> {
        let mut line = Vec::new();
        self.stream
            .read_until(b'\n', &mut line)
            .await
            .and_then(not_ended)
            .map_err(AgentError::Closed)?;
        serde_json::from_slice(&line).map_err(|source| AgentError::Answer {
            command: command.into(),
            source,
        })
    }
}

fn not_ended(count: usize) -> io::Result<()> {
    match count {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn output(status: qga::GuestExecStatus) -> AgentOutput {
    let code = status
        .exitcode
        .or(status.signal.map(|signal| 128 + signal))
        .unwrap_or_default();
    AgentOutput {
        exit: i32::try_from(code).unwrap_or(i32::MAX),
        stdout: status.out_data.unwrap_or_default(),
        stderr: status.err_data.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;
    use tokio::task::JoinSet;

    const PATIENCE: Duration = Duration::from_secs(5);

    /// What a guest's end does: gets each line, gives what to send.
    fn guest(mut answer: impl FnMut(&Value) -> Option<String> + Send + 'static) -> Agent {
        let (ours, theirs) = UnixStream::pair().expect("socket pair");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let (read, mut write) = theirs.into_split();
            let mut read = BufReader::new(read);
            let mut line = Vec::new();
            while read.read_until(b'\n', &mut line).await.expect("read") > 0 {
                let begin = line.iter().rposition(|byte| *byte == DELIMITER);
                let message =
                    serde_json::from_slice(&line[begin.map_or(0, |at| at + 1)..]).expect("JSON");
                line.clear();
                if let Some(text) = answer(&message) {
                    let bytes: Vec<u8> = text
                        .chars()
                        .map(|c| if c == '\u{ff}' { DELIMITER } else { c as u8 })
                        .collect();
                    write.write_all(&bytes).await.expect("write");
                }
            }
            let _ = read.read_u8().await;
        });
        tasks.detach_all();
        Agent::new(ours)
    }

    fn usual(message: &Value) -> Option<String> {
        Some(match message["execute"].as_str()? {
            "guest-sync-delimited" => {
                format!("\u{ff}{{\"return\": {}}}\n", message["arguments"]["id"])
            }
            "guest-exec" => r#"{"return": {"pid": 42}}"#.to_owned() + "\n",
            "guest-exec-status" => {
                r#"{"return": {"exited": true, "signal": 9, "out-data": "aGk="}}"#.to_owned() + "\n"
            }
            _ => r#"{"return": {}}"#.to_owned() + "\n",
        })
    }

    #[tokio::test]
    async fn drops_what_is_old_before_the_first_answer() {
        let mut first = true;
        let agent = guest(move |message| {
            let mut text = usual(message)?;
            if std::mem::take(&mut first) {
                text.insert_str(0, "garbage{\n\u{ff}{\"return\": 77}\n");
            }
            Some(text)
        });
        agent.ping(PATIENCE).await.expect("ping");
    }

    #[tokio::test]
    async fn synchronises_again_after_a_lost_answer() {
        let mut pings = 0;
        let mut syncs = 0;
        let agent = guest(move |message| {
            match message["execute"].as_str()? {
                "guest-ping" => pings += 1,
                "guest-sync-delimited" => syncs += 1,
                _ => return Some(format!("{{\"return\": {{\"pid\": {syncs}}}}}\n")),
            }
            if pings == 1 && syncs == 1 {
                return None;
            }
            usual(message)
        });
        let lost = agent
            .ping(Duration::from_millis(50))
            .await
            .expect_err("lost");
        assert!(matches!(lost, AgentError::Timeout { .. }), "{lost}");
        agent.ping(PATIENCE).await.expect("ping");
        let command = qga::guest_exec {
            path: "x".into(),
            arg: None,
            env: None,
            input_data: None,
            capture_output: None,
        };
        let synced = agent.run(command, PATIENCE).await.expect("exec").pid;
        assert_eq!(synced, 2);
    }

    #[tokio::test]
    async fn exec_gives_output_and_signal() {
        let agent = guest(usual);
        let command = AgentCommand {
            argv: vec!["echo".into(), "hi".into()],
            ..AgentCommand::default()
        };
        let output = agent.exec(&command, PATIENCE).await.expect("exec");
        assert_eq!(
            (output.exit, output.stdout.as_slice()),
            (137, b"hi".as_slice())
        );
    }

    #[tokio::test]
    async fn environment_goes_on_top() {
        let agent = guest(|message| {
            if message["execute"] == "guest-exec" {
                let arguments = &message["arguments"];
                assert_eq!(arguments["path"], "env");
                assert_eq!(arguments["arg"], json!(["K=v", "echo", "hi"]));
                assert_eq!(arguments["input-data"], "aW4=");
            }
            usual(message)
        });
        let command = AgentCommand {
            argv: vec!["echo".into(), "hi".into()],
            env: vec![("K".into(), "v".into())],
            stdin: b"in".to_vec(),
        };
        agent.exec(&command, PATIENCE).await.expect("exec");
    }

    #[tokio::test]
    async fn refusals_in_words() {
        let agent = guest(|message| match message["execute"].as_str()? {
            "guest-exec" => Some(
                r#"{"error": {"class": "GenericError", "desc": "Failed to execute child process"}}"#
                    .to_owned() + "\n",
            ),
            _ => usual(message),
        });
        let command = AgentCommand {
            argv: vec!["nope".into()],
            ..AgentCommand::default()
        };
        let refused = agent.exec(&command, PATIENCE).await.expect_err("refused");
        insta::assert_snapshot!(refused, @"guest agent refused guest-exec: Failed to execute child process");
        let empty = agent
            .exec(&AgentCommand::default(), PATIENCE)
            .await
            .expect_err("empty");
        insta::assert_snapshot!(empty, @"guest agent: no program given to run");
    }
}
