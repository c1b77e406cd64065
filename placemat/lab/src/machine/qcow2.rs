//! An empty qcow2 disk: a header, and tables that say "nothing is written yet: see the backing file,
//! if there is one". Written by hand, since that is all that is wanted of the format, and `qemu-img` is in a package
//! of its own. Layout after QEMU's `docs/interop/qcow2.txt`, version 3.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

const MAGIC: [u8; 4] = *b"QFI\xfb";
const CLUSTER_BITS: u32 = 16;
const CLUSTER: u64 = 1 << CLUSTER_BITS;
/// Bytes of disk that one L1 entry covers: an L2 table of one cluster, 8 bytes an entry.
const PER_L1_ENTRY: u64 = CLUSTER / 8 * CLUSTER;
const HEADER_LENGTH: u32 = 104;
const BACKING_FORMAT_EXTENSION: u32 = 0xe279_2aca;

/// What files of other formats begin with, and their names.
const OTHERS: [(&[u8], &str); 5] = [
    (b"KDMV", "VMDK"),
    (b"# Disk DescriptorFile", "VMDK"),
    (b"<<< ", "VDI"),
    (b"conectix", "VHD"),
    (b"vhdxfile", "VHDX"),
];

/// What a file is, as far as overlays need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backing {
    /// QEMU's name of the format.
    pub format: &'static str,
    /// Size in bytes of the disk that it holds.
    pub size: u64,
}

/// Looks what kind of disk a file holds. Only what begins as qcow2 does is taken for that: a guest
/// must not be able to make its raw disk into something else by what it writes there.
pub(super) fn examine(path: &Path) -> io::Result<Backing> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut header = [0; 32];
    match file.read_exact(&mut header) {
        Ok(()) if header[..4] == MAGIC => Ok(Backing {
            format: "qcow2",
            size: u64::from_be_bytes(bytes(&header, 24)),
        }),
        Ok(()) => match OTHERS.iter().find(|(magic, _)| header.starts_with(magic)) {
            Some((_, name)) => Err(io::Error::other(format!(
                "it is a {name} image: `qemu-img convert -O qcow2` makes a usable one of it"
            ))),
            None => Ok(Backing {
                format: "raw",
                size,
            }),
        },
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Backing {
            format: "raw",
            size,
        }),
        Err(error) => Err(error),
    }
}

/// The file that an overlay lies over, as it names it; `None` where it names none.
pub fn backing_name(path: &Path) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let mut header = [0; 20];
    match file.read_exact(&mut header) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let at = u64::from_be_bytes(bytes(&header, 8));
    let length = u32::from_be_bytes(bytes(&header, 16));
    if header[..4] != MAGIC || at == 0 || length > 1023 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    let mut name = String::new();
    file.take(length.into()).read_to_string(&mut name)?;
    Ok(Some(name))
}

/// `N` bytes of a header, from `at`.
fn bytes<const N: usize>(header: &[u8], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&header[at..at + N]);
    part
}

/// The bytes of an empty overlay over the file `path`.
pub(super) fn overlay(path: &str, backing: Backing) -> Vec<u8> {
    image(backing.size, path, backing.format)
}

/// The bytes of an empty disk of `size` bytes.
pub(super) fn empty(size: u64) -> Vec<u8> {
    image(size, "", "")
}

fn image(size: u64, path: &str, format: &str) -> Vec<u8> {
    // Clusters: header, refcount table, one refcount block, L1 table.
    let l1_entries = size.div_ceil(PER_L1_ENTRY);
    let l1_clusters = (l1_entries * 8).div_ceil(CLUSTER).max(1);
    let used = 3 + l1_clusters;
    let mut extension = Vec::new();
    if !format.is_empty() {
        put(&mut extension, &BACKING_FORMAT_EXTENSION.to_be_bytes());
        put(&mut extension, &length(format.len()).to_be_bytes());
        put(&mut extension, format.as_bytes());
        extension.resize(extension.len().next_multiple_of(8), 0);
    }
    put(&mut extension, &[0; 8]); // end of extensions

    let name_at = if path.is_empty() {
        0
    } else {
        u64::from(HEADER_LENGTH) + extension.len() as u64
    };
    let mut image = Vec::new();
    put(&mut image, &MAGIC);
    put(&mut image, &3_u32.to_be_bytes()); // version
    put(&mut image, &name_at.to_be_bytes());
    put(&mut image, &length(path.len()).to_be_bytes());
    put(&mut image, &CLUSTER_BITS.to_be_bytes());
    put(&mut image, &size.to_be_bytes());
    put(&mut image, &0_u32.to_be_bytes()); // encryption
    put(
        &mut image,
        &u32::try_from(l1_entries).unwrap_or(u32::MAX).to_be_bytes(),
    );
    put(&mut image, &(3 * CLUSTER).to_be_bytes()); // L1 table
    put(&mut image, &CLUSTER.to_be_bytes()); // refcount table
    put(&mut image, &1_u32.to_be_bytes()); // its clusters
    put(&mut image, &0_u32.to_be_bytes()); // snapshots
    put(&mut image, &0_u64.to_be_bytes()); // their table
    put(&mut image, &[0; 24]); // incompatible, compatible, autoclear features
    put(&mut image, &4_u32.to_be_bytes()); // refcounts of 1 << 4 bits
    put(&mut image, &HEADER_LENGTH.to_be_bytes());
    put(&mut image, &extension);
    put(&mut image, path.as_bytes());

    image.resize(offset(CLUSTER), 0);
    put(&mut image, &(2 * CLUSTER).to_be_bytes()); // the one refcount block
    image.resize(offset(2 * CLUSTER), 0);
    for _ in 0..used {
        put(&mut image, &1_u16.to_be_bytes());
    }
    image.resize(offset(used * CLUSTER), 0);
    image
}

fn put(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend_from_slice(bytes);
}

/// Paths and names are far below 4 GiB.
fn length(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

/// Offsets in the header are a few clusters at most.
fn offset(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tables_cover_the_disk_and_count_themselves(size in 1_u64..1 << 44, name in "/[a-z,/ ]{1,900}") {
            let image = overlay(&name, Backing { format: "raw", size });
            let u32_at = |at: usize| u32::from_be_bytes(image[at..at + 4].try_into().expect("4"));
            let u64_at = |at: usize| u64::from_be_bytes(image[at..at + 8].try_into().expect("8"));
            prop_assert_eq!(u64_at(24), size);
            let entries = u64::from(u32_at(36));
            prop_assert!(entries * PER_L1_ENTRY >= size);
            prop_assert!((entries - 1) * PER_L1_ENTRY < size);
            let l1 = u64_at(40);
            prop_assert!(l1 + entries * 8 <= image.len() as u64);
            let name_at = offset(u64_at(8));
            prop_assert_eq!(&image[name_at..name_at + name.len()], name.as_bytes());
            prop_assert!(name_at + name.len() <= offset(CLUSTER));
            // Every cluster of the file is counted once, and no other.
            let counts = &image[offset(2 * CLUSTER)..offset(3 * CLUSTER)];
            let counted = counts.chunks(2).take_while(|c| *c == [0, 1]).count();
            prop_assert_eq!(counted as u64 * CLUSTER, image.len() as u64);
            prop_assert!(counts.chunks(2).skip(counted).all(|c| c == [0, 0]));
        }
    }

    #[test]
    fn an_empty_disk_names_no_other_file() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("disk");
        std::fs::write(&path, empty(50 << 30)).expect("write");
        let seen = examine(&path).expect("examine");
        assert_eq!((seen.format, seen.size), ("qcow2", 50 << 30));
        assert_eq!(backing_name(&path).expect("name"), None);
    }

    #[test]
    fn other_formats_are_refused_by_name() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("disk");
        for (magic, name) in OTHERS {
            let mut bytes = magic.to_vec();
            bytes.resize(64, 0);
            std::fs::write(&path, bytes).expect("write");
            let error = examine(&path).expect_err("refused").to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn knows_its_own_and_raw() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("disk");
        std::fs::write(&path, b"x").expect("write");
        let raw = Backing {
            format: "raw",
            size: 1,
        };
        assert_eq!(examine(&path).expect("raw"), raw);
        std::fs::write(
            &path,
            overlay(
                "/a",
                Backing {
                    format: "raw",
                    size: 12345,
                },
            ),
        )
        .expect("write");
        let overlaid = Backing {
            format: "qcow2",
            size: 12345,
        };
        assert_eq!(examine(&path).expect("qcow2"), overlaid);
        assert_eq!(backing_name(&path).expect("name").as_deref(), Some("/a"));
    }
}
