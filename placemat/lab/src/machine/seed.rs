//! A seed for cloud-init: a FAT file system with the label that its NoCloud data source looks for,
//! `CIDATA`, and on it `meta-data`, `user-data` and, where there is one, `network-config`.

use fatfs::{FileSystem, FormatVolumeOptions, FsOptions, format_volume};
use sha1::{Digest, Sha1};
use std::fmt::Write as _;
use std::io::{self, Cursor, Write as _};

/// Smallest size in bytes.
const SMALLEST: usize = 1 << 20;

/// What is in a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// Name of the machine: its host name, unless the user-data gives another.
    pub hostname: String,
    /// `user-data`.
    pub user_data: Vec<u8>,
    /// `network-config`.
    pub network_config: Option<Vec<u8>>,
}

impl Seed {
    /// The seed's bytes: the same for the same content.
    pub(super) fn image(&self) -> io::Result<Vec<u8>> {
        let meta_data = self.meta_data();
        let mut files = vec![
            ("meta-data", meta_data.as_bytes()),
            ("user-data", &self.user_data),
        ];
        if let Some(network_config) = &self.network_config {
            files.push(("network-config", network_config));
        }
        let content: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        let size = (content * 2 + SMALLEST).next_multiple_of(SMALLEST);
        let mut disk = Cursor::new(vec![0; size]);
        let options = FormatVolumeOptions::new()
            .volume_label(*b"CIDATA     ")
            .volume_id(0x7365_6564);
        format_volume(&mut disk, options)?;
        {
            let volume = FileSystem::new(&mut disk, FsOptions::new())?;
            let root = volume.root_dir();
            for (name, bytes) in files {
                root.create_file(name)?.write_all(bytes)?;
            }
        }
        let mut bytes = disk.into_inner();
        no_boot(&mut bytes);
        Ok(bytes)
    }

    /// A new instance whenever the user's files are others, so that cloud-init heeds them.
    fn meta_data(&self) -> String {
        let mut hash = Sha1::new();
        for part in [Some(&self.user_data), self.network_config.as_ref()] {
            let part = part.map_or(&[][..], |part| part);
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let name = &self.hostname;
        let mut text = format!("instance-id: {name}-");
        for byte in &hash.finalize()[..4] {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text + &format!("\nlocal-hostname: {name}\n")
    }
}

/// A BIOS that tries to boot it is sent on to the next disk (`int 0x18`), instead of being asked for
/// a key.
fn no_boot(bytes: &mut [u8]) {
    // The jump at the start skips the parameters (Microsoft's FAT specification, 3.1).
    let code = 2 + usize::from(bytes[1]);
    bytes[code..code + 4].copy_from_slice(&[0xcd, 0x18, 0xeb, 0xfe]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn seed(network_config: Option<&str>) -> Seed {
        Seed {
            hostname: "boot-0".into(),
            user_data: b"#cloud-config\n".to_vec(),
            network_config: network_config.map(|text| text.as_bytes().to_vec()),
        }
    }

    fn files(seed: &Seed) -> Vec<(String, String)> {
        let image = Cursor::new(seed.image().expect("image"));
        let volume = FileSystem::new(image, FsOptions::new()).expect("FAT");
        assert_eq!(volume.volume_label(), "CIDATA");
        let label = volume.read_volume_label_from_root_dir().expect("label");
        assert_eq!(label.as_deref(), Some("CIDATA"));
        let files = volume.root_dir().iter().map(|entry| {
            let entry = entry.expect("entry");
            let mut text = String::new();
            let mut file = entry.to_file();
            file.read_to_string(&mut text).expect("read");
            (entry.file_name(), text)
        });
        files.collect()
    }

    #[test]
    fn with_and_without_network_config() {
        let with = files(&seed(Some("version: 2\n")));
        let without = files(&seed(None));
        let show = |files: &[(String, String)]| {
            let lines = files.iter().map(|(name, text)| format!("{name}: {text}"));
            lines.collect::<String>()
        };
        insta::assert_snapshot!(show(&with));
        insta::assert_snapshot!(show(&without));
    }

    #[test]
    fn the_same_content_gives_the_same_bytes_and_other_content_another_instance() {
        let image = |seed: &Seed| seed.image().expect("image");
        assert_eq!(image(&seed(None)), image(&seed(None)));
        assert_ne!(seed(None).meta_data(), seed(Some("")).meta_data() + " ");
        let mut other = seed(None);
        other.user_data = b"#!/bin/sh\n".to_vec();
        assert_ne!(seed(None).meta_data(), other.meta_data());
    }

    #[test]
    fn a_large_seed_has_room() {
        let mut large = seed(None);
        large.user_data = vec![b'x'; 5 << 20];
        assert_eq!(files(&large)[1].1.len(), 5 << 20);
    }

    #[test]
    fn a_bios_is_sent_on() {
        let image = seed(None).image().expect("image");
        let code = 2 + usize::from(image[1]);
        assert_eq!(image[0], 0xeb);
        assert_eq!(&image[code..code + 2], &[0xcd, 0x18]);
    }
}
