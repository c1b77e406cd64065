//! `placemat completion` and `placemat man`.

use super::Cli;
use crate::exit::{self, Code, Failure};
use crate::talk;
use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::{Path, PathBuf};

/// Arguments of `completion`.
#[derive(Debug, clap::Args)]
pub(super) struct Completion {
    /// The shell that is to complete.
    shell: Shell,
}

impl Completion {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "placemat", &mut script);
        talk::data(&String::from_utf8_lossy(&script))?;
        Ok(exit::OK)
    }
}

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// Folder for a page of every verb; without it placemat(1) goes to stdout.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let mut whole = Cli::command();
        whole.build();
        let Some(dir) = self.output else {
            talk::data(&page(&whole)?)?;
            return Ok(exit::OK);
        };
        std::fs::create_dir_all(&dir)
            .with_context(|| format!("create {}", dir.display()))
            .code(exit::HOST)?;
        let count = write(&whole, &dir)?;
        talk::say(&format!("wrote {count} pages to {}", dir.display()));
        Ok(exit::OK)
    }
}

/// Writes the page of a command and of all below it; how many.
fn write(command: &clap::Command, dir: &Path) -> Result<usize, Failure> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let path = dir.join(format!("{name}.1"));
    std::fs::write(&path, page(command)?)
        .with_context(|| format!("write {}", path.display()))
        .code(exit::HOST)?;
    let shown = command
        .get_subcommands()
        .filter(|it| !it.is_hide_set() && it.get_name() != "help");
    shown
        .map(|it| write(it, dir))
        .sum::<Result<usize, _>>()
        .map(|below| below + 1)
}

fn page(command: &clap::Command) -> Result<String, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut text)
        .context("write a page")?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
