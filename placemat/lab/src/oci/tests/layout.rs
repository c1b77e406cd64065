//! Makes OCI image layouts, for tests: layers from lists of entries.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// An entry of a layer.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    /// A folder with this mode.
    Folder(&'static str, u32),
    /// A file with this content and mode.
    File(&'static str, Vec<u8>, u32),
    /// A symbolic link.
    Symlink(&'static str, &'static str),
    /// A hard link.
    Link(&'static str, &'static str),
    /// Everything so far and after belongs to this user.
    Owner(u64),
}

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pack {
    /// Not at all.
    Plain,
    /// By gzip.
    Gzip,
}

/// A layer as a tar file. Names are written as they are, wherever they lead.
pub(super) fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut owner = 0;
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_uid(owner);
        header.set_gid(owner);
        let (name, content): (&str, &[u8]) = match entry {
            Entry::Folder(name, mode) => {
                header.set_entry_type(tar::EntryType::Directory);
                header.set_mode(*mode);
                (name, &[])
            }
            Entry::File(name, content, mode) => {
                header.set_entry_type(tar::EntryType::Regular);
                header.set_mode(*mode);
                (name, content)
            }
            Entry::Symlink(name, target) | Entry::Link(name, target) => {
                header.set_entry_type(match entry {
                    Entry::Link(..) => tar::EntryType::Link,
                    _ => tar::EntryType::Symlink,
                });
                header.set_mode(0o777);
                field(&mut header.as_old_mut().linkname, target);
                (name, &[])
            }
            Entry::Owner(id) => {
                owner = *id;
                continue;
            }
        };
        field(&mut header.as_old_mut().name, name);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content).expect("append");
    }
    builder.into_inner().expect("a tar file")
}

fn field(field: &mut [u8; 100], text: &str) {
    field[..text.len()].copy_from_slice(text.as_bytes());
}

/// Writes a layout with one image, called `v1`. `config` is the `config` of its configuration, as JSON.
pub(super) fn write(dir: &Path, layers: &[(Vec<u8>, Pack)], config: &str) {
    fs::create_dir_all(dir.join("blobs/sha256")).expect("folders");
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a file");
    let (mut descriptors, mut diff_ids) = (Vec::new(), Vec::new());
    for (layer, pack) in layers {
        diff_ids.push(format!("\"sha256:{}\"", sha256(layer)));
        let packed = match pack {
            Pack::Plain => layer.clone(),
            Pack::Gzip => {
                let mut gzip =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(layer).expect("gzip");
                gzip.finish().expect("gzip")
            }
        };
        descriptors.push(blob(dir, "application/vnd.oci.image.layer.v1.tar", &packed));
    }
    let configuration = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{config},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        diff_ids.join(",")
    );
    let configuration = blob(
        dir,
        "application/vnd.oci.image.config.v1+json",
        configuration.as_bytes(),
    );
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{configuration},"layers":[{}]}}"#,
        descriptors.join(",")
    );
    let manifest = blob(
        dir,
        "application/vnd.oci.image.manifest.v1+json",
        manifest.as_bytes(),
    );
    let named = manifest.replacen(
        '{',
        r#"{"annotations":{"org.opencontainers.image.ref.name":"v1"},"#,
        1,
    );
    fs::write(
        dir.join("index.json"),
        format!(r#"{{"schemaVersion":2,"manifests":[{named}]}}"#),
    )
    .expect("a file");
}

/// Writes a blob and gives its descriptor.
fn blob(dir: &Path, media_type: &str, bytes: &[u8]) -> String {
    let digest = sha256(bytes);
    fs::write(dir.join("blobs/sha256").join(&digest), bytes).expect("a blob");
    format!(
        r#"{{"mediaType":"{media_type}","digest":"sha256:{digest}","size":{}}}"#,
        bytes.len()
    )
}

/// SHA-256 in hex digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
