//! Files on a unit's `/run`: put there at each power-on, and replaced on the way.

use super::{Unit, UnitError, lock};
use crate::blueprint::Contents;
use std::path::Path;

impl Unit {
    /// Puts another file in the place of one of its spec's, now and at each power-on, and starts the
    /// program anew that reads it. Returns once the one that read the old file has ended.
    pub async fn replace_file(
        &self,
        path: &Path,
        contents: Contents,
        app: &str,
    ) -> Result<(), UnitError> {
        let held = self.is_held(app);
        self.kill_app(app).await?;
        let written = {
            let _one_at_a_time = self.inner.power.lock().await;
            let spec = self.spec();
            let own = spec.files.iter().find(|(it, _)| it == path);
            let mut replaced = lock(&self.inner.replaced);
            if own.is_some_and(|(_, own)| *own == contents) {
                // As the spec has it, also when the spec becomes another.
                replaced.remove(path);
            } else {
                replaced.insert(path.to_owned(), contents.clone());
            }
            drop(replaced);
            if self.is_on() {
                std::fs::write(self.inner.dir.join(path), contents)
            } else {
                Ok(())
            }
        };
        self.until_app_ended(app).await;
        if !held {
            self.release_app(app);
        }
        written.map_err(|error| {
            let (path, target) = (path.display(), self.target());
            UnitError::Other(format!("write {path} of {target}: {error}"))
        })
    }

    /// Whether a file that was put on its `/run` is this one.
    pub fn has_file(&self, path: &Path, contents: &[u8]) -> bool {
        if self.is_on() {
            return std::fs::read(self.inner.dir.join(path)).is_ok_and(|it| it == contents);
        }
        let replaced = lock(&self.inner.replaced);
        let spec = self.spec();
        let own = spec.files.iter().find(|(it, _)| it == path);
        let now = replaced.get(path).or(own.map(|(_, it)| it));
        now.is_some_and(|it| **it == *contents)
    }

    /// An empty `/run`, as after any power-on, with the unit's files in it.
    pub(super) fn prepare_run_dir(&self) -> Result<(), UnitError> {
        let dir = &self.inner.dir;
        let failed = |error: std::io::Error| {
            UnitError::Other(format!("prepare /run of {}: {error}", self.target()))
        };
        if dir.exists() {
            std::fs::remove_dir_all(dir).map_err(failed)?;
        }
        for sub in ["", "bird", "lock"] {
            std::fs::create_dir_all(dir.join(sub)).map_err(failed)?;
        }
        let replaced = lock(&self.inner.replaced);
        let spec = self.spec();
        for (path, contents) in &spec.files {
            let contents = replaced.get(path).unwrap_or(contents);
            let path = dir.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).map_err(failed)?;
            }
            std::fs::write(path, contents).map_err(failed)?;
        }
        for folder in &spec.folders {
            folder.make(dir).map_err(failed)?;
        }
        self.copy_scripts().map_err(failed)
    }
}
