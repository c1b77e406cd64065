//! The cache against a server on loopback that misbehaves.

mod resume;
mod server;

use super::store::{Held, Original, Request, Store};
use super::{DownloadError, ImageError, Pruned, Watch};
use placemat_spec::resource::Compression;
use placemat_spec::value::{HttpUrl, Sha256};
use server::{Server, cut, ok, reply};
use sha2::Digest;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Keeps what it hears.
#[derive(Default)]
struct Notes(Vec<String>);

impl Watch for Notes {
    fn note(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
    fn begin(&mut self, act: &str, name: &str) {
        self.0.push(format!("{act} {name}"));
    }
    fn progress(&mut self, _: u64, _: Option<u64>) {}
    fn end(&mut self) {}
}

struct Fixture {
    folder: TempDir,
    store: Store,
    notes: Notes,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::patient(folder.path(), Duration::from_millis(1));
        Self {
            folder,
            store,
            notes: Notes::default(),
        }
    }

    fn get(&mut self, url: &HttpUrl) -> Result<Held, ImageError> {
        self.get_as(url, None, None)
    }

    fn get_as(
        &mut self,
        url: &HttpUrl,
        compression: Option<Compression>,
        sha256: Option<Sha256>,
    ) -> Result<Held, ImageError> {
        let request = Request {
            source: Original::Url(url),
            compression,
            sha256,
        };
        self.store.get(&request, &mut self.notes)
    }

    /// Files in the cache.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join("images")).expect("cache");
        entries.map(|entry| entry.expect("entry").path()).collect()
    }

    /// Asserts that nothing is there but images and what is known of them.
    fn assert_tidy(&self) {
        for path in self.files() {
            let end = path.extension().expect("extension");
            assert!(end == "img" || end == "json", "{}", path.display());
            assert!(!path.display().to_string().contains("partial"));
        }
    }

    /// Errors and notes without what differs from run to run.
    fn shown(&self, server: &Server, error: &ImageError) -> String {
        let error = crate::error::chain(error);
        let address = server.address.to_string();
        let folder = self.folder.path().display().to_string();
        [self.notes.0.join("\n"), error]
            .join("\n")
            .replace(&address, "SERVER")
            .replace(&folder, "CACHE")
    }
}

fn content(held: &Held) -> Vec<u8> {
    fs::read(&held.path).expect("read")
}

/// More than a read brings at once.
fn body() -> Vec<u8> {
    (0..300_000_u32).flat_map(u32::to_le_bytes).collect()
}

const TAG: &[(&str, &str)] = &[("ETag", "\"v1\"")];

#[test]
fn is_fetched_once() {
    let server = Server::start(vec![ok(TAG, &body())]);
    let mut fixture = Fixture::new();
    let first = fixture.get(&server.url).expect("first");
    assert_eq!(content(&first), body());
    let again = fixture.get(&server.url).expect("again");
    assert_eq!(again.path, first.path);
    assert_eq!(server.requests().len(), 1);
    fixture.assert_tidy();
    let list = fixture.store.list().expect("list");
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].source, server.url.to_string());
    assert_eq!(list[0].size, body().len() as u64);
}

#[test]
fn a_busy_server_is_asked_again() {
    let busy = [("Retry-After", "0")];
    let server = Server::start(vec![reply(503, &busy, b""), ok(&[], b"disk")]);
    let mut fixture = Fixture::new();
    let held = fixture.get(&server.url).expect("whole");
    assert_eq!(content(&held), b"disk");
}

#[test]
fn chunks_without_a_length_and_a_chunk_that_is_missing() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = "4\r\ndisk\r\n6\r\n image\r\n";
    let server = Server::start(vec![
        format!("{head}{chunks}").into_bytes(),
        format!("{head}{chunks}0\r\n\r\n").into_bytes(),
    ]);
    let mut fixture = Fixture::new();
    let held = fixture.get(&server.url).expect("whole");
    assert_eq!(content(&held), b"disk image");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn redirects_are_followed() {
    let server = Server::start(vec![
        reply(302, &[("Location", "/elsewhere")], b""),
        ok(&[], b"disk"),
    ]);
    let mut fixture = Fixture::new();
    let held = fixture.get(&server.url).expect("whole");
    assert_eq!(content(&held), b"disk");
    assert_eq!(server.requests()[1].path(), "/elsewhere");
}

#[test]
fn what_is_not_there_fails_at_once() {
    let server = Server::start(vec![reply(404, &[], b"no")]);
    let mut fixture = Fixture::new();
    let error = fixture.get(&server.url).expect_err("404");
    insta::assert_snapshot!(fixture.shown(&server, &error));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn gives_up_when_nothing_comes() {
    let server = Server::start(vec![reply(500, &[], b""); 9]);
    let mut fixture = Fixture::new();
    let error = fixture.get(&server.url).expect_err("500");
    assert!(matches!(
        &error,
        ImageError::Download {
            source: DownloadError::GaveUp(_),
            ..
        }
    ));
    insta::assert_snapshot!(fixture.shown(&server, &error));
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn nobody_listens() {
    let server = Server::start(Vec::new());
    server.close();
    let mut fixture = Fixture::new();
    let error = fixture.get(&server.url).expect_err("refused");
    insta::assert_snapshot!(fixture.shown(&server, &error));
}

#[test]
fn another_file_than_was_meant_is_never_used() {
    let server = Server::start(vec![ok(TAG, b"evil"), ok(TAG, b"disk")]);
    let mut fixture = Fixture::new();
    let wanted = Sha256(sha2::Sha256::digest(b"disk").into());
    let error = fixture
        .get_as(&server.url, None, Some(wanted))
        .expect_err("wrong");
    insta::assert_snapshot!(fixture.shown(&server, &error));
    assert_eq!(fixture.files().len(), 0);
    let held = fixture
        .get_as(&server.url, None, Some(wanted))
        .expect("right");
    assert_eq!(content(&held), b"disk");
    // What is in the cache is of no use where another is wanted.
    let other = Sha256([0; 32]);
    fixture
        .get_as(&server.url, None, Some(other))
        .expect_err("the server has no third");
}

#[test]
fn a_changed_file_has_another_path() {
    let server = Server::start(vec![ok(TAG, b"one"), ok(TAG, b"two")]);
    let mut fixture = Fixture::new();
    let first = fixture.get(&server.url).expect("one");
    let wanted = Sha256(sha2::Sha256::digest(b"two").into());
    let second = fixture
        .get_as(&server.url, None, Some(wanted))
        .expect("two");
    assert_ne!(first.path, second.path);
    // The first is still held.
    assert_eq!(content(&first), b"one");
    assert_eq!(fixture.store.list().expect("list").len(), 1);
}

#[test]
fn half_of_a_file_from_a_crash_is_not_taken_for_a_whole() {
    let server = Server::start(vec![ok(TAG, b"whole"), ok(TAG, b"whole")]);
    let mut fixture = Fixture::new();
    let held = fixture.get(&server.url).expect("first");
    let json = held.path.with_extension("json");
    let key = held.path.file_name().unwrap().to_string_lossy()[..32].to_owned();
    let path = held.path.clone();
    drop(held);
    // As if the host had died: a part that no words belong to, half an unpacked image.
    fs::remove_file(&path).expect("remove");
    let images = fixture.folder.path().join("images");
    fs::write(images.join(format!("{key}.partial")), "wh").expect("write");
    fs::write(path.with_extension("img.new"), "wh").expect("write");
    assert!(!json.exists());
    let held = fixture.get(&server.url).expect("second");
    assert_eq!(content(&held), b"whole");
    assert_eq!(server.requests()[1].header("range"), None);
}

#[test]
fn every_compression_is_unpacked_once_with_holes() {
    let mut whole = b"placemat disk\n".repeat(100);
    whole.extend(vec![0; 300_000]);
    whole.extend(b"end\n");
    let packed: [(Compression, &[u8]); 4] = [
        (
            Compression::Gzip,
            include_bytes!("tests/packed/disk.img.gz"),
        ),
        (
            Compression::Bzip2,
            include_bytes!("tests/packed/disk.img.bz2"),
        ),
        (Compression::Xz, include_bytes!("tests/packed/disk.img.xz")),
        (
            Compression::Zstd,
            include_bytes!("tests/packed/disk.img.zst"),
        ),
    ];
    for (compression, bytes) in packed {
        assert_eq!(Compression::of(bytes), Some(compression));
        let mut damaged = bytes.to_vec();
        let at = damaged.len() / 3;
        damaged[at] ^= 0xff;
        let cut = &bytes[..bytes.len() - 3];
        let server = Server::start(vec![ok(&[], &damaged), ok(&[], cut), ok(&[], bytes)]);
        let mut fixture = Fixture::new();
        for _ in 0..2 {
            let error = fixture
                .get_as(&server.url, Some(compression), None)
                .expect_err("damaged");
            assert!(matches!(error, ImageError::Unpack { .. }), "{error:?}");
            fixture.assert_tidy();
        }
        let digest = Sha256(sha2::Sha256::digest(bytes).into());
        let held = fixture
            .get_as(&server.url, Some(compression), Some(digest))
            .unwrap_or_else(|error| panic!("{compression:?}: {}", crate::error::chain(&error)));
        assert!(content(&held) == whole, "{compression:?}");
        let blocks = fs::metadata(&held.path).expect("metadata").blocks();
        assert!(blocks * 512 < 250_000, "{blocks} blocks");
        fixture.assert_tidy();
    }
}

#[test]
fn a_local_file_is_unpacked_again_when_it_has_changed() {
    let mut fixture = Fixture::new();
    let path = fixture.folder.path().join("disk.img.gz");
    let mut get = |bytes: &[u8]| {
        use std::io::Write;
        let file = fs::File::create(&path).expect("create");
        let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        packer.write_all(bytes).expect("write");
        packer.finish().expect("write");
        let request = Request {
            source: Original::File(&path),
            compression: Some(Compression::Gzip),
            sha256: None,
        };
        fixture
            .store
            .get(&request, &mut fixture.notes)
            .expect("unpacked")
    };
    let first = get(b"one");
    let second = get(b"another");
    assert_eq!(
        (content(&first), content(&second)),
        (b"one".into(), b"another".into())
    );
}

#[test]
fn a_local_file_is_checked() {
    let mut fixture = Fixture::new();
    let path = fixture.folder.path().join("disk.img");
    fs::write(&path, "disk").expect("write");
    let mut get = |wanted: &[u8]| {
        let request = Request {
            source: Original::File(&path),
            compression: None,
            sha256: Some(Sha256(sha2::Sha256::digest(wanted).into())),
        };
        fixture.store.get(&request, &mut fixture.notes)
    };
    assert!(matches!(get(b"other"), Err(ImageError::Digest { .. })));
    assert_eq!(get(b"disk").expect("right").path, path);
    assert_eq!(get(b"disk").expect("right").path, path);
    // Hashed when it was wrong, hashed when it was right, and then known.
    let checks = fixture
        .notes
        .0
        .iter()
        .filter(|note| *note == "check disk.img");
    assert_eq!(checks.count(), 2);
}

#[test]
fn two_at_once_fetch_it_once() {
    let server = Server::slow(vec![ok(TAG, &body())]);
    let fixture = Fixture::new();
    let (store, url) = (&fixture.store, &server.url);
    let get = |notes: &mut Notes| {
        let request = Request {
            source: Original::Url(url),
            compression: None,
            sha256: None,
        };
        store.get(&request, notes).expect("got").path
    };
    let (first, second, waited) = std::thread::scope(|scope| {
        let one = scope.spawn(|| get(&mut Notes::default()));
        // Once the server was asked, the first has the lock; it is answered when the second waits.
        server.asked();
        let two = scope.spawn(|| {
            struct Release<'a>(&'a Server, Vec<String>);
            impl Watch for Release<'_> {
                fn note(&mut self, text: &str) {
                    self.1.push(text.to_owned());
                    self.0.release();
                }
                fn begin(&mut self, _: &str, _: &str) {}
                fn progress(&mut self, _: u64, _: Option<u64>) {}
                fn end(&mut self) {}
            }
            let mut watch = Release(&server, Vec::new());
            let request = Request {
                source: Original::Url(url),
                compression: None,
                sha256: None,
            };
            let path = store.get(&request, &mut watch).expect("got").path;
            (path, watch.1)
        });
        let first = one.join().expect("one");
        let (second, waited) = two.join().expect("two");
        (first, second, waited)
    });
    assert_eq!(first, second);
    assert_eq!(server.requests().len(), 1);
    assert!(waited[0].starts_with("waiting for another placemat"));
}

#[test]
fn prune_leaves_what_is_used() {
    let body = body();
    let server = Server::start(vec![ok(TAG, &body)]);
    let other = Server::start(vec![cut(TAG, &body, 5000), reply(404, &[], b"")]);
    let mut fixture = Fixture::new();
    let held = fixture.get(&server.url).expect("whole");
    fixture.get(&other.url).expect_err("gone");
    let month = Duration::from_secs(30 * 86400);
    let nothing = fixture.store.prune(month).expect("prune");
    assert_eq!(nothing, Pruned::default());
    let first = fixture.store.prune(Duration::ZERO).expect("prune");
    assert_eq!((first.files, first.kept), (1, 1));
    assert!(held.path.exists());
    assert_eq!(fixture.store.list().expect("list").len(), 1);
    drop(held);
    let second = fixture.store.prune(Duration::ZERO).expect("prune");
    assert_eq!((second.files, second.kept), (1, 0));
    assert!(second.bytes >= body.len() as u64);
    assert_eq!(fixture.files(), Vec::<PathBuf>::new());
    assert_eq!(Store::new(Path::new("/none")).list().expect("list"), []);
}
