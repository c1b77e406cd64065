//! `placemat ssh`: the user's own ssh, led into the lab by `placemat connect`.

use super::LabArg;
use crate::exit::{self, Code, Failure};
use anyhow::Context;
use placemat_lab::ssh::KEY_FILE;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Arguments of `ssh`.
#[derive(Debug, clap::Args)]
pub(super) struct Ssh {
    /// A target whose SSH server is meant, or `TARGET:ADDRESS`: one that is reached from the target's namespace.
    target: String,
    /// User to log in as.
    #[arg(short, long, default_value = "root")]
    login: String,
    /// Port of the SSH server.
    #[arg(short, long, default_value_t = 22)]
    port: u16,
    /// Key to log in with, as ssh takes it; default: the lab's own, which its boot servers hand out.
    #[arg(short, long, value_name = "FILE")]
    identity: Option<String>,
    #[command(flatten)]
    lab: LabArg,
    /// A command in the place of a shell.
    #[arg(last = true)]
    command: Vec<String>,
}

impl Ssh {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let entry = self.lab.find()?;
        let own = std::env::current_exe().context("find this program")?;
        let (own, to) = (
            own.to_string_lossy(),
            format!("{}:{}", self.target, self.port),
        );
        let words: [&str; 5] = [&own, "connect", "--lab", &entry.card.id, &to];
        let proxy: Vec<String> = words.into_iter().map(quoted).collect();
        let mut command = Command::new("ssh");
        // Machines of labs come and go: their host keys say nothing.
        for option in [
            format!("ProxyCommand={}", proxy.join(" ")),
            "StrictHostKeyChecking=no".into(),
            "UserKnownHostsFile=/dev/null".into(),
            "GlobalKnownHostsFile=/dev/null".into(),
            "LogLevel=ERROR".into(),
        ] {
            command.arg("-o").arg(option);
        }
        command.arg("-l").arg(&self.login);
        // The lab's own, which its boot servers hand out, is tried besides the user's own.
        let own = entry.run_dir.join(KEY_FILE);
        if let Some(key) = &self.identity {
            command.arg("-i").arg(key);
        } else if own.exists() {
            command.arg("-i").arg(own);
        }
        // Never looked up: the proxy gets there.
        command.arg("placemat").args(&self.command);
        // Comes back only when it could not be started.
        let error = command.exec();
        Err(error)
            .context("run ssh")
            .code(exit::HOST)
            .map_err(|failure| failure.hint("apt install openssh-client"))
    }
}

/// A word for the shell that ssh runs its proxy with; `%` is ssh's own.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''").replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_survive_the_shell_and_ssh() {
        assert_eq!(super::quoted("node/a:22"), "'node/a:22'");
        assert_eq!(super::quoted("it's 100%"), "'it'\\''s 100%%'");
    }
}
