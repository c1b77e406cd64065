//! What a machine's screen shows, as PNG.

mod png;

use super::command::SCREEN_ID;
use super::{Machine, MachineError};
use placemat_host::qmp::QmpError;
use serde_json::json;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// The machine has no screen.
    #[error("{machine} has no screen; `video: true` gives it one")]
    None {
        /// The machine.
        machine: String,
    },
    /// It has no power, or QEMU does not do it.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// The picture could not be read or written.
    #[error("read or write {path}")]
    File {
        /// The picture.
        path: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// QEMU's picture is not understood.
    #[error("the picture that QEMU made of {machine}'s screen is not understood")]
    Form {
        /// The machine.
        machine: String,
    },
}

impl Machine {
    /// Writes what the screen shows now into a PNG file. QEMU does that itself since 7.1; an older
    /// one, or one built without it, gives plain pixels, which are wrapped.
    pub async fn screenshot(&self, path: &Path) -> Result<(), ScreenError> {
        let machine = || self.inner.spec.name.clone();
        let life = self.life()?;
        if self.inner.spec.video.is_none() {
            return Err(ScreenError::None { machine: machine() });
        }
        let dump = |path: &Path, format: Option<&str>| {
            let mut arguments =
                json!({"filename": path.display().to_string(), "device": SCREEN_ID});
            if let Some(format) = format {
                arguments["format"] = json!(format);
            }
            let life = life.clone();
            async move { life.qmp.execute("screendump", arguments).await }
        };
        match dump(path, Some("png")).await {
            Err(QmpError::Refused { .. }) => {}
            done => {
                done.map_err(self.failed("make a picture of the screen of"))?;
                return Ok(());
            }
        }
        let pixels = PathBuf::from(format!("{}.ppm", path.display()));
        let done = dump(&pixels, None).await;
        done.map_err(self.failed("make a picture of the screen of"))?;
        let failed = |path: &Path| {
            let path = path.display().to_string();
            move |source| ScreenError::File { path, source }
        };
        let bytes = fs::read(&pixels).map_err(failed(&pixels))?;
        // What cannot be removed goes with the lab.
        let _ = fs::remove_file(&pixels);
        let picture =
            png::of_ppm(&bytes).ok_or_else(|| ScreenError::Form { machine: machine() })?;
        fs::write(path, picture).map_err(failed(path))
    }
}
