//! `placemat menu`.

use super::check;
use crate::exit::{self, Failure};
use crate::table::Table;
use crate::{input, talk};
use anyhow::Context;
use placemat_menu::addresses::{Row, addresses};
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
    /// Write nothing: print every prefix, address, ASN, MAC and serial of the plan.
    #[arg(long, conflicts_with_all = ["output", "check"])]
    addresses: bool,
    /// How addresses are printed.
    #[arg(long, value_enum, default_value_t = Format::Table, requires = "addresses")]
    format: Format,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Columns, for people.
    Table,
    /// A list of objects.
    Json,
    /// Comma-separated, with a heading.
    Csv,
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
        if self.addresses {
            talk::data(&printed(
                &addresses(&placemat_menu::plan(&spec)?),
                self.format,
            )?)?;
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

fn printed(rows: &[Row], format: Format) -> Result<String, Failure> {
    Ok(match format {
        Format::Table => {
            let heading = Row::COLUMNS.map(str::to_uppercase);
            let mut table = Table::new(&heading.each_ref().map(String::as_str));
            for row in rows {
                table.row(row.cells());
            }
            table.text()
        }
        Format::Json => serde_json::to_string_pretty(rows).context("write JSON")? + "\n",
        Format::Csv => {
            let lines = rows.iter().map(|row| row.cells().join(",") + "\n");
            Row::COLUMNS.join(",") + "\n" + &lines.collect::<String>()
        }
    })
}
