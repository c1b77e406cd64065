//! What an image is made of: OCI image index, manifest and configuration (image-spec 1.1), and the
//! `manifest.json` of `docker save`.

use super::OciError;
use super::blobs::Blobs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An image before it is unpacked.
pub(super) struct Found {
    /// SHA-256 of the configuration: the image's id, which covers the layers' contents.
    pub(super) id: String,
    pub(super) config: ImageConfig,
    /// Names of the layers' files, lowest first.
    pub(super) layers: Vec<String>,
    /// SHA-256 of each layer, unpacked.
    pub(super) diff_ids: Vec<String>,
}

/// How an image is to be run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageConfig {
    /// `USER` or `USER:GROUP`; empty: root.
    #[serde(deserialize_with = "or_default")]
    pub user: String,
    /// `KEY=VALUE`.
    #[serde(deserialize_with = "or_default")]
    pub env: Vec<String>,
    /// Program and first arguments.
    #[serde(deserialize_with = "or_default")]
    pub entrypoint: Vec<String>,
    /// Further arguments, or the program where there is no entrypoint.
    #[serde(deserialize_with = "or_default")]
    pub cmd: Vec<String>,
    /// Folder to start in; empty: `/`.
    #[serde(deserialize_with = "or_default")]
    pub working_dir: String,
}

/// Go programs write absent lists as `null`.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl ImageConfig {
    /// Program and arguments of an app that says nothing, or only arguments.
    pub fn command(&self, arguments: &[String]) -> Vec<String> {
        let rest = if arguments.is_empty() {
            &self.cmd
        } else {
            arguments
        };
        self.entrypoint.iter().chain(rest).cloned().collect()
    }

    /// Its environment.
    pub fn environment(&self) -> impl Iterator<Item = (String, String)> {
        self.env
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    #[serde(default)]
    platform: Option<Platform>,
    #[serde(default)]
    annotations: std::collections::HashMap<String, String>,
}

#[derive(Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    config: Option<ImageConfig>,
    #[serde(default)]
    architecture: String,
    rootfs: Rootfs,
}

#[derive(Deserialize)]
struct Rootfs {
    diff_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default, deserialize_with = "or_default")]
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

const NAME: &str = "org.opencontainers.image.ref.name";

/// Finds the wanted image among what the files hold.
pub(super) fn find(blobs: &Blobs, tag: Option<&str>) -> Result<Found, OciError> {
    // What `docker save` writes today is both; its own list has the names that people know.
    if blobs.has("manifest.json") {
        return saved(blobs, tag);
    }
    if !blobs.has("index.json") {
        return Err(OciError::Bad(
            "it has neither an index.json (OCI) nor a manifest.json (docker save)".into(),
        ));
    }
    let index: Index = parse(&blobs.read("index.json")?, "index.json")?;
    let named = |entry: &Descriptor| entry.annotations.get(NAME).cloned();
    let chosen = choose(&index.manifests, tag, |entry, tag| {
        named(entry).as_deref() == Some(tag)
    })
    .ok_or_else(|| {
        let names: Vec<String> = index.manifests.iter().filter_map(named).collect();
        which(tag, &names)
    })?;
    let mut chosen = chosen.digest.clone();
    // An index of indexes: one manifest for each platform.
    for _ in 0..4 {
        let bytes = document(blobs, &chosen)?;
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else {
            let index: Index = parse(&bytes, "its index")?;
            chosen = of_this_machine(&index)?;
            continue;
        };
        let config = digest(&manifest.config.digest)?.to_owned();
        let bytes = document(blobs, &manifest.config.digest)?;
        let layers = manifest
            .layers
            .iter()
            .map(|layer| {
                if layer.media_type.contains("nondistributable") {
                    return Err(OciError::Bad("a layer of it is not in it".into()));
                }
                Ok(blob(digest(&layer.digest)?))
            })
            .collect::<Result<_, _>>()?;
        return found(config, &bytes, layers);
    }
    Err(OciError::Bad("its indexes are nested too deeply".into()))
}

fn saved(blobs: &Blobs, tag: Option<&str>) -> Result<Found, OciError> {
    let list: Vec<Saved> = parse(&blobs.read("manifest.json")?, "manifest.json")?;
    let chosen = choose(&list, tag, |entry, tag| {
        entry.repo_tags.iter().any(|name| is_named(name, tag))
    })
    .ok_or_else(|| {
        let names: Vec<String> = list
            .iter()
            .flat_map(|entry| entry.repo_tags.clone())
            .collect();
        which(tag, &names)
    })?;
    let bytes = blobs.read(&chosen.config)?;
    found(sha256(&bytes), &bytes, chosen.layers.clone())
}

/// Whether an image of this whole name is meant: docker leaves its own registry out.
fn is_named(name: &str, tag: &str) -> bool {
    let short = name
        .strip_prefix("docker.io/library/")
        .or_else(|| name.strip_prefix("docker.io/"));
    name == tag || short == Some(tag)
}

fn found(id: String, config: &[u8], layers: Vec<String>) -> Result<Found, OciError> {
    let configuration: Configuration = parse(config, "its configuration")?;
    if !matches!(configuration.architecture.as_str(), "" | "amd64") {
        return Err(OciError::Bad(format!(
            "it is for {}, and this machine is amd64",
            configuration.architecture
        )));
    }
    let diff_ids = configuration.rootfs.diff_ids;
    if diff_ids.len() != layers.len() {
        return Err(OciError::Bad(format!(
            "it has {} layers, and its configuration names {}",
            layers.len(),
            diff_ids.len()
        )));
    }
    Ok(Found {
        id,
        config: configuration.config.unwrap_or_default(),
        layers,
        diff_ids: diff_ids
            .iter()
            .map(|id| digest(id).map(str::to_owned))
            .collect::<Result<_, _>>()?,
    })
}

/// The one that is wanted, or the only one.
fn choose<'a, T>(all: &'a [T], tag: Option<&str>, is: impl Fn(&T, &str) -> bool) -> Option<&'a T> {
    match tag {
        Some(tag) => all.iter().find(|each| is(each, tag)),
        None if all.len() == 1 => all.first(),
        None => None,
    }
}

fn which(tag: Option<&str>, names: &[String]) -> OciError {
    let list = if names.is_empty() {
        "none of its images has a name".to_owned()
    } else {
        format!("its images are {}", names.join(", "))
    };
    OciError::Bad(match tag {
        Some(tag) => format!("it has no image `{tag}`: {list}"),
        None => format!("it has more than one image, or none: {list}"),
    })
}

fn of_this_machine(index: &Index) -> Result<String, OciError> {
    let fits = |entry: &&Descriptor| {
        entry
            .platform
            .as_ref()
            .is_some_and(|it| it.architecture == "amd64" && it.os == "linux")
    };
    let chosen = index.manifests.iter().find(fits);
    let chosen = chosen.or_else(|| choose(&index.manifests, None, |_, _| false));
    chosen
        .map(|entry| entry.digest.clone())
        .ok_or_else(|| OciError::Bad("it has nothing for linux on amd64".into()))
}

/// A document, checked against its digest.
fn document(blobs: &Blobs, wanted: &str) -> Result<Vec<u8>, OciError> {
    let wanted = digest(wanted)?;
    let bytes = blobs.read(&blob(wanted))?;
    if sha256(&bytes) != wanted {
        return Err(OciError::Bad(format!(
            "its file {} is damaged: the digest is another",
            blob(wanted)
        )));
    }
    Ok(bytes)
}

/// The hex digits of `sha256:...`. They become parts of paths.
fn digest(text: &str) -> Result<&str, OciError> {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    if hex.len() != 64 || !hex.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(OciError::Bad(format!("`{text}` is no SHA-256 digest")));
    }
    Ok(hex)
}

fn blob(hex: &str) -> String {
    format!("blobs/sha256/{hex}")
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &str) -> Result<T, OciError> {
    serde_json::from_slice(bytes)
        .map_err(|error| OciError::Bad(format!("{what} cannot be read: {error}")))
}
