//! `pmctl2 node`.

use super::endpoint::Endpoint;
use crate::command::console::{self, Escape};
use crate::exit::{self, Failure};
use crate::talk;
use anyhow::anyhow;
use placemat_lab::control::v2::NodeStatus;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Node {
    /// List servers.
    List {
        /// As JSON, with all that is known of each.
        #[arg(long)]
        json: bool,
    },
    /// Show a server, as JSON.
    Show {
        /// The server.
        node: String,
    },
    /// Attach to the serial console of a server; Ctrl-q Ctrl-x ends it.
    Enter {
        /// The server.
        node: String,
    },
    /// Act on the power of a server.
    Action {
        /// What to do.
        action: Action,
        /// The server.
        node: String,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Action {
    /// Power on; nothing, where it is on.
    Start,
    /// Power off at once, as if the plug were pulled.
    Stop,
    /// Reset; where it is off, power on.
    Restart,
}

impl Node {
    pub(super) fn run(self, endpoint: &Endpoint) -> Result<u8, Failure> {
        match self {
            Self::List { json } => {
                let answer = endpoint.get("/nodes")?;
                let nodes: Vec<NodeStatus> = answer.read()?;
                if json {
                    talk::json(&nodes)?;
                } else {
                    let names = nodes.into_iter().map(|it| it.name + "\n");
                    talk::data(&names.collect::<String>())?;
                }
            }
            Self::Show { node } => {
                let answer = endpoint.get(&format!("/nodes/{}", word(&node)?))?;
                let node: NodeStatus = answer.read()?;
                talk::json(&node)?;
            }
            Self::Enter { node } => {
                endpoint.get(&format!("/nodes/{}", word(&node)?))?;
                let run_dir = endpoint.run_dir()?;
                return console::attach(&run_dir, format!("node/{node}"), Escape::Picocom);
            }
            Self::Action { action, node } => {
                let action = match action {
                    Action::Start => "start",
                    Action::Stop => "stop",
                    Action::Restart => "restart",
                };
                endpoint.post(&format!("/nodes/{}/{action}", word(&node)?))?;
            }
        }
        Ok(exit::OK)
    }
}

/// A name of a node, which stands in a path as it is.
fn word(node: &str) -> Result<&str, Failure> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if node.is_empty() || !node.bytes().all(fine) {
        return Err(Failure::new(exit::USAGE, anyhow!("no node `{node}`")));
    }
    Ok(node)
}
