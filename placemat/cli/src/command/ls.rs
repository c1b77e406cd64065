//! `placemat ls`.

use crate::exit::{self, Failure};
use crate::talk;
use std::fmt::Write;

/// Arguments of `ls`.
#[derive(Debug, clap::Args)]
pub(super) struct Ls {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

impl Ls {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let labs = crate::place::registry().live();
        if labs.is_empty() && !self.json {
            talk::say("no lab is running");
            return Ok(exit::OK);
        }
        let mut text = String::new();
        if !self.json {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{:<8} {:<20} {:<30} RUN DIRECTORY",
                "ID", "NAME", "STARTED"
            );
        }
        for lab in labs {
            let (card, run_dir) = (lab.card, lab.run_dir);
            let _ = if self.json {
                writeln!(
                    text,
                    "{}",
                    serde_json::json!({"lab": card, "run_dir": run_dir})
                )
            } else {
                let dir = run_dir.display();
                writeln!(
                    text,
                    "{:<8} {:<20} {:<30} {dir}",
                    card.id, card.name, card.started
                )
            };
        }
        talk::data(&text)?;
        Ok(exit::OK)
    }
}
