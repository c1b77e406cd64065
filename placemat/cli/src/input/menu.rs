//! A menu where a cluster file is wanted: what it expands to is checked as a cluster. What its user gave
//! is looked for where its user put it, and told where its user wrote it.

use super::{Files, Loaded, loaded, placed, usable};
use crate::exit::{self, Code, Failure};
use crate::expansion::{self, Expanded};
use anyhow::Context;
use placemat_menu::{File, neco};
use placemat_spec::cluster::{FileRef, wrong_files};
use placemat_spec::document::Dialect;
use placemat_spec::resource::ImageSource;
use placemat_spec::{Cluster, Problems, Source};
use std::path::{Path, PathBuf};

/// Checks what a menu expands to, in a folder that goes again.
pub(super) fn look_at(menu: &Source, files: Files) -> Result<Loaded, Failure> {
    let dir = tempfile::tempdir()
        .context("make a temporary directory")
        .code(exit::HOST)?;
    let expanded = expansion::verified(menu, dir.path(), Dialect::Strict)?;
    if files == Files::MustBeThere {
        expansion::put_all(&expanded.files, dir.path())?;
    }
    let Expanded {
        files: all,
        dialect,
        ..
    } = &expanded;
    let mut source = cluster_file(all, dir.path())?;
    // Not where it is: nobody will find it there.
    source.name = format!("cluster.yml of {}", menu.name);
    let checked = checked(menu, source, all, *dialect, dir.path(), files)?;
    Ok(Loaded {
        of_menu: expanded.warnings,
        files: expanded.files,
        single_points: expanded.single_points,
        ..checked
    })
}

/// Writes what a menu expanded to, `files`, to a folder that stays, and checks it there.
pub(super) fn settle(menu: &Source, files: &[File], dir: &Path) -> Result<Loaded, Failure> {
    let expanded;
    let (files, dialect) = if neco::is_menu(menu) {
        // Its files name the folder that they are in.
        expanded = expansion::verified(menu, dir, Dialect::Strict)?.files;
        (&*expanded, Dialect::V2)
    } else {
        (files, Dialect::Strict)
    };
    expansion::put_all(files, dir)?;
    let source = cluster_file(files, dir)?;
    checked(menu, source, files, dialect, dir, Files::MustBeThere)
}

fn cluster_file(files: &[File], dir: &Path) -> Result<Source, Failure> {
    let cluster = files.iter().find(|it| it.path == Path::new("cluster.yml"));
    let cluster = cluster.context("an expansion has a cluster.yml")?;
    placed(&dir.join(&cluster.path), cluster.contents.as_str())
}

fn checked(
    menu: &Source,
    source: Source,
    written: &[File],
    dialect: Dialect,
    dir: &Path,
    files: Files,
) -> Result<Loaded, Failure> {
    let (mut cluster, warnings) = Cluster::load_as(dialect, vec![source])?;
    let beside = Beside { menu, written, dir };
    beside.resolve(&mut cluster);
    if files == Files::MustBeThere {
        bundle(menu, &cluster)?;
        cluster.check_files(usable)?;
    }
    Ok(loaded(cluster, warnings))
}

/// Looks at the image's folder first, which a rack spec names itself.
fn bundle(menu: &Source, cluster: &Cluster) -> Result<(), Failure> {
    if !placemat_menu::is_rack_spec(menu) {
        return Ok(());
    }
    let bundle = placemat_menu::bundle(menu)?;
    let of_bundle = cluster.files.iter();
    let of_bundle = of_bundle.filter(|file| file.path.starts_with(&bundle.value));
    let problems = wrong_files(of_bundle, |file| {
        usable(&FileRef {
            place: bundle.place,
            ..file.clone()
        })
    });
    if problems.is_empty() {
        return Ok(());
    }
    Err(Problems::new(vec![menu.clone()], problems).into())
}

/// What a menu passes through, and what of that lies beside it.
struct Beside<'m> {
    menu: &'m Source,
    /// What the menu expanded to.
    written: &'m [File],
    /// Where that is.
    dir: &'m Path,
}

impl Beside<'_> {
    /// Resolves paths that the menu's author wrote against the folder where that is. `cluster.yml` has
    /// them as they are written, as Neco's tool did.
    fn resolve(&self, cluster: &mut Cluster) {
        for image in cluster.images.values_mut() {
            if let ImageSource::File(path) | ImageSource::Bundle(path) = &mut image.source {
                self.move_home(path);
            }
        }
        for class in cluster.device_classes.values_mut() {
            self.move_home(&mut class.path);
        }
        for file in &mut cluster.files {
            self.move_home(&mut file.path);
        }
    }

    fn move_home(&self, path: &mut PathBuf) {
        let Ok(relative) = path.strip_prefix(self.dir) else {
            return;
        };
        if !self.written.iter().any(|it| it.path.starts_with(relative)) {
            *path = self.menu.dir.join(relative);
        }
    }
}
