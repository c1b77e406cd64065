//! `placemat ls`.

use crate::exit;

/// Arguments of `ls`.
#[derive(Debug, clap::Args)]
pub(super) struct Ls {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

impl Ls {
    #[expect(clippy::print_stdout, reason = "the list is this verb's data")]
    pub(super) fn run(self) -> u8 {
        let labs = crate::place::registry().live();
        if self.json {
            for lab in labs {
                let text = serde_json::json!({"lab": lab.card, "run_dir": lab.run_dir});
                println!("{text}");
            }
            return exit::OK;
        }
        if labs.is_empty() {
            crate::input::say("no lab is running");
            return exit::OK;
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
        exit::OK
    }
}
