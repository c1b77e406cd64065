//! `placemat menu`.

use crate::exit::{self, Failure};
use crate::{input, talk};
use std::path::PathBuf;

/// Arguments of `menu`.
#[derive(Debug, clap::Args)]
pub(super) struct Menu {
    /// Rack spec (`kind: DataCenter`); `-` is standard input.
    file: PathBuf,
    /// Folder to write to; created when it is not there.
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
}

impl Menu {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let spec = input::source(&self.file)?;
        let written = input::write_expansion(&spec, &self.output)?;
        talk::say(&format!(
            "wrote {} files to {}",
            written.len(),
            self.output.display()
        ));
        Ok(exit::OK)
    }
}
