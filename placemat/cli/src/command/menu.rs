//! `placemat menu`.

mod compare;
mod folder;

use super::check;
use crate::exit::{self, Failure};
use crate::table::Table;
use crate::{expansion, input, talk, templates};
use anyhow::{Context, anyhow};
use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser};
use placemat_menu::addresses::{Row, addresses};
use placemat_menu::verify::verify_output;
use placemat_menu::{FORMATS, built_in_templates, neco};
use placemat_spec::Source;
use placemat_spec::document::Dialect;
use std::path::{Path, PathBuf};

/// Arguments of `menu`.
#[expect(
    clippy::struct_excessive_bools,
    clippy::option_option,
    reason = "each is a flag of the command line; one takes a value where it has one"
)]
#[derive(Debug, clap::Args)]
pub(super) struct Menu {
    /// Rack spec (`kind: DataCenter`), or the menu of Neco's placemat-menu; `-` is standard input.
    #[arg(required_unless_present_any = ["list_templates", "print_template"])]
    file: Option<PathBuf>,
    /// Folder to write to; created when it is not there.
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// Write nothing: verify what would be written, and list its single points of failure.
    #[arg(long)]
    check: bool,
    /// Write nothing: print every prefix, address, ASN, MAC and serial of the plan.
    #[arg(long, conflicts_with_all = ["output", "check"])]
    addresses: bool,
    /// Also write another format of the same plan (ansible, containerlab, dot, sabakan; several times if you like).
    /// With `--addresses`: how they are printed.
    #[arg(long, value_name = "NAME", value_parser = formats())]
    format: Vec<String>,
    /// Folder of templates (`NAME.j2`) that take the place of built-in ones; counts instead of
    /// `templates` in the rack spec.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Write nothing: print what differs from what another rack spec expands to, or from a folder of
    /// files; by default from the output folder.
    #[arg(long, value_name = "OLD", num_args = 0..=1, conflicts_with = "check")]
    diff: Option<Option<PathBuf>>,
    /// Exit with 1 where something differs.
    #[arg(long, requires = "diff")]
    exit_code: bool,
    /// Print the names of the built-in templates.
    #[arg(long, exclusive = true)]
    list_templates: bool,
    /// Print a built-in template.
    #[arg(long, value_name = "NAME", exclusive = true)]
    print_template: Option<String>,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new({
        let printed = Format::value_variants()
            .iter()
            .filter_map(ValueEnum::to_possible_value);
        let written = FORMATS
            .iter()
            .map(|format| PossibleValue::new(format.name).help(format.about));
        written.chain(printed)
    })
}

impl Menu {
    pub(super) fn run(self) -> Result<u8, Failure> {
        if self.list_templates {
            let names = built_in_templates().map(|(name, _)| format!("{name}\n"));
            talk::data(&names.collect::<String>())?;
            return Ok(exit::OK);
        }
        if let Some(name) = &self.print_template {
            talk::data(templates::built_in(name)?)?;
            return Ok(exit::OK);
        }
        // Without one of the two above, clap has asked for it.
        let spec = input::source(self.file.as_deref().unwrap_or("".as_ref()))?;
        if neco::is_menu(&spec) {
            return self.of_neco(&spec);
        }
        if self.addresses {
            let rows = addresses(&placemat_menu::plan(&spec)?);
            talk::data(&printed(&rows, printing(&self.format)?)?)?;
            return Ok(exit::OK);
        }
        for name in &self.format {
            if Format::from_str(name, false).is_ok() {
                let error = anyhow!("`--format {name}` is for `--addresses`");
                return Err(Failure::new(exit::USAGE, error));
            }
        }
        let wanted = FORMATS
            .iter()
            .filter(|it| self.format.iter().any(|name| name == it.name));
        let folder = self.templates.as_deref();
        let expand =
            |spec: &Source| expansion::data_center(spec, folder, wanted.clone().copied().collect());
        let output = expand(&spec)?;
        if self.check {
            let report = verify_output(&output)?;
            talk::say(&format!("ok: {}", report.verified));
            check::say_single_points(&report.single_points);
            return Ok(exit::OK);
        }
        if let Some(old) = self.diff {
            let old = old.unwrap_or(self.output);
            let differs = compare::run(&old, &output.files, expand)?;
            return Ok(u8::from(differs && self.exit_code));
        }
        expansion::spare(&spec, &[], &output.files, &self.output)?;
        let before = folder::Before::of(&output.files, &self.output);
        expansion::put_all(&output.files, &self.output)?;
        say_written(output.files.len(), &self.output);
        before.say_left(&output.files, &self.output)?;
        Ok(exit::OK)
    }

    /// The input of Neco's placemat-menu becomes the files that it became there, and nothing else.
    fn of_neco(&self, menu: &Source) -> Result<u8, Failure> {
        let asked = [
            ("--addresses", self.addresses),
            ("--format", !self.format.is_empty()),
            ("--templates", self.templates.is_some()),
            ("--diff", self.diff.is_some()),
        ];
        if let Some((flag, _)) = asked.iter().find(|(_, asked)| *asked) {
            let error = anyhow!("`{flag}` is for rack specs (`kind: DataCenter`)");
            return Err(Failure::new(exit::USAGE, error)
                .hint(format!("{} is a menu of Neco's placemat-menu", menu.name)));
        }
        if self.check {
            let expanded = expansion::verified(menu, &self.output, Dialect::Strict)?;
            input::warn(&expanded.warnings);
            talk::say(&format!("ok: {}", expanded.verified));
            check::say_single_points(&expanded.single_points);
            return Ok(exit::OK);
        }
        let written = expansion::write(menu, &self.output, Dialect::Strict)?;
        say_written(written, &self.output);
        Ok(exit::OK)
    }
}

fn say_written(count: usize, dir: &Path) {
    talk::say(&format!("wrote {count} files to {}", dir.display()));
}

/// How addresses are printed: as was asked last, or as a table.
fn printing(asked: &[String]) -> Result<Format, Failure> {
    let Some(name) = asked.last() else {
        return Ok(Format::Table);
    };
    Format::from_str(name, false).map_err(|_| {
        let error = anyhow!("addresses are not printed as {name}");
        Failure::new(exit::USAGE, error).hint("`--format` of `--addresses` is table, json or csv")
    })
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
