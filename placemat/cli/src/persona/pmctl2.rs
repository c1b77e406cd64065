//! `pmctl2`: placemat v2's client, over the HTTP API; consoles and forwards over the control socket of
//! the lab that answers there.

mod endpoint;
mod forward;
mod node;

use crate::exit::{self, Failure};
use crate::talk;
use anyhow::anyhow;
use clap::CommandFactory;
use endpoint::Endpoint;

/// Controls a data center that runs under `placemat2`, or under `placemat up --listen-addr`.
///
/// This is placemat under the name of placemat v2's client, with its flags and commands.
/// docs/from-placemat2.md tells what is different.
#[derive(Debug, clap::Parser)]
#[command(name = "pmctl2", version)]
pub(crate) struct Pmctl2 {
    /// Where the HTTP API is.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "http://localhost:10808"
    )]
    endpoint: Endpoint,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Servers: list, show, console, power.
    #[command(subcommand)]
    Node(node::Node),
    /// Ports of the host that lead into the lab.
    #[command(subcommand)]
    Forward(forward::Forward),
    /// Print a script for a shell, by which it completes this program's commands.
    Completion {
        /// The shell.
        shell: Shell,
    },
    /// Placemat v1's.
    #[command(hide = true)]
    Pod(Gone),
    /// Placemat v1's.
    #[command(hide = true)]
    Net(Gone),
    /// Placemat v1's.
    #[command(hide = true)]
    Snapshot(Gone),
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

/// A command that placemat v1 had and v2 has not.
#[derive(Debug, clap::Args)]
struct Gone {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

impl Gone {
    fn refuse(&self, command: &str, instead: &str) -> Failure {
        let given = [&[command.to_owned()], &self.rest[..]].concat().join(" ");
        let error = anyhow!("`pmctl2 {given}`: `{command}` was placemat v1's");
        Failure::new(exit::USAGE, error).hint(instead)
    }
}

impl Pmctl2 {
    pub(super) fn run(self) -> Result<u8, Failure> {
        match self.command {
            Command::Node(node) => node.run(&self.endpoint),
            Command::Forward(forward) => forward.run(&self.endpoint),
            Command::Completion { shell } => completion(shell),
            Command::Pod(gone) => Err(gone.refuse(
                "pod",
                "`placemat status` lists routers; `placemat exec router/NAME -- COMMAND` runs a command in one",
            )),
            Command::Net(gone) => Err(gone.refuse(
                "net",
                "`impair` in the file gives a link delay and loss; scenarios (`placemat test`) cut links and heal them",
            )),
            Command::Snapshot(gone) => Err(gone.refuse(
                "snapshot",
                "disks stay in the data directory from one run to the next; there is no saving of running servers",
            )),
        }
    }
}

fn completion(shell: Shell) -> Result<u8, Failure> {
    use clap_complete::Shell as Known;
    let shell = match shell {
        Shell::Bash => Known::Bash,
        Shell::Zsh => Known::Zsh,
        Shell::Fish => Known::Fish,
        Shell::Powershell => Known::PowerShell,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Pmctl2::command(), "pmctl2", &mut script);
    talk::data(&String::from_utf8_lossy(&script))?;
    Ok(exit::OK)
}
