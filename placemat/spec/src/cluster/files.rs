//! Files that a cluster mentions, so that their absence is found before anything starts.

use super::Cluster;
use crate::{Place, Problem, Problems};
use std::path::PathBuf;

/// What should be at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A regular file that can be executed.
    Program,
    /// A folder.
    Folder,
    /// A folder that is made where it is missing.
    FolderToMake,
}

/// A file or folder that the cluster needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    /// Where it should be, resolved against the folder of its YAML file.
    pub path: PathBuf,
    /// What it is and whose: ``the BIRD configuration of router `spine-1` ``.
    pub what: String,
    /// File or folder.
    pub kind: FileKind,
    /// Where the YAML mentions it.
    pub place: Place,
    /// How to get it, if that is known.
    pub remedy: Option<&'static str>,
}

impl FileRef {
    /// The problem that it is not there. `reason` is the system's: `No such file or directory`.
    pub fn missing(&self, reason: &str) -> Problem {
        let kind = match self.kind {
            FileKind::File | FileKind::Program => "file",
            FileKind::Folder | FileKind::FolderToMake => "folder",
        };
        let path = self.path.display();
        let problem = Problem::new("missing-file", format!("{} cannot be read", self.what))
            .at(self.place, format!("{kind} {path}: {reason}"));
        match self.remedy {
            Some(remedy) => problem.help(remedy),
            None if self.path.is_relative() => {
                problem.help("relative paths start at the folder of this YAML file")
            }
            None => problem,
        }
    }
}

/// In an order that does not depend on where they are mentioned.
pub(super) fn sorted(files: &[FileRef]) -> Vec<&FileRef> {
    let mut sorted: Vec<&FileRef> = files.iter().collect();
    sorted.sort_by_key(|file| (&file.path, &file.what));
    sorted
}

/// Asks `look` for every file; what is wrong with them. What is in a folder that is reported already is
/// left out.
pub fn wrong_files<'f>(
    files: impl IntoIterator<Item = &'f FileRef>,
    mut look: impl FnMut(&FileRef) -> Result<(), Problem>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut folders: Vec<&PathBuf> = Vec::new();
    for file in files {
        if folders.iter().any(|folder| file.path.starts_with(folder)) {
            continue;
        }
        if let Err(problem) = look(file) {
            problems.push(problem);
            if file.kind == FileKind::Folder {
                folders.push(&file.path);
            }
        }
    }
    problems
}

impl Cluster {
    /// Every file and folder that must exist before anything starts, in the order of the files.
    pub fn files(&self) -> &[FileRef] {
        &self.files
    }

    /// Reports what is [wrong](wrong_files) with its files.
    pub fn check_files(
        &self,
        look: impl FnMut(&FileRef) -> Result<(), Problem>,
    ) -> Result<(), Problems> {
        let problems = wrong_files(&self.files, look);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(self.problems(problems))
        }
    }
}
