//! Reads log files to their ends, and what is appended to them.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often files that are followed are looked at.
const EVERY: Duration = Duration::from_millis(100);

/// Standard output, until its reader goes.
#[derive(Debug)]
pub(super) struct Output(io::Stdout);

impl Output {
    pub(super) fn new() -> Self {
        Self(io::stdout())
    }

    /// Whether somebody still reads.
    fn write(&mut self, text: &[u8]) -> io::Result<bool> {
        let mut stdout = self.0.lock();
        match stdout.write_all(text).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            written => written.map(|()| true),
        }
    }
}

/// One file that is read.
#[derive(Debug)]
struct Followed {
    path: PathBuf,
    mark: String,
    at: u64,
    /// The beginning of a line whose end is not there yet.
    rest: Vec<u8>,
    /// It starts amid a line, which is left out.
    amid: bool,
}

/// The files of one call.
#[derive(Debug)]
pub(super) struct Follower {
    files: Vec<Followed>,
    lines: Option<usize>,
}

impl Follower {
    /// Files with their marks and where to start. `amid`: that may be within a line.
    pub(super) fn new(
        files: Vec<(PathBuf, String, u64)>,
        amid: bool,
        lines: Option<usize>,
    ) -> Self {
        let files = files.into_iter().map(|(path, mark, at)| Followed {
            path,
            mark,
            at,
            rest: Vec::new(),
            amid: amid && at > 0,
        });
        Self {
            files: files.collect(),
            lines,
        }
    }

    /// Prints what is there, the last lines of it if asked; whether somebody still reads.
    pub(super) fn catch_up(&mut self, output: &mut Output, to_the_end: bool) -> io::Result<bool> {
        for file in &mut self.files {
            let mut lines = file.new_lines()?;
            if to_the_end && !file.rest.is_empty() {
                lines.push(std::mem::take(&mut file.rest));
            }
            let skip = self.lines.map_or(0, |n| lines.len().saturating_sub(n));
            if !output.write(&file.marked(&lines[skip..]))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Prints what comes until the lab is gone or nobody reads. Programs that start to write later
    /// are found in the watched folder: (folder, only this program).
    pub(super) fn follow(
        &mut self,
        output: &mut Output,
        run_dir: &Path,
        watched: Option<(&Path, Option<&str>)>,
    ) -> io::Result<()> {
        loop {
            // Asked first: what was written before the end is still printed.
            let gone = !placemat_lab::registry::lives(run_dir);
            if let Some((folder, app)) = watched {
                self.look_for_more(folder, app);
            }
            for file in &mut self.files {
                let mut lines = match file.new_lines() {
                    // The run directory goes with its lab.
                    Err(_) if gone => Vec::new(),
                    lines => lines?,
                };
                if gone && !file.rest.is_empty() {
                    lines.push(std::mem::take(&mut file.rest));
                }
                if !output.write(&file.marked(&lines))? {
                    return Ok(());
                }
            }
            if gone {
                return Ok(());
            }
            std::thread::sleep(EVERY);
        }
    }

    fn look_for_more(&mut self, folder: &Path, app: Option<&str>) {
        let known: HashSet<PathBuf> = self.files.iter().map(|file| file.path.clone()).collect();
        for source in super::sources(folder, folder, app) {
            let path = folder.join(&source.name);
            if !known.contains(&path) {
                self.files.push(Followed {
                    path,
                    mark: if app.is_some() {
                        String::new()
                    } else {
                        source.mark
                    },
                    at: 0,
                    rest: Vec::new(),
                    amid: false,
                });
            }
        }
    }
}

impl Followed {
    /// Whole lines that have come since.
    fn new_lines(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        if file.metadata()?.len() < self.at {
            // It began anew.
            self.at = 0;
            self.rest.clear();
        }
        if self.amid {
            // Unless a line ends right before.
            file.seek(SeekFrom::Start(self.at - 1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            self.amid = last != *b"\n";
        }
        file.seek(SeekFrom::Start(self.at))?;
        let before = self.rest.len();
        file.read_to_end(&mut self.rest)?;
        self.at += (self.rest.len() - before) as u64;
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(Vec::new());
        };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        let mut lines: Vec<Vec<u8>> = whole
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        if std::mem::take(&mut self.amid) {
            lines.remove(0);
        }
        Ok(lines)
    }

    fn marked(&self, lines: &[Vec<u8>]) -> Vec<u8> {
        let mut text = Vec::new();
        for line in lines {
            if !self.mark.is_empty() {
                text.extend_from_slice(self.mark.as_bytes());
                text.extend_from_slice(b" | ");
            }
            text.extend_from_slice(line);
            if line.last() != Some(&b'\n') {
                text.push(b'\n');
            }
        }
        text
    }
}
