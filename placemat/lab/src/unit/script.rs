//! Init scripts: run once, in order, when a unit's power comes on, before its programs.

use super::{Unit, UnitError, UnitRoot, app};
use placemat_host::container::{Container, ContainerError, Program};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What their log file is called.
const NAME: &str = "init-scripts";
/// Where copies are, below `/run`.
const COPIES: &str = ".init-scripts";
/// Longest run of one.
const SCRIPT: Duration = Duration::from_secs(300);
/// Most of a failed script's output that its event tells, in bytes and lines.
const TAIL_BYTES: u64 = 2000;
const TAIL_LINES: usize = 5;

impl Unit {
    /// Runs the scripts. The first that fails is told with its last words, and is the last.
    pub(super) async fn run_scripts(&self, container: &Container) -> Result<(), UnitError> {
        let spec = self.spec();
        for (index, script) in spec.init_scripts.iter().enumerate() {
            let log = app::log_file(&self.inner.logs, NAME)?;
            let said_before = log.metadata().map_or(0, |meta| meta.len());
            let program = Program {
                argv: vec![self.inside(index, script).display().to_string()],
                env: spec.env.clone(),
                stdio: app::stdio(log)?,
                terminal: false,
            };
            let process = container.spawn(program).await?;
            let said = |what: String| {
                let (script, target) = (script.display(), self.target());
                let tail = self.tail(said_before);
                Err(UnitError::Other(format!(
                    "init script {script} of {target} {what}{tail}"
                )))
            };
            // The container is taken down when it fails, and the script with it.
            match tokio::time::timeout(SCRIPT, process.exit).await {
                Ok(Ok(0)) => {}
                Ok(Ok(code)) => return said(format!("exited with {code}")),
                Ok(Err(_)) => {
                    return Err(ContainerError::Gone {
                        name: self.target().to_string(),
                    }
                    .into());
                }
                Err(_) => return said(format!("did not end within {} s", SCRIPT.as_secs())),
            }
        }
        Ok(())
    }

    /// Whether it sees all of the host's files, and so the scripts where they are.
    fn sees_scripts(&self) -> bool {
        matches!(self.spec().root, UnitRoot::Host)
    }

    /// Where a script is, as the unit sees it.
    fn inside(&self, index: usize, script: &Path) -> PathBuf {
        if self.sees_scripts() {
            return script.to_owned();
        }
        Path::new("/run")
            .join(COPIES)
            .join(copy_name(index, script))
    }

    /// Puts scripts on its `/run` where it would not see them otherwise.
    pub(super) fn copy_scripts(&self) -> std::io::Result<()> {
        let spec = self.spec();
        let scripts = &spec.init_scripts;
        if self.sees_scripts() || scripts.is_empty() {
            return Ok(());
        }
        let dir = self.inner.dir.join(COPIES);
        std::fs::create_dir_all(&dir)?;
        for (index, script) in scripts.iter().enumerate() {
            let copy = dir.join(copy_name(index, script));
            let contents = std::fs::read(script).map_err(|error| {
                std::io::Error::new(error.kind(), format!("read {}: {error}", script.display()))
            })?;
            std::fs::write(&copy, contents)?;
            std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }

    /// The last lines that were said since the log was this long.
    fn tail(&self, from: u64) -> String {
        let read = || {
            let mut log = std::fs::File::open(self.inner.logs.join(format!("{NAME}.log")))?;
            let end = log.metadata()?.len();
            log.seek(SeekFrom::Start(from.max(end.saturating_sub(TAIL_BYTES))))?;
            let mut bytes = Vec::new();
            log.read_to_end(&mut bytes)?;
            Ok::<_, std::io::Error>(bytes)
        };
        let bytes = read().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.trim_end().lines().collect();
        let last = lines[lines.len().saturating_sub(TAIL_LINES)..].join(" | ");
        if last.is_empty() {
            last
        } else {
            format!(": {last}")
        }
    }
}

fn copy_name(index: usize, script: &Path) -> String {
    let name = script.file_name().unwrap_or_default().to_string_lossy();
    format!("{index}-{name}")
}
