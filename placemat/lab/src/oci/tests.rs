//! Images made here, unpacked and looked at.

mod layout;

use super::*;
use layout::{Entry, Pack, tar};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

const CONFIG: &str = r#"{"User":"bird:bird","Env":["PATH=/bin","A=b=c"],"Entrypoint":["/bin/sh","-c"],"Cmd":["sleep 1"],"WorkingDir":"/srv"}"#;

fn file(name: &'static str, text: &str) -> Entry {
    Entry::File(name, text.as_bytes().to_vec(), 0o644)
}

fn layers(all: &[&[Entry]]) -> Vec<(Vec<u8>, Pack)> {
    all.iter()
        .enumerate()
        .map(|(index, entries)| {
            (
                tar(entries),
                if index % 2 == 0 {
                    Pack::Gzip
                } else {
                    Pack::Plain
                },
            )
        })
        .collect()
}

fn unpack(dir: &Path, all: &[&[Entry]]) -> Result<Unpacked, OciError> {
    let folder = dir.join("layout");
    layout::write(&folder, &layers(all), CONFIG);
    Store::new(&dir.join("cache")).get(&OciSource::Layout {
        path: folder,
        tag: None,
    })
}

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn layers_lie_over_each_other() {
    let dir = temporary();
    let base: &[Entry] = &[
        Entry::Folder("./", 0o755),
        Entry::Folder("bin/", 0o755),
        Entry::File("bin/sh", b"shell".to_vec(), 0o4755),
        Entry::Link("bin/ash", "bin/sh"),
        Entry::Symlink("lib", "/usr/lib"),
        Entry::Folder("usr/lib", 0o755),
        file("usr/lib/old", "old"),
        file("etc/gone", "gone"),
        file("etc/kept", "kept"),
        file("opaque/lower", "lower"),
        file("opaque/deep/lower", "lower"),
        file("becomes-a-folder", "file"),
        Entry::Folder("becomes-a-file", 0o755),
        file("becomes-a-file/inside", "x"),
    ];
    let second: &[Entry] = &[
        file("etc/.wh.gone", ""),
        // By way of the link: it is the image's own /usr/lib.
        file("lib/new", "new"),
        file("opaque/own", "own"),
        file("opaque/.wh..wh..opq", ""),
        file("opaque/deep/own", "own"),
        Entry::Folder("becomes-a-folder", 0o700),
        file("becomes-a-folder/inside", "y"),
        file("becomes-a-file", "z"),
        Entry::Owner(101),
        Entry::File("owned", b"o".to_vec(), 0o640),
    ];
    let third: &[Entry] = &[file("usr/lib/.wh.old", ""), file(".wh.nothing", "")];
    let image = unpack(dir.path(), &[base, second, third]).expect("unpacked");
    let tree = &image.tree;
    let read = |name: &str| fs::read_to_string(tree.join(name)).unwrap_or_else(|_| "-".into());
    for (name, text) in [
        ("bin/ash", "shell"),
        ("etc/gone", "-"),
        ("etc/kept", "kept"),
        ("usr/lib/old", "-"),
        ("usr/lib/new", "new"),
        ("opaque/lower", "-"),
        ("opaque/deep/lower", "-"),
        ("opaque/own", "own"),
        ("opaque/deep/own", "own"),
        ("becomes-a-folder/inside", "y"),
        ("becomes-a-file", "z"),
    ] {
        assert_eq!(read(name), text, "{name}");
    }
    let meta = |name: &str| fs::symlink_metadata(tree.join(name)).expect("there");
    assert_eq!(meta("bin/sh").ino(), meta("bin/ash").ino());
    assert_eq!(meta("bin/sh").permissions().mode() & 0o7777, 0o4755);
    assert!(meta("lib").is_symlink());
    let own = placemat_host::process::effective_uid();
    assert_eq!(meta("owned").uid(), if own == 0 { 101 } else { own });
    for name in ["dev", "proc", "sys", "run", "etc", "tmp"] {
        assert!(meta(name).is_dir(), "{name}");
    }
    assert_eq!(meta("tmp").permissions().mode() & 0o7777, 0o1777);
    // Nobody else may reach programs that change the user.
    let cache = fs::metadata(dir.path().join("cache/oci")).expect("there");
    assert_eq!(cache.permissions().mode() & 0o777, 0o700);
    assert_eq!(image.config.user, "bird:bird");
    assert_eq!(image.config.working_dir, "/srv");
    assert_eq!(image.config.command(&[]), ["/bin/sh", "-c", "sleep 1"]);
    assert_eq!(
        image.config.command(&["true".to_owned()]),
        ["/bin/sh", "-c", "true"]
    );
    let env: Vec<_> = image.config.environment().collect();
    assert_eq!(env[1], ("A".to_owned(), "b=c".to_owned()));
}

#[test]
fn nothing_leads_out_of_the_tree() {
    let outside = temporary();
    let victim = outside.path().join("victim");
    fs::write(&victim, "as it was").expect("a file");
    let target: &'static str = Box::leak(outside.path().display().to_string().into_boxed_str());
    let climbs: &[&[Entry]] = &[
        &[file("../victim", "x")],
        &[file("a/../../victim", "x")],
        &[Entry::Link("a", "../victim")],
        &[Entry::Folder("../../x", 0o755)],
    ];
    for entries in climbs {
        let dir = temporary();
        let error = unpack(dir.path(), &[entries]).expect_err("refused");
        assert!(error.to_string().contains("leads out of it"), "{error}");
        // What is not whole has no name.
        let left = fs::read_dir(dir.path().join("cache/oci")).expect("a folder");
        assert!(left.flatten().all(|it| !it.path().join("rootfs").exists()
            || it.file_name().as_encoded_bytes().starts_with(b".new-")));
    }
    // A link to a folder of the host's, and what is written, linked and removed by way of it.
    let dir = temporary();
    let link: &[Entry] = &[
        Entry::Symlink("out", target),
        Entry::Symlink("file", "/etc/passwd"),
    ];
    let through: &[Entry] = &[
        file("out/victim", "x"),
        file("file", "mine"),
        file("out/new", "x"),
    ];
    let hidden: &[Entry] = &[file("out/.wh.victim", ""), file("out/.wh..wh..opq", "")];
    let image = unpack(dir.path(), &[link, through, hidden]).expect("unpacked");
    assert_eq!(fs::read_to_string(&victim).expect("a file"), "as it was");
    assert_eq!(fs::read_dir(outside.path()).expect("a folder").count(), 1);
    // By way of a link a folder is made where the link leads in the tree.
    let target = outside.path().strip_prefix("/").expect("absolute");
    assert!(image.tree.join(target).is_dir());
    assert_eq!(
        fs::read_to_string(image.tree.join("file")).expect("a file"),
        "mine"
    );
}

#[test]
fn damage_is_seen() {
    let dir = temporary();
    let folder = dir.path().join("layout");
    layout::write(&folder, &layers(&[&[file("a", "a")]]), "{}");
    let store = Store::new(&dir.path().join("cache"));
    let get = |tag: Option<&str>| {
        let source = OciSource::Layout {
            path: folder.clone(),
            tag: tag.map(str::to_owned),
        };
        store
            .get(&source)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        get(Some("v2")),
        Err("it has no image `v2`: its images are v1".into())
    );
    let blobs = folder.join("blobs/sha256");
    let find = |what: &str| {
        let blobs = fs::read_dir(&blobs).expect("a folder").flatten();
        let mut paths = blobs.map(|it| it.path());
        paths
            .find(|path| {
                let bytes = fs::read(path).expect("a blob");
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if what.is_empty() {
                    bytes.starts_with(&[0x1f, 0x8b])
                } else {
                    text.contains(what)
                }
            })
            .expect("a blob")
    };
    let layer = find("");
    let good = fs::read(&layer).expect("a blob");
    let other = tar(&[file("a", "b")]);
    fs::write(&layer, other).expect("a blob");
    assert_eq!(
        get(Some("v1")),
        Err("a layer of it is damaged: the digest is another".into())
    );
    fs::write(&layer, &good[..good.len() / 2]).expect("a blob");
    assert!(get(None).is_err());
    fs::write(&layer, &good).expect("a blob");
    assert_eq!(get(None), Ok(()));
    // A configuration that somebody changed is noticed before the cache is asked.
    let config = find("diff_ids");
    let text = fs::read_to_string(&config).expect("a blob");
    fs::write(&config, text.replace("amd64", "arm64")).expect("a blob");
    assert!(get(None).expect_err("damaged").contains("is damaged"));
    fs::remove_file(folder.join("index.json")).expect("removed");
    assert!(
        get(None)
            .expect_err("empty")
            .contains("neither an index.json")
    );
}

#[test]
fn archives_are_read_in_place() {
    let dir = temporary();
    let folder = dir.path().join("layout");
    layout::write(&folder, &layers(&[&[file("a", "a")]]), "{}");
    let archive = dir.path().join("image.tar");
    let mut builder = tar::Builder::new(fs::File::create(&archive).expect("a file"));
    builder.append_dir_all(".", &folder).expect("a tar file");
    builder.finish().expect("a tar file");
    let store = Store::new(&dir.path().join("cache"));
    let get = |path: &Path, tag: Option<&str>| {
        store.get(&OciSource::Archive {
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
        })
    };
    let image = get(&archive, Some("v1")).expect("unpacked");
    assert_eq!(fs::read_to_string(image.tree.join("a")).expect("a"), "a");

    // As `docker save` writes it: two names, one layer a link to the other's.
    let layer = tar(&[file("b", "b")]);
    let id = layout::sha256(&layer);
    let config = format!(
        r#"{{"architecture":"amd64","config":{{"Cmd":null}},"rootfs":{{"diff_ids":["sha256:{id}","sha256:{id}"]}}}}"#
    );
    let list = r#"[{"Config":"c.json","RepoTags":["docker.io/x/y:1"],"Layers":["one/layer.tar","two/layer.tar"]},{"Config":"c.json","RepoTags":null,"Layers":["one/layer.tar","two/layer.tar"]}]"#;
    let saved = dir.path().join("saved.tar");
    let entries = [
        Entry::File("c.json", config.into_bytes(), 0o644),
        Entry::File("one/layer.tar", layer, 0o644),
        Entry::Symlink("two/layer.tar", "../one/layer.tar"),
        Entry::File("manifest.json", list.as_bytes().to_vec(), 0o644),
    ];
    fs::write(&saved, tar(&entries)).expect("a file");
    let image = get(&saved, Some("x/y:1")).expect("unpacked");
    assert_eq!(fs::read_to_string(image.tree.join("b")).expect("b"), "b");
    let error = get(&saved, None).expect_err("two images");
    assert_eq!(
        error.to_string(),
        "it has more than one image, or none: its images are docker.io/x/y:1"
    );
    fs::write(&saved, [0x1f, 0x8b, 0, 0]).expect("a file");
    assert!(
        get(&saved, None)
            .expect_err("gzip")
            .to_string()
            .contains("gunzip")
    );
}

#[test]
fn a_second_use_unpacks_nothing() {
    let dir = temporary();
    let entries: &[Entry] = &[file("a", "a")];
    let one = unpack(dir.path(), &[entries]).expect("unpacked");
    let mark = one.tree.join("mark");
    fs::write(&mark, "").expect("a file");
    let two = unpack(dir.path(), &[entries]).expect("unpacked");
    assert_eq!(one.tree, two.tree);
    assert!(mark.exists());
}

/// What stands in for skopeo writes a layout where it is told to, once.
#[test]
fn registries_are_asked_once() {
    let dir = temporary();
    let folder = dir.path().join("layout");
    layout::write(&folder, &layers(&[&[file("a", "a")]]), "{}");
    let script = dir.path().join("skopeo");
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in *gone*) echo first >&2; echo 'no such manifest' >&2; exit 1;; esac\necho \"$@\" >> {0}/calls\nfor to; do :; done\ncp -r {0}/layout/. \"${{to#oci:}}\"\n",
        dir.path().display()
    );
    fs::write(&script, text).expect("a file");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("a mode");
    let script: &'static str = Box::leak(script.display().to_string().into_boxed_str());
    let store = Store::new(&dir.path().join("cache"));
    let get = |store: &Store, name: &str| {
        store.get(&OciSource::Registry {
            name: name.to_owned(),
        })
    };
    let missing = get(&store.clone().fetching_by("no-such-skopeo"), "quay.io/x:1");
    let missing = missing.expect_err("not installed");
    assert!(missing.to_string().ends_with("and is not installed"));
    assert!(missing.remedy().starts_with("apt install skopeo"));
    let store = store.fetching_by(script);
    for _ in 0..2 {
        let image = get(&store, "quay.io/x:1").expect("fetched");
        assert_eq!(fs::read_to_string(image.tree.join("a")).expect("a"), "a");
    }
    let calls = fs::read_to_string(dir.path().join("calls")).expect("calls");
    assert_eq!(calls.lines().count(), 1);
    assert!(calls.contains(" docker://quay.io/x:1 oci:"), "{calls}");
    let failed = get(&store, "quay.io/gone:1").expect_err("gone").to_string();
    assert_eq!(failed, "skopeo failed: no such manifest");
}

#[test]
fn a_prune_spares_what_is_in_use_or_was_of_late() {
    use std::time::Duration;
    let dir = temporary();
    let store = Store::new(&dir.path().join("cache"));
    assert_eq!(store.prune(Duration::ZERO).expect("nothing yet").files, 0);
    let used = unpack(dir.path(), &[&[file("etc/one", "one")]]).expect("an image");
    let other = unpack(dir.path(), &[&[file("etc/two", "two")]]).expect("an image");
    let note = dir.path().join("cache/oci/name-abc");
    let id = other
        .tree
        .parent()
        .and_then(Path::file_name)
        .expect("a name");
    fs::write(&note, id.as_encoded_bytes()).expect("write");
    let (tree, again) = (other.tree.clone(), other.clone());
    drop(other);
    let all = store.prune(Duration::ZERO).expect("pruned");
    assert_eq!(
        (all.files, all.kept),
        (0, 2),
        "a copy is in use as the first is"
    );
    drop(again);
    let hour = Duration::from_secs(3600);
    let none = store.prune(hour).expect("pruned");
    assert_eq!((none.files, none.kept), (0, 0), "it was used of late");
    let one = store.prune(Duration::ZERO).expect("pruned");
    assert_eq!((one.files, one.kept), (1, 1));
    assert!(one.bytes > 0);
    assert!(!tree.exists() && !note.exists());
    assert!(used.tree.join("etc/one").exists());
    // What was removed is unpacked again.
    unpack(dir.path(), &[&[file("etc/two", "two")]]).expect("an image");
    assert!(tree.join("etc/two").exists());
}
