//! `placemat ls`.

use crate::exit::{self, Failure};

/// Arguments of `ls`.
#[derive(Debug, clap::Args)]
pub(super) struct Ls {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

impl Ls {
    #[expect(clippy::print_stdout, reason = "the list is this verb's data")]
    pub(super) fn run(self) -> Result<u8, Failure> {
        let labs = crate::place::registry().live();
        if self.json {
            for lab in labs {
                let text = serde_json::json!({"lab": lab.card, "run_dir": lab.run_dir});
                println!("{text}");
            }
            return Ok(exit::OK);
        }
        if labs.is_empty() {
            crate::input::say("no lab is running");
            return Ok(exit::OK);
        }
        println!("{:<8} {:<20} {:<30} RUN DIRECTORY", "ID", "NAME", "STARTED");
        for lab in labs {
            let card = lab.card;
            println!(
                "{:<8} {:<20} {:<30} {}",
                card.id,
                card.name,
                card.started,
                lab.run_dir.display()
            );
        }
        Ok(exit::OK)
    }
}
