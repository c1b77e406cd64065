//! What a client proposes to make of a lab: the new files, which come along as the contents of a descriptor, since they may
//! be larger than a request.

use crate::change::ObjectChange;
use placemat_spec::Source;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// Largest proposal in bytes.
const LARGEST: u64 = 256 << 20;

/// New files for a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// What the cluster is read from.
    pub sources: Vec<ProposedSource>,
    /// Files that the user named.
    pub files: Vec<PathBuf>,
    /// Where images that were fetched for it are.
    pub cache_dir: PathBuf,
    /// Files that lie there only once the change is made, by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<(PathBuf, String)>,
    /// What the user has agreed to; absent: not asked. Where something else would be done by now, nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Vec<ObjectChange>>,
}

/// A text with its name, and the folder that its paths begin at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedSource {
    /// As messages call it.
    pub name: String,
    /// Absolute, as the lab sees it too.
    pub dir: PathBuf,
    /// The whole text.
    pub text: String,
}

impl Proposal {
    /// Texts as the loader takes them.
    pub fn sources(&self) -> Vec<Source> {
        let source = |source: &ProposedSource| Source {
            name: source.name.clone(),
            dir: source.dir.clone(),
            text: source.text.as_str().into(),
        };
        self.sources.iter().map(source).collect()
    }

    /// Writes it into a file that no folder has, for the way to the lab.
    pub fn seal(&self) -> io::Result<OwnedFd> {
        let fd = nix::sys::memfd::memfd_create(
            c"placemat-proposal",
            nix::sys::memfd::MFdFlags::MFD_CLOEXEC,
        )?;
        let mut file = File::from(fd);
        file.write_all(&serde_json::to_vec(self)?)?;
        Ok(file.into())
    }

    /// Reads what [`seal`](Self::seal) wrote. Blocks.
    pub(crate) fn open(fd: OwnedFd) -> io::Result<Self> {
        let mut file = File::from(fd);
        file.seek(SeekFrom::Start(0))?;
        let mut text = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut text)?;
        if text.len() as u64 > LARGEST {
            return Err(io::Error::other("it is too large"));
        }
        Ok(serde_json::from_slice(&text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposal_survives_its_way() {
        let proposal = Proposal {
            sources: vec![ProposedSource {
                name: "dc.yml".into(),
                dir: "/srv".into(),
                text: "{kind: Router, name: a}\n".repeat(20_000),
            }],
            files: vec!["/srv/dc.yml".into()],
            cache_dir: "/var/cache".into(),
            contents: vec![("/srv/a.conf".into(), "a".into())],
            agreed: None,
        };
        let fd = proposal.seal().expect("a file");
        assert_eq!(Proposal::open(fd).expect("a proposal"), proposal);
        let (read, write) = nix::unistd::pipe().expect("a pipe");
        drop(write);
        assert!(Proposal::open(read).is_err(), "a pipe is no file");
    }
}
