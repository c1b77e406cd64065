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
use std::cell::RefCell;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::num::NonZero;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};

/// Fewer files than so many are not worth a thread.
const SHARE: usize = 1000;

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
        let Expansion { files, warnings } = of_neco(menu, &Disk::default(), dir, dialect)?;
        return Ok(Expanded {
            verified: format!("{} files, and a cluster that fits together", files.len()),
            files,
            warnings,
            single_points: Vec::new(),
            dialect: Dialect::V2,
        });
    }
    let output = data_center(menu, None, Vec::new())?;
    let report = placemat_menu::verify::verify_output(&output)?;
    Ok(Expanded {
        files: output.files,
        warnings: Problems::new(Vec::new(), Vec::new()),
        single_points: report.single_points,
        dialect: Dialect::Strict,
        verified: report.verified.clone(),
    })
}

/// Expands a menu into a folder; how many files that was. `dialect` is for Neco's menus.
pub(crate) fn write(menu: &Source, dir: &Path, dialect: Dialect) -> Result<usize, Failure> {
    let beside = Disk::default();
    let files = if neco::is_menu(menu) {
        let expansion = of_neco(menu, &beside, dir, dialect)?;
        input::warn(&expansion.warnings);
        expansion.files
    } else {
        data_center(menu, None, Vec::new())?.files
    };
    spare(menu, &beside.read.into_inner(), &files, dir)?;
    put_all(&files, dir)?;
    Ok(files.len())
}

/// Refuses to write over what a menu was read from: itself, and `beside` it.
pub(crate) fn spare(
    menu: &Source,
    beside: &[PathBuf],
    files: &[File],
    dir: &Path,
) -> Result<(), Failure> {
    let menu = Path::new(&menu.name);
    let inputs: Vec<PathBuf> = std::iter::once(menu)
        .chain(beside.iter().map(PathBuf::as_path))
        .filter_map(|input| fs::canonicalize(input).ok())
        .collect();
    for file in files {
        let name = file.path.file_name();
        if inputs.iter().all(|input| input.file_name() != name) {
            continue;
        }
        let path = dir.join(&file.path);
        if fs::canonicalize(&path).is_ok_and(|there| inputs.contains(&there)) {
            let error = anyhow::anyhow!(
                "{} would be written over, and the menu was read from it",
                path.display()
            );
            return Err(Failure::new(exit::USAGE, error)
                .hint("name another folder with `-o`; nothing was written"));
        }
    }
    Ok(())
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

fn of_neco(
    menu: &Source,
    beside: &Disk,
    dir: &Path,
    dialect: Dialect,
) -> Result<Expansion, Failure> {
    let out = std::path::absolute(dir).context("find the current directory")?;
    Ok(neco::expand(menu, beside, &out, dialect)?)
}

/// Says where values of what a menu of Neco's expands to come from, as if it were written to the
/// current directory.
pub(crate) fn explain_neco(menu: &Source, name: &str) -> Result<Explanation, ExplainError> {
    let out = std::path::absolute(".").unwrap_or_default();
    neco::explain::explain(menu, &Disk::default(), &out, name)
}

/// Writes files to a folder.
///
/// A data center of a thousand racks is tens of thousands of small files, and all that they cost is the
/// system's time: every processor takes its share.
pub(crate) fn put_all(files: &[File], dir: &Path) -> Result<(), Failure> {
    let shares = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let share = files.len().div_ceil(shares).max(SHARE);
        let threads = files
            .chunks(share)
            .map(|files| scope.spawn(|| put_share(files, dir)));
        let threads: Vec<_> = threads.collect();
        let mut joined = threads.into_iter().map(ScopedJoinHandle::join);
        joined.try_for_each(|put| put.unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

fn put_share(files: &[File], dir: &Path) -> Result<(), Failure> {
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
    Ok(())
}

fn put(file: &File, path: &Path) -> std::io::Result<()> {
    let new = fs::File::options()
        .write(true)
        .create_new(true)
        .mode(file.mode)
        .open(path);
    let mut written = match new {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let there = fs::File::create(path)?;
            // It has the mode that it had.
            there.set_permissions(fs::Permissions::from_mode(file.mode))?;
            there
        }
        new => new?,
    };
    written.write_all(file.contents.as_bytes())
}

/// The files beside a menu.
#[derive(Default)]
struct Disk {
    /// Which of them were asked for.
    read: RefCell<Vec<PathBuf>>,
}

impl Beside for Disk {
    fn text(&self, path: &Path) -> Result<String, String> {
        self.read.borrow_mut().push(path.to_owned());
        let file = fs::File::open(path).map_err(|error| input::words(&error))?;
        input::bounded(file).map_err(|unread| format!("it {unread}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, mode: u32) -> File {
        File {
            path: path.into(),
            contents: format!("this is {path}\n"),
            mode,
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn all_files_are_written_by_however_many() {
        let dir = tempfile::tempdir().unwrap();
        let count = 3 * SHARE + 1;
        let files: Vec<File> = (0..count)
            .map(|number| {
                file(
                    &format!("boot/node{}/part{}", number / 2, number % 2),
                    0o644,
                )
            })
            .collect();
        put_all(&files, dir.path()).unwrap();
        let written = crate::tree::files(dir.path()).unwrap();
        assert_eq!(written.len(), count);
        for file in &files {
            let text = fs::read_to_string(dir.path().join(&file.path)).unwrap();
            assert_eq!(text, file.contents);
        }
    }

    /// What was there is replaced, whole, and has the mode of what comes in its place.
    #[test]
    fn what_was_there_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("setup");
        fs::write(&path, "longer than what takes its place\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        put_all(&[file("setup", 0o755)], dir.path()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "this is setup\n");
        assert_eq!(mode(&path), 0o755);
        put_all(&[file("setup", 0o644)], dir.path()).unwrap();
        assert_eq!(mode(&path), 0o644);
    }

    #[test]
    fn the_first_file_that_cannot_be_written_is_told() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("boot"), "").unwrap();
        let files = [
            file("cluster.yml", 0o644),
            file("boot/node1/node.env", 0o644),
        ];
        let failure = put_all(&files, dir.path()).unwrap_err();
        let told = format!("{failure:?}").replace(&dir.path().display().to_string(), "DIR");
        assert!(told.contains("create DIR/boot/node1"), "{told}");
    }
}
