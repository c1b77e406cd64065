//! From a menu to files: `kind: DataCenter`, or the input of Neco's placemat-menu. The only place that
//! writes what menus expand to, and reads what lies beside them.

use crate::exit::{self, Code, Failure};
use crate::{input, templates};
use anyhow::Context;
use placemat_menu::explain::ExplainError;
use placemat_menu::neco::{self, Beside, Expansion};
use placemat_menu::{File, Format, Output, Rendering, expand_as};
use placemat_spec::document::Dialect;
use placemat_spec::explain::Explanation;
use placemat_spec::{Problems, Source};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Whether a source is expanded, and not a cluster itself.
pub(crate) fn is_menu(source: &Source) -> bool {
    placemat_menu::is_rack_spec(source) || neco::is_menu(source)
}

/// What a menu expands to.
pub(crate) struct Expanded {
    /// Every file, `cluster.yml` first.
    pub(crate) files: Vec<File>,
    /// What may not be as it was meant.
    pub(crate) warnings: Problems,
    /// What a single failure takes, a line each.
    pub(crate) single_points: Vec<String>,
    /// By whose rules the cluster is read: Neco's is one of placemat v2.
    pub(crate) dialect: Dialect,
    /// What was looked at, in a few words.
    pub(crate) verified: String,
}

/// Expands a menu into what is to be written to `dir`, verified. `dialect` is for Neco's menus.
pub(crate) fn verified(menu: &Source, dir: &Path, dialect: Dialect) -> Result<Expanded, Failure> {
    if neco::is_menu(menu) {
        let Expansion { files, warnings } = of_neco(menu, dir, dialect)?;
        return Ok(Expanded {
            verified: format!("{} files, and a cluster that fits together", files.len()),
            files,
            warnings,
            single_points: Vec::new(),
            dialect: Dialect::V2,
        });
    }
    let output = data_center(menu, None, Vec::new())?;
    let report = placemat_menu::verify::verify(&output.plan, &output.files)?;
    Ok(Expanded {
        files: output.files,
        warnings: Problems::new(Vec::new(), Vec::new()),
        single_points: report.single_points,
        dialect: Dialect::Strict,
        verified: report.verified.clone(),
    })
}

/// Expands a menu into a folder; what was written, relative to it. `dialect` is for Neco's menus.
pub(crate) fn write(menu: &Source, dir: &Path, dialect: Dialect) -> Result<Vec<PathBuf>, Failure> {
    let files = if neco::is_menu(menu) {
        let expansion = of_neco(menu, dir, dialect)?;
        input::warn(&expansion.warnings);
        expansion.files
    } else {
        data_center(menu, None, Vec::new())?.files
    };
    put_all(&files, dir)
}

/// Expands a rack spec, with templates of `folder`, else of the folder that it names.
pub(crate) fn data_center(
    spec: &Source,
    folder: Option<&Path>,
    formats: Vec<Format>,
) -> Result<Output, Failure> {
    let templates = match folder {
        Some(folder) => templates::read(folder)?,
        None => templates::of(spec)?,
    };
    Ok(expand_as(spec, &Rendering { templates, formats })?)
}

fn of_neco(menu: &Source, dir: &Path, dialect: Dialect) -> Result<Expansion, Failure> {
    let out = std::path::absolute(dir).context("find the current directory")?;
    Ok(neco::expand(menu, &Disk, &out, dialect)?)
}

/// Says where values of what a menu of Neco's expands to come from, as if it were written to the
/// current directory.
pub(crate) fn explain_neco(menu: &Source, name: &str) -> Result<Explanation, ExplainError> {
    let out = std::path::absolute(".").unwrap_or_default();
    neco::explain::explain(menu, &Disk, &out, name)
}

/// Writes files to a folder; their paths, relative to it.
pub(crate) fn put_all(files: &[File], dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    // Files of one folder follow each other.
    let mut there = PathBuf::new();
    for file in files {
        let path = dir.join(&file.path);
        if let Some(folder) = path.parent().filter(|folder| *folder != there) {
            fs::create_dir_all(folder)
                .with_context(|| format!("create {}", folder.display()))
                .code(exit::HOST)?;
            folder.clone_into(&mut there);
        }
        put(file, &path)
            .with_context(|| format!("write {}", path.display()))
            .code(exit::HOST)?;
    }
    Ok(files.iter().map(|file| file.path.clone()).collect())
}

fn put(file: &File, path: &Path) -> std::io::Result<()> {
    let mut written = fs::File::create(path)?;
    written.write_all(file.contents.as_bytes())?;
    // What was there before keeps its mode otherwise.
    written.set_permissions(fs::Permissions::from_mode(file.mode))
}

/// The files beside a menu.
struct Disk;

impl Beside for Disk {
    fn text(&self, path: &Path) -> Result<String, String> {
        let file = fs::File::open(path).map_err(|error| input::words(&error))?;
        input::bounded(file).map_err(|unread| format!("it {unread}"))
    }
}
