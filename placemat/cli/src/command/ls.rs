//! `placemat ls`.

use crate::exit::{self, Failure};
use crate::table::Table;
use crate::talk;
use jiff::Timestamp;

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
        let text = if self.json {
            let lines = labs.into_iter().map(|lab| {
                serde_json::json!({"lab": lab.card, "run_dir": lab.run_dir}).to_string() + "\n"
            });
            lines.collect()
        } else {
            let mut table = Table::new(&["ID", "NAME", "STARTED", "RUN DIRECTORY"]);
            for lab in labs {
                let (card, dir) = (lab.card, lab.run_dir.display().to_string());
                // Parts of a second tell a person nothing.
                let started: Result<Timestamp, _> = card.started.parse();
                let started = started.map_or(card.started, |it| format!("{it:.0}"));
                table.row([card.id, card.name, started, dir]);
            }
            table.text()
        };
        talk::data(&text)?;
        Ok(exit::OK)
    }
}
