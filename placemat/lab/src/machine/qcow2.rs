//! An empty qcow2 disk: a header, and tables that say "nothing is written yet: see the backing file,
//! if there is one". Written by hand, since that is all that is wanted of the format, and `qemu-img` is in a package
//! of its own. Layout after QEMU's `docs/interop/qcow2.txt`, version 3.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

const MAGIC: [u8; 4] = *b"QFI\xfb";
const CLUSTER_BITS: u32 = 16;
const CLUSTER: u64 = 1 << CLUSTER_BITS;
/// Bytes of disk that one L1 entry covers: an L2 table of one cluster, 8 bytes an entry.
const PER_L1_ENTRY: u64 = CLUSTER / 8 * CLUSTER;
const HEADER_LENGTH: u32 = 104;
const BACKING_FORMAT_EXTENSION: u32 = 0xe279_2aca;
const DATA_FILE_EXTENSION: u32 = 0x4441_5441;
/// Bit 2 of the incompatible features: the disk's bytes are in another file.
const EXTERNAL_DATA: u8 = 1 << 2;
/// The largest disk in bytes: QEMU takes at most 32 MiB of L1 table.
const LARGEST: u64 = (32 << 20) / 8 * PER_L1_ENTRY;

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
        Ok(()) if header[..4] == MAGIC => match u64::from_be_bytes(bytes(&header, 24)) {
            size if size > LARGEST => Err(io::Error::other(format!(
                "it says that its disk has {size} bytes: more than QEMU takes"
            ))),
            size => Ok(Backing {
                format: "qcow2",
                size,
            }),
        },
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

/// The other file that a qcow2 file needs, as it names it: that which it lies over, or that in which
/// its own bytes are. `None` where it stands for itself.
pub fn backing_name(path: &Path) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let mut header = Vec::new();
    // Names and extensions are within the first cluster, which has at most 2 MiB.
    (&mut file).take(2 << 20).read_to_end(&mut header)?;
    let header = header.as_slice();
    if header.len() < 32 || header[..4] != MAGIC {
        return Ok(None);
    }
    let at = u64::from_be_bytes(bytes(header, 8));
    if at != 0 {
        let length = u32::from_be_bytes(bytes(header, 16));
        return Ok(Some(name_at(header, offset(at), length)));
    }
    let version = u32::from_be_bytes(bytes(header, 4));
    let external = version >= 3 && header.get(79).is_some_and(|bits| bits & EXTERNAL_DATA != 0);
    Ok(external.then(|| data_file(header).unwrap_or_default()))
}

/// The text of so many bytes in a file's first cluster; what is not there is left out.
fn name_at(header: &[u8], at: usize, length: u32) -> String {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let end = at.saturating_add(length).min(header.len());
    String::from_utf8_lossy(header.get(at..end).unwrap_or_default()).into_owned()
}

/// The name of the file with the bytes, which is an extension of the header.
fn data_file(header: &[u8]) -> Option<String> {
    let word = |at: usize| {
        let word = header.get(at..at.checked_add(4)?)?;
        Some(u32::from_be_bytes(bytes(word, 0)))
    };
    let mut at = usize::try_from(word(100)?).ok()?;
    loop {
        let (kind, length) = (word(at)?, word(at.checked_add(4)?)?);
        at = at.checked_add(8)?;
        match kind {
            0 => return None,
            DATA_FILE_EXTENSION => return Some(name_at(header, at, length)),
            _ => at = at.checked_add(usize::try_from(length).ok()?.next_multiple_of(8))?,
        }
    }
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
    fn a_file_whose_bytes_are_elsewhere_names_that() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("disk");
        let mut image = empty(1 << 30);
        image[79] = EXTERNAL_DATA;
        std::fs::write(&path, &image).expect("write");
        assert_eq!(backing_name(&path).expect("name").as_deref(), Some(""));
        let at = offset(HEADER_LENGTH.into());
        let mut extensions = [&1_u32.to_be_bytes()[..], &3_u32.to_be_bytes(), &[7; 8]].concat();
        extensions.extend(DATA_FILE_EXTENSION.to_be_bytes());
        extensions.extend(11_u32.to_be_bytes());
        extensions.extend(b"/etc/shadow");
        image[at..at + extensions.len()].copy_from_slice(&extensions);
        std::fs::write(&path, &image).expect("write");
        let name = backing_name(&path).expect("name");
        assert_eq!(name.as_deref(), Some("/etc/shadow"));
    }

    #[test]
    fn a_disk_that_qemu_would_not_take_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("disk");
        let mut image = empty(LARGEST);
        std::fs::write(&path, &image).expect("write");
        assert_eq!(examine(&path).expect("fits").size, LARGEST);
        image[24..32].copy_from_slice(&u64::MAX.to_be_bytes());
        std::fs::write(&path, &image).expect("write");
        let error = examine(&path).expect_err("refused").to_string();
        insta::assert_snapshot!(error, @"it says that its disk has 18446744073709551615 bytes: more than QEMU takes");
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 4..300), at in 0_usize..200) {
            let folder = tempfile::tempdir().expect("folder");
            let path = folder.path().join("disk");
            // As it is, and as the first bytes of a file with extensions that begin anywhere.
            bytes[..4].copy_from_slice(&MAGIC);
            for known in [false, true] {
                if known && bytes.len() > 104 {
                    bytes[8..16].fill(0);
                    bytes[79] = EXTERNAL_DATA;
                    bytes[100..104].copy_from_slice(&u32::try_from(at).expect("small").to_be_bytes());
                }
                std::fs::write(&path, &bytes).expect("write");
                let _ = examine(&path);
                let _ = backing_name(&path);
            }
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
