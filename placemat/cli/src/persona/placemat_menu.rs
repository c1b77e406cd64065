//! `placemat-menu`: `placemat menu` with the flags of Neco's generator.

use crate::exit::{self, Failure};
use crate::{expansion, input, talk};
use placemat_spec::document::Dialect;
use std::path::PathBuf;

/// Expands Neco's menu into the files of a data center.
///
/// This is `placemat menu` under the name of Neco's generator, with its flags. Rack specs (`kind: DataCenter`)
/// are expanded too. Keys that mean nothing are warnings, as the generator passed over them.
#[derive(Debug, clap::Parser)]
#[command(name = "placemat-menu", version)]
pub(crate) struct PlacematMenu {
    /// The menu; files that it names lie beside it.
    #[arg(short, value_name = "FILE")]
    file: PathBuf,
    /// Folder to write to; created when it is not there.
    #[arg(short, value_name = "DIR", default_value = ".")]
    output: PathBuf,
}

impl PlacematMenu {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let menu = input::source(&self.file)?;
        let count = expansion::write(&menu, &self.output, Dialect::V2)?;
        let dir = self.output.display();
        talk::say(&format!("wrote {count} files to {dir}"));
        Ok(exit::OK)
    }
}
