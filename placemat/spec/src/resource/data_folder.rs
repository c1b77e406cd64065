//! `kind: DataFolder`: files that nodes find on a volume of kind `vvfat`.

use super::{Labels, Name, image, labels};
use crate::Place;
use crate::cluster::FileKind;
use crate::document::{Fields, Item};
use crate::draft::Reading;
use crate::print::{Map, Value};
use crate::problem::Problem;
use crate::schema::{FILE_NAME, Key, KindDoc, PATH, SHA256, Shape, URL};
use crate::value::{HttpUrl, Sha256};
use std::collections::HashMap;
use std::path::PathBuf;

/// A checked `DataFolder`.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFolder {
    /// Its name.
    pub name: Name,
    /// What is in it.
    pub content: FolderContent,
    /// Labels.
    pub labels: Labels,
    /// Where its name stands.
    pub place: Place,
}

/// What is in a data folder.
#[derive(Debug, Clone, PartialEq)]
pub enum FolderContent {
    /// What a folder of the host has in it.
    Dir(PathBuf),
    /// These files, put together when the lab starts.
    Files(Vec<FolderFile>),
}

/// A file of a data folder.
#[derive(Debug, Clone, PartialEq)]
pub struct FolderFile {
    /// Its name in the folder.
    pub name: Name,
    /// Where it comes from.
    pub source: FileSource,
    /// What it must hash to.
    pub sha256: Option<Sha256>,
    /// Where its name stands.
    pub place: Place,
}

/// Where a file of a data folder comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum FileSource {
    /// A file of the host.
    File(PathBuf),
    /// It is downloaded once.
    Url(HttpUrl),
}

/// What it may say.
pub(crate) const DOC: KindDoc = KindDoc {
    name: "DataFolder",
    doc: "Files that nodes find on a read-only volume of kind `vvfat`. It has either `dir` or `files`.",
    keys: &[
        Key::optional("dir", Shape::Form(&PATH), "A folder, with what is in it."),
        Key::optional(
            "files",
            Shape::List(&Shape::Map(&[
                Key::required("name", Shape::Form(&FILE_NAME), "Its name in the folder."),
                Key::optional(
                    "file",
                    Shape::Form(&PATH),
                    "A file of the host, or else `url`.",
                ),
                Key::optional(
                    "url",
                    Shape::Form(&URL),
                    "Where it is downloaded from, once.",
                ),
                Key::optional("sha256", Shape::Form(&SHA256), "What it must hash to."),
            ])),
            "Files, put together when the lab starts.",
        ),
        labels::KEY,
    ],
    example: "\
kind: DataFolder
name: host-data
files:
  - {name: copied_readme.txt, file: README.txt}
",
};

pub(crate) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) {
    let dir = fields.opt("dir").and_then(|it| it.string());
    let files = fields.opt("files").and_then(|it| it.list());
    if !exactly_one(fields, ["dir", "files"]) {
        return;
    }
    let content = match (dir, files) {
        (Some(dir), _) => {
            FolderContent::Dir(reading.file(FileKind::Folder, &dir, "the folder", None))
        }
        (None, files) => FolderContent::Files(read_files(&files.unwrap_or_default(), reading)),
    };
    let folder = DataFolder {
        name: reading.name.value.clone(),
        content,
        labels: labels::read(fields),
        place: reading.place(),
    };
    reading
        .draft
        .cluster
        .data_folders
        .entry(folder.name.clone())
        .or_insert(folder);
}

/// Whether one of two keys is there; what is wrong is reported.
fn exactly_one(fields: &mut Fields<'_>, keys: [&'static str; 2]) -> bool {
    let [one, other] = keys;
    let places = keys.map(|key| fields.key_place(key));
    match places {
        [Some(_), None] | [None, Some(_)] => return true,
        [None, None] => {
            let problem = Problem::new(
                "missing-key",
                format!("{} has no `{one}` and no `{other}`", fields.describe()),
            )
            .at(fields.place(), "one of the two is required here");
            fields.missing(&keys, problem);
        }
        [Some(first), Some(second)] => fields.findings().error(
            Problem::new(
                "conflict",
                format!("{} has both `{one}` and `{other}`", fields.describe()),
            )
            .at(second, "keep one of the two")
            .at(first, "the other is here"),
        ),
    }
    false
}

fn read_files(items: &[Item<'_>], reading: &mut Reading<'_>) -> Vec<FolderFile> {
    let mut names: HashMap<String, Place> = HashMap::new();
    let mut files = Vec::new();
    for item in items {
        let Some(file) = read_file(item, reading) else {
            continue;
        };
        // FAT does not tell upper from lower case.
        if let Some(first) = names.insert(file.name.to_lowercase(), file.place) {
            item.findings().error(
                Problem::new(
                    "duplicate-name",
                    format!("{} has two files named `{}`", reading.owner, file.name),
                )
                .at(file.place, "named again here")
                .at(first, "first named here"),
            );
        }
        files.push(file);
    }
    files
}

fn read_file(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<FolderFile> {
    let mut fields = item.fields()?;
    let name = fields.req("name").and_then(|it| {
        it.parse("bad-name", "the name of a file", |name| {
            if name.is_empty() || name == "." || name == ".." {
                Err("not the name of a file")
            } else if name.contains(|c: char| c.is_control() || "/\\:*?\"<>|".contains(c)) {
                Err("FAT has no such names")
            } else if name.len() > 255 {
                Err("more than 255 bytes")
            } else {
                Ok(name.to_owned())
            }
        })
    });
    let file = fields.opt("file").and_then(|it| it.string());
    let url = fields.opt("url").and_then(|it| image::url(&it));
    let sha256 = fields.opt("sha256").and_then(|it| image::sha256(&it));
    let one = exactly_one(&mut fields, ["file", "url"]);
    fields.finish();
    let source = match (file, url) {
        (Some(file), _) => FileSource::File(reading.file(FileKind::File, &file, "a file", None)),
        (None, Some(url)) => FileSource::Url(url.value),
        (None, None) => return None,
    };
    let name = name.filter(|_| one)?;
    Some(FolderFile {
        place: name.place,
        name: name.value,
        source,
        sha256,
    })
}

/// Prints a [`DataFolder`].
pub(crate) fn print(folder: &DataFolder) -> Map {
    let DataFolder {
        name,
        content,
        labels,
        place: _,
    } = folder;
    let map = Map::resource("DataFolder", name);
    let map = match content {
        FolderContent::Dir(path) => map.text("dir", path.display()),
        // One without files is a folder, too.
        FolderContent::Files(files) => {
            let files = files.iter().map(|file| print_file(file).into());
            map.with("files", Value::List(files.collect()))
        }
    };
    map.labels(labels)
}

fn print_file(file: &FolderFile) -> Map {
    let FolderFile {
        name,
        source,
        sha256,
        place: _,
    } = file;
    let map = Map::new().text("name", name);
    let map = match source {
        FileSource::File(path) => map.text("file", path.display()),
        FileSource::Url(url) => map.text("url", url.as_str()),
    };
    map.maybe_text("sha256", *sha256)
}
