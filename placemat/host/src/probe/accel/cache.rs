//! The probe's result, kept in a file for as long as nothing that it depends on changes.

use super::super::program::Found;
use super::AccelReport;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What a result depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    /// This boot of the host.
    boot_id: String,
    /// QEMU's path and version.
    qemu: String,
    /// `/dev/kvm`: inode, owner, mode; absent where it is.
    device: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    key: Key,
    report: AccelReport,
}

impl Key {
    pub(super) fn now(qemu: &Found) -> Self {
        let version = qemu.version.as_deref().unwrap_or_default();
        Self {
            boot_id: fs::read_to_string("/proc/sys/kernel/random/boot_id")
                .unwrap_or_default()
                .trim()
                .into(),
            qemu: format!("{} {version}", qemu.path.display()),
            device: fs::metadata("/dev/kvm").ok().map(|file| {
                format!(
                    "{} {} {} {:o}",
                    file.ino(),
                    file.uid(),
                    file.gid(),
                    file.mode()
                )
            }),
        }
    }
}

/// The kept result; `None` where there is none for this key, or it cannot be read.
pub(super) fn read(path: &Path, key: &Key) -> Option<AccelReport> {
    let entry: Entry = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (entry.key == *key).then_some(entry.report)
}

/// Keeps a result. Whole or not at all: another start may read at the same time.
pub(super) fn write(path: &Path, key: &Key, report: &AccelReport) -> io::Result<()> {
    let entry = Entry {
        key: key.clone(),
        report: report.clone(),
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = path.with_extension(format!("new-{}", std::process::id()));
    fs::write(&new, serde_json::to_vec_pretty(&entry)?)?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::super::Accelerator;
    use super::*;

    #[test]
    fn holds_for_its_key_only() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("sub/accel.json");
        let qemu = Found {
            path: "/usr/bin/qemu".into(),
            version: Some("7.2".into()),
        };
        let key = Key::now(&qemu);
        let report = AccelReport {
            accelerator: Accelerator::Tcg,
            reason: "it was so".into(),
            slowness: 7.5,
        };
        assert_eq!(read(&path, &key), None);
        write(&path, &key, &report).expect("write");
        assert_eq!(read(&path, &key), Some(report));
        let newer = Key {
            qemu: "/usr/bin/qemu 9.0".into(),
            ..key
        };
        assert_eq!(read(&path, &newer), None);
        fs::write(&path, "half a fi").expect("write");
        assert_eq!(read(&path, &newer), None);
    }
}
