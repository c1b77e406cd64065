//! Requests and answers of the control socket.

use crate::change::Changes;
use crate::forward::Forward;
use placemat_spec::event::{BootPhase, LabEvent, LabPhase};
use placemat_spec::power::PowerAction;
use serde::{Deserialize, Serialize};

/// What a client can ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Answer: [`Answer::Status`].
    Status,
    /// Run a command; the client's standard input, output and error come along as descriptors.
    /// Answers: [`Answer::Started`], then [`Answer::Exit`]. Meanwhile the client may send
    /// [`Signal`] lines; closing the socket kills the command.
    Exec {
        /// `node/N`, `router/N`, `boot-server/N`, `hub`, or a bare unique name.
        target: String,
        /// Program and arguments.
        argv: Vec<String>,
        /// Environment on top of the target's.
        env: Vec<(String, String)>,
        /// Standard input is a terminal.
        terminal: bool,
    },
    /// Attach to a serial console. Answer: [`Answer::Attached`]; then raw bytes both ways.
    Console {
        /// Server.
        target: String,
    },
    /// Make a picture of a server's screen. Answer: [`Answer::Screenshot`].
    Screenshot {
        /// Server.
        target: String,
    },
    /// Act on the power of something. Answer: [`Answer::Done`].
    Power {
        /// What.
        target: String,
        /// How.
        action: PowerAction,
    },
    /// Lead what comes in on a listening socket of the host's, which comes along as a descriptor,
    /// into the lab. Answer: [`Answer::Done`].
    ForwardAdd {
        /// Where it listens: `tcp:127.0.0.1:8080`.
        listen: String,
        /// Where that leads: `router/r1:80`.
        to: String,
    },
    /// Answer: [`Answer::Forwards`].
    ForwardList,
    /// End a forward. Answer: [`Answer::Done`].
    ForwardRemove {
        /// Where it listens.
        listen: String,
    },
    /// See what passes on links. Answer: [`Answer::Capturing`], with a packet socket for each; the
    /// lab closes the connection when it ends.
    Capture {
        /// `TARGET[:INTERFACE]` or `NETWORK`.
        what: String,
    },
    /// Connect to something inside the lab. Answer: [`Answer::Attached`]; then raw bytes both ways.
    Connect {
        /// `router/r1:80`, as forwards have it.
        to: String,
    },
    /// Stream events. Answers: [`Answer::Attached`], from which on none is missed, then
    /// [`Answer::Event`] until the client goes.
    Events,
    /// Tell what a [`Proposal`](super::Proposal) would change, which comes along as a descriptor. Answer:
    /// [`Answer::Plan`].
    Plan,
    /// Make of the lab what a [`Proposal`](super::Proposal) says, which comes along as a descriptor. Answers:
    /// [`Answer::Step`] as it goes on, then [`Answer::Applied`]. A client that goes away stops nothing.
    Apply,
    /// Shut the lab down. Answer: [`Answer::Done`] once everything is down.
    Down,
}

/// A signal for the command of an [`Request::Exec`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Signal number.
    pub signal: i32,
}

/// What the lab answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// It could not be done.
    Error {
        /// Whose matter it is.
        #[serde(default)]
        kind: ErrorKind,
        /// Why, in words.
        message: String,
    },
    /// It is done.
    Done,
    /// See [`Request::Status`].
    Status {
        /// The lab as it is.
        status: Status,
    },
    /// The command runs.
    Started,
    /// The command has ended.
    Exit {
        /// Exit code, or 128 + signal number.
        code: i32,
    },
    /// The console is attached; raw bytes follow.
    Attached,
    /// See [`Request::ForwardList`].
    Forwards {
        /// All of them.
        forwards: Vec<Forward>,
    },
    /// Packet sockets come along as descriptors.
    Capturing {
        /// A name for each.
        links: Vec<String>,
    },
    /// The picture is made.
    Screenshot {
        /// A PNG file in the lab's run directory, the client's to remove.
        file: String,
    },
    /// See [`Request::Plan`].
    Plan {
        /// All that differs.
        changes: Changes,
        /// What cannot be done live, with the lines that ask for it; empty where all can.
        refused: String,
    },
    /// Something was done, or could not be.
    Step {
        /// To what.
        object: String,
        /// In words.
        text: String,
        /// It was not done.
        failed: bool,
    },
    /// See [`Request::Apply`].
    Applied {
        /// What failed, in sentences.
        failures: Vec<String>,
    },
    /// Something happened.
    Event {
        /// What.
        event: LabEvent,
    },
}

/// Whose matter an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// What came is no request.
    BadRequest,
    /// No object of the lab is meant, or more than one.
    UnknownTarget,
    /// The object never does that: a mock runs no commands.
    Refused,
    /// It was tried, and did not work.
    #[default]
    Failed,
}

/// A lab as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Lab id.
    pub id: String,
    /// Lab name.
    pub name: String,
    /// Phase of its life.
    pub phase: LabPhase,
    /// Milliseconds since it began to start.
    pub uptime_ms: f64,
    /// Accelerator of its VMs, in words.
    pub accel: String,
    /// Everything with power, in file order.
    pub objects: Vec<ObjectStatus>,
}

/// One router, boot server or server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectStatus {
    /// `router/spine-1`.
    pub target: String,
    /// Tier of a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Whether it has power.
    pub power: bool,
    /// Boot phase of a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<BootPhase>,
    /// For how many milliseconds it has been in that phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase_ms: Option<f64>,
    /// Boots since the lab started.
    pub boots: u32,
    /// BMC address of a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bmc: Option<String>,
    /// What it booted, as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Why it did not start with the lab, and has had no power since; or what is wrong with programs
    /// of one that has power.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What other programs read and write: a change here breaks clients.
    #[test]
    #[expect(
        clippy::too_many_lines,
        reason = "every request and answer has its line"
    )]
    fn lines_of_the_socket() {
        let requests = [
            Request::Status,
            Request::Exec {
                target: "router/a".into(),
                argv: vec!["ip".into(), "a".into()],
                env: vec![("KEY".into(), "value".into())],
                terminal: false,
            },
            Request::Console {
                target: "node/b".into(),
            },
            Request::Power {
                target: "node/b".into(),
                action: PowerAction::PowerCycle,
            },
            Request::ForwardAdd {
                listen: "tcp:127.0.0.1:8080".into(),
                to: "router/a:80".into(),
            },
            Request::ForwardList,
            Request::ForwardRemove {
                listen: "tcp:127.0.0.1:8080".into(),
            },
            Request::Capture {
                what: "router/a:eth0".into(),
            },
            Request::Screenshot {
                target: "node/b".into(),
            },
            Request::Connect {
                to: "router/a:22".into(),
            },
            Request::Events,
            Request::Plan,
            Request::Apply,
            Request::Down,
        ];
        let answers = [
            Answer::Error {
                kind: ErrorKind::UnknownTarget,
                message: "no".into(),
            },
            Answer::Done,
            Answer::Started,
            Answer::Exit { code: 137 },
            Answer::Forwards {
                forwards: vec![Forward {
                    listen: "tcp:127.0.0.1:8080".into(),
                    to: "router/a:80".into(),
                    connections: 2,
                }],
            },
            Answer::Capturing {
                links: vec!["router/a:eth0".into()],
            },
            Answer::Attached,
            Answer::Plan {
                changes: Changes::default(),
                refused: "error[not-live]".into(),
            },
            Answer::Step {
                object: "router/a".into(),
                text: "made".into(),
                failed: false,
            },
            Answer::Applied {
                failures: vec!["router/b: no".into()],
            },
            Answer::Screenshot {
                file: "screens/b-0.png".into(),
            },
            Answer::Status {
                status: Status {
                    id: "abc123".into(),
                    name: "small".into(),
                    phase: LabPhase::Running,
                    uptime_ms: 12.5,
                    accel: "tcg (no KVM)".into(),
                    objects: vec![ObjectStatus {
                        target: "router/a".into(),
                        tier: None,
                        power: true,
                        phase: None,
                        phase_ms: None,
                        boots: 1,
                        bmc: None,
                        image: None,
                        problem: None,
                    }],
                },
            },
        ];
        let mut lines = Vec::new();
        for request in requests {
            let line = serde_json::to_string(&request).expect("JSON");
            assert_eq!(
                serde_json::from_str::<Request>(&line).expect("a request"),
                request
            );
            lines.push(line);
        }
        for answer in answers {
            let line = serde_json::to_string(&answer).expect("JSON");
            assert_eq!(
                serde_json::from_str::<Answer>(&line).expect("an answer"),
                answer
            );
            lines.push(line);
        }
        insta::assert_snapshot!(lines.join("\n"));
        let old = r#"{"answer":"error","message":"no"}"#;
        let kind = ErrorKind::Failed;
        let message = "no".into();
        assert_eq!(
            serde_json::from_str::<Answer>(old).expect("an answer without a kind"),
            Answer::Error { kind, message }
        );
    }
}
