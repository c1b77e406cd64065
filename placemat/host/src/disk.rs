//! What a file system can do for the disks of machines.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Bytes that this user can still write to the file system that holds `path`.
pub fn free_space(path: &Path) -> io::Result<u64> {
    let found = nix::sys::statvfs::statvfs(path)?;
    Ok(found.blocks_available() * found.fragment_size())
}

/// Whether a file can be read around the page cache (`O_DIRECT`), which not every file system can.
pub fn has_direct_io(file: &Path) -> bool {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECT)
        .open(file)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_space_and_a_missing_one_does_not() {
        let folder = tempfile::tempdir().expect("folder");
        assert!(free_space(folder.path()).expect("space") > 0);
        assert!(free_space(&folder.path().join("none")).is_err());
        assert!(!has_direct_io(&folder.path().join("none")));
    }
}
