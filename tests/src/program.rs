//! Where the built program and the repository are.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("/"))
}

/// The built program, under a name of this test's own: a build that comes meanwhile does not
/// change it.
///
/// # Panics
///
/// When it was not built: cargo builds no program of another crate for a test.
pub fn placemat() -> &'static Path {
    static COPY: OnceLock<PathBuf> = OnceLock::new();
    COPY.get_or_init(|| {
        let test = std::env::current_exe().unwrap_or_default();
        // target/debug/deps/NAME-HASH
        let profile = test.parent().and_then(Path::parent).unwrap_or(&test);
        let built = profile.join("placemat");
        assert!(
            built.is_file(),
            "{} is missing: run `cargo build -p placemat-cli` first",
            built.display()
        );
        // A folder of the test's own: the program calls itself by its file's name.
        let folder = profile.join("deps").join(format!(
            "under-test-{}",
            test.file_stem().unwrap_or_default().to_string_lossy()
        ));
        std::fs::create_dir_all(&folder).expect("make a folder");
        let copy = folder.join("placemat");
        let _ = std::fs::remove_file(&copy);
        let linked = std::fs::hard_link(&built, &copy);
        linked
            .or_else(|_| std::fs::copy(&built, &copy).map(drop))
            .unwrap_or_else(|error| panic!("keep {}: {error}", built.display()));
        copy
    })
}

/// The cache that tests share, so that each does not probe the accelerator anew. Not the one of
/// this machine's user.
pub fn cache() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    let profile = test.parent().and_then(Path::parent).unwrap_or(&test);
    profile.join("test-cache")
}

/// The bundle of the node image, where it was built.
pub fn image() -> Option<PathBuf> {
    bundle("node")
}

/// The bundle of the node image with Debian's generic kernel, where it was built.
pub fn generic_image() -> Option<PathBuf> {
    bundle("node-generic")
}

fn bundle(name: &str) -> Option<PathBuf> {
    let bundle = repository().join("images/out").join(name);
    bundle.join("manifest.json").is_file().then_some(bundle)
}
