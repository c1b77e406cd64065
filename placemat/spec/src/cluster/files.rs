//! Files that a cluster mentions, so that their absence is found before anything starts.

use super::Cluster;
use crate::resource::{Bird, BootServer, Image, ImageSource, Router};
use crate::{Place, Problem, Problems};
use std::path::{Path, PathBuf};

/// What should be at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
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
        let kind = if self.kind == FileKind::File {
            "file"
        } else {
            "folder"
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

impl Cluster {
    /// Every file and folder that must exist before anything starts, in the order of the files.
    pub fn files(&self) -> Vec<FileRef> {
        let mut files = Vec::new();
        files.extend(self.images.values().map(image));
        self.routers
            .values()
            .for_each(|router| of_router(router, &mut files));
        self.boot_servers
            .values()
            .for_each(|server| of_boot_server(server, &mut files));
        files
    }

    /// Asks `look` for every file, and reports those for which it gives a reason.
    pub fn check_files(
        &self,
        mut look: impl FnMut(&FileRef) -> Result<(), String>,
    ) -> Result<(), Problems> {
        let missing = |file: FileRef| look(&file).err().map(|reason| file.missing(&reason));
        let missing: Vec<Problem> = self.files().into_iter().filter_map(missing).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(self.problems(missing))
        }
    }
}

fn image(image: &Image) -> FileRef {
    let (path, kind, remedy) = match &image.source {
        ImageSource::File(path) => (path, FileKind::File, None),
        ImageSource::Bundle(path) => (
            path,
            FileKind::Folder,
            Some("`images/build` makes the node image's bundle"),
        ),
    };
    let what = format!("the {} of image `{}`", image.source.word(), image.name);
    FileRef {
        path: path.clone(),
        what,
        kind,
        place: image.place,
        remedy,
    }
}

fn of_router(router: &Router, files: &mut Vec<FileRef>) {
    let owner = format!("router `{}`", router.name);
    files.extend(router.bird.as_ref().map(|bird| bird_config(bird, &owner)));
    files.extend(
        router
            .init_scripts
            .iter()
            .map(|path| file(path, format!("an init script of {owner}"), router.place)),
    );
}

fn of_boot_server(server: &BootServer, files: &mut Vec<FileRef>) {
    let owner = format!("boot server `{}`", server.name);
    files.extend(server.bird.as_ref().map(|bird| bird_config(bird, &owner)));
    for machine in &server.machines {
        files.extend(machine.config.as_ref().map(|path| FileRef {
            path: path.clone(),
            what: format!(
                "the configuration that {owner} serves to machine {}",
                machine.serial
            ),
            kind: FileKind::Folder,
            place: machine.place,
            remedy: None,
        }));
    }
}

fn bird_config(bird: &Bird, owner: &str) -> FileRef {
    file(
        &bird.config,
        format!("the BIRD configuration of {owner}"),
        bird.place,
    )
}

fn file(path: &Path, what: String, place: Place) -> FileRef {
    FileRef {
        path: path.to_owned(),
        what,
        kind: FileKind::File,
        place,
        remedy: None,
    }
}
