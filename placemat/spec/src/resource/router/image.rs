//! Where an OCI image comes from: `image:` of a router and of a pod's app, in skopeo's words.

use crate::Place;
use crate::cluster::FileKind;
use crate::document::{At, Fields};
use crate::draft::Reading;
use crate::problem::Problem;
use std::path::{Path, PathBuf};

/// An OCI image that something runs on. Two are the same that come from the same place, however that
/// is written.
#[derive(Debug, Clone)]
pub struct OciImage {
    /// Where it comes from.
    pub source: OciSource,
    /// As it was written.
    pub text: String,
    /// Where it was written.
    pub place: Place,
}

impl PartialEq for OciImage {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for OciImage {}

impl OciImage {
    /// As a file writes it whose paths begin anywhere.
    pub(in crate::resource) fn resolved(&self) -> String {
        let form = self.text.split(':').next().unwrap_or_default();
        match &self.source {
            OciSource::Layout { path, tag } | OciSource::Archive { path, tag } => {
                let tag = tag
                    .as_ref()
                    .map_or_else(String::new, |tag| format!(":{tag}"));
                format!("{form}:{}{tag}", path.display())
            }
            OciSource::Registry { name } => format!("docker://{name}"),
        }
    }
}

/// Where an OCI image comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OciSource {
    /// `oci:FOLDER[:TAG]`: an OCI image layout.
    Layout {
        /// The folder, resolved.
        path: PathBuf,
        /// Which of its images; needed where it has more than one.
        tag: Option<String>,
    },
    /// `oci-archive:FILE[:TAG]` (a layout in a tar file), `docker-archive:FILE[:NAME]` (what
    /// `docker save` writes).
    Archive {
        /// The file, resolved.
        path: PathBuf,
        /// Which of its images; needed where it has more than one.
        tag: Option<String>,
    },
    /// `docker://NAME`: from a registry, by skopeo.
    Registry {
        /// `quay.io/some/where:tag`.
        name: String,
    },
}

const FORMS: &str = "forms are `oci:FOLDER[:TAG]`, `oci-archive:FILE[:TAG]`, \
`docker-archive:FILE[:NAME]` and `docker://REGISTRY/NAME[:TAG]`";

/// Takes `image`.
pub(in crate::resource) fn read(
    fields: &mut Fields<'_>,
    reading: &mut Reading<'_>,
) -> Option<OciImage> {
    let item = fields.opt("image")?;
    let text = item.string()?;
    let wrong = |label: &str| {
        let problem = item.problem("bad-image", "is no OCI image", label);
        item.findings().error(problem.help(FORMS));
    };
    let source = match parse(&text.value) {
        Ok(Form::Registry(name)) => OciSource::Registry { name },
        Ok(Form::Layout(path, tag)) => {
            let path = file(FileKind::Folder, path, &text, reading);
            OciSource::Layout { path, tag }
        }
        Ok(Form::Archive(path, tag)) => {
            let path = file(FileKind::File, path, &text, reading);
            OciSource::Archive { path, tag }
        }
        Err(label) => {
            wrong(label);
            return None;
        }
    };
    Some(OciImage {
        source,
        place: text.place,
        text: text.value,
    })
}

fn file(kind: FileKind, path: String, text: &At<String>, reading: &mut Reading<'_>) -> PathBuf {
    let path = At::new(path, text.place);
    reading.file(kind, &path, "the OCI image", None)
}

/// Reports an image where none can be, because of another key.
pub(super) fn conflict(fields: &Fields<'_>, image: &OciImage, key: &str, place: Place) {
    fields.findings().error(
        Problem::new(
            "conflict",
            format!("{} has an `image` and `{key}`", fields.describe()),
        )
        .at(image.place, "its root file system is this image")
        .at(place, "and not the host's")
        .help("remove one of them"),
    );
}

#[derive(Debug, PartialEq, Eq)]
enum Form {
    Layout(String, Option<String>),
    Archive(String, Option<String>),
    Registry(String),
}

/// Tells the forms apart; the error says what is wrong in a few words.
fn parse(text: &str) -> Result<Form, &'static str> {
    if let Some(name) = text.strip_prefix("docker://") {
        let fine = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        if name.is_empty() || name.starts_with(['-', '/', ':']) || !name.chars().all(fine) {
            return Err("not the name of an image in a registry");
        }
        return Ok(Form::Registry(name.to_owned()));
    }
    let Some((form, rest)) = text.split_once(':') else {
        return Err("does not say what it is");
    };
    // skopeo's rule: what follows the first colon of a path is the tag.
    let (path, tag) = match rest.split_once(':') {
        Some((path, tag)) => (path, Some(tag.to_owned())),
        None => (rest, None),
    };
    if !matches!(form, "oci" | "oci-archive" | "docker-archive") {
        return Err("unknown form of image");
    }
    if path.is_empty() || Path::new(path) == Path::new("/") {
        return Err("names no file");
    }
    if tag.as_deref() == Some("") {
        return Err("names no tag after the colon");
    }
    Ok(match form {
        "oci" => Form::Layout(path.to_owned(), tag),
        _ => Form::Archive(path.to_owned(), tag),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart() {
        let some = |tag: &str| Some(tag.to_owned());
        assert_eq!(parse("oci:a/b"), Ok(Form::Layout("a/b".into(), None)));
        assert_eq!(
            parse("oci-archive:a.tar:v1"),
            Ok(Form::Archive("a.tar".into(), some("v1")))
        );
        assert_eq!(
            parse("docker-archive:a.tar:quay.io/x/y:2"),
            Ok(Form::Archive("a.tar".into(), some("quay.io/x/y:2")))
        );
        assert_eq!(
            parse("docker://quay.io/x/y:2"),
            Ok(Form::Registry("quay.io/x/y:2".into()))
        );
        for bad in [
            "",
            "bird",
            "oci:",
            "oci:a:",
            "tar:x",
            "docker://",
            "docker://-h",
            "docker://a b",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
