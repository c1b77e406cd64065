//! The verbs, one file each.

mod apply;
mod capture;
mod check;
mod completion;
mod connect;
pub(crate) mod console;
mod doctor;
mod down;
mod events;
mod exec;
mod explain;
pub(crate) mod forward;
mod graph;
mod image;
mod install_links;
mod logs;
mod ls;
mod menu;
mod plan;
mod power;
mod prune;
mod schema;
mod screenshot;
mod shell;
mod ssh;
mod status;
mod test;
pub(crate) mod up;

use crate::exit::Failure;
use clap::{Parser, Subcommand};

/// Turns declarative YAML of networks, BIRD routers and UEFI servers into a live virtual data
/// center on this machine, without root and without a trace left behind, and tests it.
///
/// A first walk: `placemat menu menu/examples/small.yml -o out`, `placemat up out/cluster.yml`,
/// and in another terminal `placemat status`, `placemat exec router/spine-1 -- birdc -s
/// /run/bird/bird.ctl show protocols`. `placemat test scenarios/demo` breaks things and reports.
#[derive(Debug, Parser)]
#[command(
    name = "placemat",
    version,
    propagate_version = true,
    infer_subcommands = false
)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Say more on stderr: -v what is done, -vv every event. `PLACEMAT_LOG` takes filters.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 internal error, 2 usage, 3 bad specification or scenario, \
4 host not ready or run inconclusive, 5 lab failed, 6 scenario failed, 130/143 interrupted";

#[derive(Debug, Subcommand)]
enum Command {
    /// Check cluster files or a rack spec, and start nothing.
    Check(check::Check),
    /// Show what would be made of cluster files or a rack spec, and what that takes of this host.
    Plan(plan::Plan),
    /// Draw what is plugged into what, of cluster files, a rack spec or a running lab.
    Graph(graph::Graph),
    /// Say where every value of a machine, network or feed comes from, of cluster files or a rack spec.
    Explain(explain::Explain),
    /// Change a running lab to what other files say, after showing what that disturbs.
    Apply(apply::Apply),
    /// Bring a data center up and keep it until Ctrl-C, `down`, or the end of this process.
    Up(up::Up),
    /// Take a data center down.
    Down(down::Down),
    /// List the labs that are running.
    Ls(ls::Ls),
    /// Show routers, boot servers and servers of a running lab.
    Status(status::Status),
    /// Show what has happened in a running lab, and with -f what happens.
    Events(events::Events),
    /// Run a command in a router, boot server, server or the hub.
    Exec(exec::Exec),
    /// Lead ports of the host into a running lab.
    Forward(forward::Forward),
    /// See what passes on a link, as wireshark and tcpdump read it.
    Capture(capture::Capture),
    /// Open a shell in a router, boot server, server of tier netns or the hub.
    Shell(shell::Shell),
    /// Log in to a server with your own ssh, without a route to it.
    Ssh(ssh::Ssh),
    /// Lead standard input and output to a port inside the lab, as ssh's ProxyCommand wants it.
    Connect(connect::Connect),
    /// Attach to the serial console of a server.
    Console(console::Console),
    /// Make a picture of the screen of a server that has one (`video: true`).
    Screenshot(screenshot::Screenshot),
    /// Show what programs and consoles of a running lab say, and follow it.
    Logs(logs::Logs),
    /// Switch the power of a server, router or boot server.
    Power(power::Power),
    /// Run scenarios against a data center of their own.
    Test(test::Test),
    /// Expand a rack spec into a cluster file, router and boot-server configuration.
    Menu(menu::Menu),
    /// List, fetch and remove the disk images in the cache.
    Image(image::ImageVerb),
    /// Make links by which this program is placemat v2's: placemat2, pmctl2, placemat-menu.
    InstallLinks(install_links::InstallLinks),
    /// Print the JSON Schema of cluster files, rack specs or scenarios, for editors.
    Schema(schema::Schema),
    /// Print the completion script of a shell.
    Completion(completion::Completion),
    /// Print the manual page, or write the pages of all verbs.
    Man(completion::Man),
    /// Tell what this host can do, and how to make it do more.
    Doctor(doctor::Doctor),
    /// Remove what dead labs left: run directories, with --data their disks too.
    Prune(prune::Prune),
}

/// Which lab a verb means.
#[derive(Debug, clap::Args)]
pub(crate) struct LabArg {
    /// Lab, by id or name; needed when more than one is running.
    #[arg(long, value_name = "ID|NAME", env = "PLACEMAT_LAB")]
    lab: Option<String>,
}

impl LabArg {
    /// The lab's entry in the registry.
    pub(crate) fn find(&self) -> Result<placemat_lab::registry::Entry, Failure> {
        find_lab(self.lab.as_deref())
    }
}

/// The lab with this id or name; without one, the only live lab.
fn find_lab(wanted: Option<&str>) -> Result<placemat_lab::registry::Entry, Failure> {
    crate::place::registry().find(wanted).map_err(|error| {
        Failure::new(crate::exit::USAGE, error).hint("`placemat ls` lists running labs")
    })
}

impl Cli {
    /// Sends the log to stderr, as the flags ask.
    pub(crate) fn start_log(&self) {
        use tracing_subscriber::EnvFilter;
        let level = match self.verbose {
            0 => "warn",
            1 => "info",
            _ => "debug",
        };
        let filter = std::env::var("PLACEMAT_LOG").unwrap_or_else(|_| format!("warn,placemat={level},placemat_lab={level},placemat_host={level},placemat_bmc={level},placemat_scenario={level}"));
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(filter))
            .with_writer(std::io::stderr)
            .with_ansi(crate::color::wanted())
            .with_target(false)
            .init();
    }

    /// Runs the verb and gives the exit code.
    pub(crate) fn run(self) -> Result<u8, Failure> {
        match self.command {
            Command::Check(verb) => verb.run(),
            Command::Plan(verb) => verb.run(),
            Command::Graph(verb) => verb.run(),
            Command::Explain(verb) => verb.run(),
            Command::Apply(verb) => verb.run(),
            Command::Up(verb) => verb.run(),
            Command::Down(verb) => verb.run(),
            Command::Ls(verb) => verb.run(),
            Command::Status(verb) => verb.run(),
            Command::Exec(verb) => verb.run(),
            Command::Forward(verb) => verb.run(),
            Command::Capture(verb) => verb.run(),
            Command::Shell(verb) => verb.run(),
            Command::Ssh(verb) => verb.run(),
            Command::Connect(verb) => verb.run(),
            Command::Events(verb) => verb.run(),
            Command::Completion(verb) => verb.run(),
            Command::Man(verb) => verb.run(),
            Command::Console(verb) => verb.run(),
            Command::Screenshot(verb) => verb.run(),
            Command::Logs(verb) => verb.run(),
            Command::Power(verb) => verb.run(),
            Command::Test(verb) => verb.run(),
            Command::Menu(verb) => verb.run(),
            Command::Image(verb) => verb.run(),
            Command::InstallLinks(verb) => verb.run(),
            Command::Schema(verb) => verb.run(),
            Command::Doctor(verb) => verb.run(),
            Command::Prune(verb) => verb.run(),
        }
    }
}
