//! `placemat2`: `placemat up` in the foreground, with the flags, defaults and leniency of placemat v2.

use crate::api::ListenAddr;
use crate::command::up::{Up, V2};
use crate::exit::{self, Failure};
use crate::log::LogArgs;
use crate::{place, talk};
use anyhow::anyhow;
use clap::ArgAction;
use std::path::{Path, PathBuf};

/// Where root's volumes go.
const DATA_DIR: &str = "/var/scratch/placemat";
/// In the home of whoever called sudo, if the cache is not somewhere else.
const SUDO_CACHE: &str = "placemat_data";

/// Runs the data center that YAML files of placemat v2 describe, until it gets a signal.
///
/// This is placemat under the name of placemat v2's program, with its flags. docs/from-placemat2.md
/// tells what is different.
#[derive(Debug, clap::Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[command(name = "placemat2", version, after_help = AFTER)]
pub(crate) struct Placemat2 {
    /// Cluster files. Paths in all of them begin at the folder of the first.
    #[arg(required = true, value_name = "YAML")]
    files: Vec<PathBuf>,
    /// Folder for the sockets of serial consoles, NODE.socket; it must be there.
    #[arg(long, value_name = "DIR", default_value = "/tmp")]
    run_dir: PathBuf,
    /// Folder that keeps downloaded images [default: the data directory; under sudo,
    /// `placemat_data` in the caller's home].
    #[arg(
        long,
        value_name = "DIR",
        default_value = "",
        hide_default_value = true
    )]
    cache_dir: String,
    /// Folder of volumes and NVRAM, in a folder for each lab [default: /var/scratch/placemat for
    /// root, else where `placemat up` has it].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where to serve the HTTP API.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:10808")]
    listen_addr: ListenAddr,
    /// Give every server a screen: `placemat screenshot`, or VNC.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", hide_default_value = true, action = ArgAction::Set)]
    graphic: bool,
    /// Log everything.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", hide_default_value = true, action = ArgAction::Set)]
    debug: bool,
    /// Accepted; a lab leaves nothing that would have to be cleared away.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", hide_default_value = true, action = ArgAction::Set)]
    force: bool,
    /// Put the ranges of external and BMC networks on this host, as v2 always did. Only root can.
    #[arg(long)]
    attach_host: bool,
    #[command(flatten)]
    log: LogArgs,
}

const AFTER: &str = "A stop by a signal is exit code 0; others are those of `placemat --help`. \
`placemat ls`, `status`, `exec`, ... see this lab as any other.";

impl Placemat2 {
    pub(super) fn run(self) -> Result<u8, Failure> {
        self.log.start(self.debug)?;
        if self.force {
            talk::say("note: --force does nothing: nothing of an earlier run is ever in the way");
        }
        let data_dir = self.data_dir();
        let cache_dir = self.cache_dir(data_dir.as_deref())?;
        let sockets = std::path::absolute(&self.run_dir).unwrap_or(self.run_dir);
        Up {
            files: self.files,
            detach: false,
            name: None,
            attach_host: self.attach_host,
            cache: place::CacheArg { cache_dir },
            listen_addr: Some(self.listen_addr),
            v2: Some(V2 {
                data_dir,
                sockets,
                graphic: self.graphic,
                log_events: self.log.wants_events(),
            }),
        }
        .run()
    }

    /// v2 was always root, for whom there was one place.
    fn data_dir(&self) -> Option<PathBuf> {
        let of_root = || place::is_root().then(|| DATA_DIR.into());
        let dir = self.data_dir.clone().or_else(of_root)?;
        Some(std::path::absolute(&dir).unwrap_or(dir))
    }

    fn cache_dir(&self, data_dir: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
        if !self.cache_dir.is_empty() {
            return Ok(Some(self.cache_dir.clone().into()));
        }
        match std::env::var("SUDO_USER") {
            Ok(user) if !user.is_empty() => {
                let home = placemat_host::process::home_of(&user).ok_or_else(|| {
                    let error = anyhow!("SUDO_USER is `{user}`, who is no user of this host");
                    Failure::new(exit::HOST, error).hint("--cache-dir names the cache")
                })?;
                Ok(Some(home.join(SUDO_CACHE)))
            }
            _ => Ok(data_dir.map(Path::to_owned)),
        }
    }
}
