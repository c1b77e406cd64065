//! `placemat menu`.

use super::check;
use crate::exit::{self, Failure};
use crate::{input, talk};
use placemat_menu::verify::verify;
use std::path::PathBuf;

/// Arguments of `menu`.
#[derive(Debug, clap::Args)]
pub(super) struct Menu {
    /// Rack spec (`kind: DataCenter`); `-` is standard input.
    file: PathBuf,
    /// Folder to write to; created when it is not there.
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// Write nothing: verify what would be written, and list its single points of failure.
    #[arg(long, conflicts_with = "output")]
    check: bool,
}

impl Menu {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let spec = input::source(&self.file)?;
        if self.check {
            let output = placemat_menu::expand(&spec)?;
            let report = verify(&output.plan, &output.files)?;
            talk::say(&format!("ok: {}", report.verified));
            check::say_single_points(&report.single_points);
            return Ok(exit::OK);
        }
        let written = input::write_expansion(&spec, &self.output)?;
        talk::say(&format!(
            "wrote {} files to {}",
            written.len(),
            self.output.display()
        ));
        Ok(exit::OK)
    }
}
