//! Run and data directories: claimed, found, swept, and never taken from a lab that lives.

use super::*;

fn registry(dir: &Path) -> Registry {
    Registry::new(dir.join("run"), dir.join("data"))
}

#[test]
fn dead_labs_are_swept_and_live_ones_are_found() {
    let dir = tempfile::tempdir().expect("a directory");
    let registry = registry(dir.path());
    let dead = registry
        .claim("a", Vec::new(), "1".into())
        .expect("a claim")
        .run_dir;
    let unlocked = dir.path().join("run/0123ab");
    fs::create_dir(&unlocked).expect("a directory of a lab killed at once");
    let live = registry
        .claim("a", Vec::new(), "2".into())
        .expect("a claim");
    assert!(!dead.exists());
    assert!(!unlocked.exists());
    assert!(live.run_dir.exists());
    assert_eq!(registry.find(Some("a")).expect("found").card, live.card);
    assert_eq!(registry.find(None).expect("found").card, live.card);
}

#[test]
fn equal_names_live_side_by_side() {
    let dir = tempfile::tempdir().expect("a directory");
    let registry = registry(dir.path());
    let one = registry
        .claim("a", Vec::new(), "1".into())
        .expect("a claim");
    let two = registry
        .claim("a", Vec::new(), "2".into())
        .expect("a claim");
    assert_ne!(one.run_dir, two.run_dir);
    assert_ne!(one.data_dir, two.data_dir);
    let error = registry.find(Some("a")).expect_err("ambiguous").to_string();
    assert!(
        error.starts_with("more than one lab is called `a`"),
        "{error}"
    );
    assert!(registry.find(Some(&two.card.id)).is_ok());
}

#[test]
fn a_claim_that_fails_leaves_no_run_directory() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("data"), "in the way").expect("a file");
    let registry = registry(dir.path());
    let error = registry
        .claim("a", Vec::new(), "1".into())
        .expect_err("no data directory");
    assert!(error.to_string().starts_with("create "), "{error}");
    assert!(registry.run_dirs().is_empty());
}

/// Of a dead lab only: what somebody else listens on, or put there, is not its own any more.
#[test]
fn sockets_of_a_dead_lab_go_with_its_run_directory() {
    use std::os::unix::net::UnixListener;
    let dir = tempfile::tempdir().expect("a directory");
    let registry = registry(dir.path());
    let claim = registry
        .claim("a", Vec::new(), "1".into())
        .expect("a claim");
    let [dead, alive, file, gone] = ["dead", "alive", "file", "gone"].map(|it| dir.path().join(it));
    drop(UnixListener::bind(&dead).expect("a socket"));
    let _listener = UnixListener::bind(&alive).expect("a socket");
    fs::write(&file, "mine").expect("a file");
    for path in [&dead, &alive, &file, &gone] {
        note_socket(&claim.run_dir, path).expect("noted");
    }
    claim.abandon();
    assert!(!claim.run_dir.exists());
    assert!(!dead.exists());
    assert!(alive.exists());
    assert!(file.exists());
}

#[test]
fn waiting_for_the_end_ends_with_the_claim() {
    let dir = tempfile::tempdir().expect("a directory");
    let claim = registry(dir.path())
        .claim("a", Vec::new(), "1".into())
        .expect("a claim");
    let run_dir = claim.run_dir.clone();
    assert!(!await_end(&run_dir, Duration::ZERO));
    let waiting = std::thread::spawn(move || await_end(&run_dir, Duration::MAX));
    assert!(!waiting.is_finished());
    drop(claim);
    assert!(waiting.join().expect("it ends"));
}

#[test]
fn looking_does_not_hinder_claims() {
    let dir = tempfile::tempdir().expect("a directory");
    let registry = registry(dir.path());
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                registry.live();
            }
        });
        for number in 0..200 {
            let claim = registry.claim("a", Vec::new(), number.to_string());
            assert!(claim.is_ok(), "{claim:?}");
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn messages() {
    let dir = tempfile::tempdir().expect("a directory");
    let registry = registry(dir.path());
    let none = registry.find(None).expect_err("none").to_string();
    let named = registry.find(Some("x")).expect_err("none").to_string();
    let _live = registry
        .claim("a", Vec::new(), "1".into())
        .expect("a claim");
    let other = registry.find(Some("x")).expect_err("none").to_string();
    let id = &registry.live()[0].card.id;
    insta::assert_snapshot!([none, named, other.replace(id, "ID")].join("\n"));
}
