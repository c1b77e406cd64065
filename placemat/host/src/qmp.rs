//! QEMU's monitor (QMP): typed commands and events of the `qapi` crate over a Unix socket.
//!
//! The types are `qapi`'s, the connection is ours. `qapi`'s own sends commands without ids, one at
//! a time, so that one given up on (a timeout) breaks the next; and an event newer than its schema
//! ends its stream. Here every command has an id, answers are matched by it, and events that the
//! schema does not know come through untyped.

use qapi::qmp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use qapi::qmp as commands;

/// Why a monitor did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QmpError {
    /// Its socket does not answer.
    #[error("connect to the QMP socket {path}")]
    Connect {
        /// The socket.
        path: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// It does not greet as a QMP server does.
    #[error("QMP greeting: {0}")]
    Greeting(String),
    /// QEMU said no.
    #[error("QMP command {command} refused: {reason}")]
    Refused {
        /// The command.
        command: String,
        /// QEMU's class of error, `GenericError` or `DeviceNotFound` for example.
        class: String,
        /// QEMU's words.
        reason: String,
    },
    /// No answer in time. The connection stays usable.
    #[error("QMP command {command}: no answer within {} ms", waited.as_millis())]
    Timeout {
        /// The command.
        command: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// QEMU has ended or closed the connection.
    #[error("QMP command {command}: QEMU closed the connection")]
    Closed {
        /// The command.
        command: String,
    },
    /// The answer does not have the form that the schema promises.
    #[error("QMP command {command}: answer not understood")]
    Answer {
        /// The command.
        command: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Something that QEMU reports by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct QmpEvent {
    /// Its name: `RESET`, `SHUTDOWN`, `STOP`, ...
    pub name: String,
    /// Its data, `null` where it has none.
    pub data: Value,
    /// QEMU's time stamp, as `timestamp` in the message.
    pub timestamp: Value,
}

impl QmpEvent {
    /// The event as the schema types it; `None` where the schema does not know it.
    pub fn typed(&self) -> Option<qmp::Event> {
        let mut message = json!({"event": self.name, "timestamp": self.timestamp});
        if !self.data.is_null() {
            message["data"] = self.data.clone();
        }
        serde_json::from_value(message).ok()
    }
}

/// Events of one monitor, in order.
#[derive(Debug)]
pub struct QmpEvents {
    receiver: mpsc::UnboundedReceiver<QmpEvent>,
}

impl QmpEvents {
    /// The next event; `None` once QEMU has closed the connection. Cancel safe.
    pub async fn next(&mut self) -> Option<QmpEvent> {
        self.receiver.recv().await
    }
}

/// A monitor. Clones are the same one; the connection closes with the last.
#[derive(Debug, Clone)]
pub struct Qmp {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    write: tokio::sync::Mutex<OwnedWriteHalf>,
    pending: Arc<Pending>,
    next_id: AtomicU64,
    patience: Duration,
    _reader: JoinSet<()>,
}

type Answer = Result<Value, Value>;

/// Commands that wait for their answer, by id; `None` once the connection has closed.
#[derive(Debug)]
struct Pending(Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>);

impl Pending {
    fn with<T>(
        &self,
        act: impl FnOnce(&mut Option<HashMap<u64, oneshot::Sender<Answer>>>) -> T,
    ) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Qmp {
    /// Connects to a monitor's socket. `patience` bounds the greeting and every command.
    pub async fn connect(path: &Path, patience: Duration) -> Result<(Self, QmpEvents), QmpError> {
        let stream = UnixStream::connect(path)
            .await
            .map_err(|source| QmpError::Connect {
                path: path.display().to_string(),
                source,
            })?;
        Self::open(stream, patience).await
    }

    /// Reads the greeting on a connected socket and enters command mode. `patience` bounds this
    /// and every command.
    pub async fn open(
        stream: UnixStream,
        patience: Duration,
    ) -> Result<(Self, QmpEvents), QmpError> {
        let (read, write) = stream.into_split();
        let mut read = BufReader::new(read);
        let mut line = String::new();
        match timeout(patience, read.read_line(&mut line)).await {
            Err(_) => {
                return Err(QmpError::Greeting(format!(
                    "none within {} ms",
                    patience.as_millis()
                )));
            }
            Ok(Err(error)) => return Err(QmpError::Greeting(error.to_string())),
            Ok(Ok(0)) => return Err(QmpError::Greeting("QEMU closed the connection".into())),
            Ok(Ok(_)) => (),
        }
        serde_json::from_str::<qmp::QapiCapabilities>(&line)
            .map_err(|error| QmpError::Greeting(format!("not understood: {error}")))?;
        let pending = Arc::new(Pending(Mutex::new(Some(HashMap::new()))));
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut reader = JoinSet::new();
        reader.spawn(read_all(read, pending.clone(), sender));
        let monitor = Self {
            inner: Arc::new(Inner {
                write: tokio::sync::Mutex::new(write),
                pending,
                next_id: AtomicU64::new(1),
                patience,
                _reader: reader,
            }),
        };
        monitor.run(qmp::qmp_capabilities { enable: None }).await?;
        Ok((monitor, QmpEvents { receiver }))
    }

    /// Executes a command of the schema.
    pub async fn run<C: qapi::Command>(&self, command: C) -> Result<C::Ok, QmpError> {
        let answer = |source| QmpError::Answer {
            command: C::NAME.into(),
            source,
        };
        let arguments = serde_json::to_value(&command).map_err(answer)?;
        let value = self.execute(C::NAME, arguments).await?;
        serde_json::from_value(value).map_err(answer)
    }

    /// Executes any command: the way around the schema. `arguments` is an object, or `null`.
    pub async fn execute(&self, command: &str, arguments: Value) -> Result<Value, QmpError> {
        let patience = self.inner.patience;
        timeout(patience, self.exchange(command, arguments))
            .await
            .unwrap_or_else(|_| {
                Err(QmpError::Timeout {
                    command: command.into(),
                    waited: patience,
                })
            })
    }

    /// Sets a property of an object, `bootindex` of `/machine/peripheral/net0` for example.
    pub async fn qom_set(&self, path: &str, property: &str, value: Value) -> Result<(), QmpError> {
        self.run(qmp::qom_set {
            path: path.into(),
            property: property.into(),
            value,
        })
        .await
        .map(|_| ())
    }

    async fn exchange(&self, command: &str, arguments: Value) -> Result<Value, QmpError> {
        let closed = || QmpError::Closed {
            command: command.into(),
        };
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        let mut message = json!({"execute": command, "id": id});
        if !arguments.is_null() {
            message["arguments"] = arguments;
        }
        let mut line = message.to_string();
        line.push('\n');
        let (sender, receiver) = oneshot::channel();
        let _forget = Forget(&self.inner.pending, id);
        self.inner
            .pending
            .with(|pending| pending.as_mut().map(|waiting| waiting.insert(id, sender)))
            .ok_or_else(closed)?;
        let mut write = self.inner.write.lock().await;
        write
            .write_all(line.as_bytes())
            .await
            .map_err(|_| closed())?;
        drop(write);
        match receiver.await.map_err(|_| closed())? {
            Ok(value) => Ok(value),
            Err(error) => Err(QmpError::Refused {
                command: command.into(),
                class: error["class"].as_str().unwrap_or_default().into(),
                reason: error["desc"].as_str().unwrap_or_default().into(),
            }),
        }
    }
}

/// Takes a command that is given up on off the list.
struct Forget<'a>(&'a Pending, u64);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0
            .with(|pending| pending.as_mut().map(|waiting| waiting.remove(&self.1)));
    }
}

async fn read_all(
    mut read: BufReader<OwnedReadHalf>,
    pending: Arc<Pending>,
    events: mpsc::UnboundedSender<QmpEvent>,
) {
    let mut line = String::new();
    loop {
        line.clear();
        match read.read_line(&mut line).await {
            Ok(0) | Err(_) => break,
            Ok(_) => (),
        }
        let Ok(mut message) = serde_json::from_str::<Value>(&line) else {
            tracing::warn!(%line, "QMP message is not JSON");
            continue;
        };
        if let Some(name) = message["event"].as_str() {
            // Nobody listening is fine: commands are answered all the same.
            let _ = events.send(QmpEvent {
                name: name.into(),
                data: message["data"].take(),
                timestamp: message["timestamp"].take(),
            });
        } else if let Some(id) = message["id"].as_u64() {
            let sender =
                pending.with(|pending| pending.as_mut().and_then(|waiting| waiting.remove(&id)));
            let answer = if message["error"].is_null() {
                Ok(message["return"].take())
            } else {
                Err(message["error"].take())
            };
            if let Some(sender) = sender {
                let _ = sender.send(answer);
            }
        }
    }
    // Whoever waits still learns that nothing will come.
    pending.with(Option::take);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A QMP server that plays a script: each line of it is sent after one line was received.
    fn server(script: &'static [&'static str]) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().expect("socket pair");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let (read, mut write) = theirs.into_split();
            let greeting = r#"{"QMP":{"version":{"qemu":{"micro":22,"minor":2,"major":7},"package":"x"},"capabilities":["oob"]}}"#;
            write.write_all(format!("{greeting}\r\n").as_bytes()).await.expect("greet");
            let mut lines = BufReader::new(read).lines();
            let mut script = [r#"{"return":{},"id":1}"#].iter().chain(script);
            while let (Ok(Some(_)), Some(answer)) = (lines.next_line().await, script.next()) {
                write.write_all(format!("{answer}\r\n").as_bytes()).await.expect("answer");
            }
        });
        tasks.detach_all();
        ours
    }

    #[tokio::test]
    async fn typed_command_event_and_end() {
        let stream = server(&[concat!(
            r#"{"event":"RESET","data":{"guest":true,"reason":"guest-reset"},"timestamp":{"seconds":1,"microseconds":2}}"#,
            "\n",
            r#"{"event":"NEWER_THAN_THE_SCHEMA","timestamp":{"seconds":1,"microseconds":2}}"#,
            "\n",
            r#"{"return":{"status":"running","running":true,"singlestep":false},"id":2}"#
        )]);
        let (qmp, mut events) = Qmp::open(stream, Duration::from_secs(5))
            .await
            .expect("open");
        let status = qmp.run(commands::query_status {}).await.expect("status");
        assert!(status.running);
        let reset = events.next().await.expect("event");
        assert!(matches!(reset.typed(), Some(qmp::Event::RESET { data, .. }) if data.guest));
        let newer = events.next().await.expect("event");
        assert_eq!(newer.name, "NEWER_THAN_THE_SCHEMA");
        assert!(newer.typed().is_none());
        let error = qmp
            .run(commands::query_status {})
            .await
            .expect_err("closed");
        assert!(matches!(error, QmpError::Closed { .. }), "{error}");
        assert!(events.next().await.is_none());
    }

    #[tokio::test]
    async fn a_command_given_up_on_does_not_harm_the_next() {
        let stream = server(&[
            r#"{"event":"STOP","timestamp":{"seconds":1,"microseconds":2}}"#,
            concat!(r#"{"return":{},"id":2}"#, "\n", r#"{"return":7,"id":3}"#),
        ]);
        let (qmp, _events) = Qmp::open(stream, Duration::from_millis(100))
            .await
            .expect("open");
        let error = qmp
            .execute("stop", Value::Null)
            .await
            .expect_err("no answer");
        assert!(matches!(error, QmpError::Timeout { .. }), "{error}");
        assert_eq!(
            qmp.execute("x", Value::Null).await.expect("answer"),
            json!(7)
        );
    }

    #[tokio::test]
    async fn errors_in_words() {
        let stream = server(&[
            r#"{"error":{"class":"DeviceNotFound","desc":"Device 'net9' not found"},"id":2}"#,
            r#"{"return":7,"id":3}"#,
        ]);
        let (qmp, _events) = Qmp::open(stream, Duration::from_secs(5))
            .await
            .expect("open");
        let refused = qmp
            .qom_set("/machine/peripheral/net9", "bootindex", json!(1))
            .await;
        insta::assert_snapshot!(refused.expect_err("refused"), @"QMP command qom-set refused: Device 'net9' not found");
        let odd = qmp.run(commands::query_status {}).await;
        insta::assert_snapshot!(odd.expect_err("odd"), @"QMP command query-status: answer not understood");
    }
}
