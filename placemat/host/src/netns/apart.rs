//! For tests: work in a network namespace of its own.

use nix::sched::{CloneFlags, unshare};

/// Does `work` in a network namespace of its own, or says that it was skipped, which is a failure
/// where `PLACEMAT_REQUIRE` names root.
pub(crate) fn apart(work: impl FnOnce() + Send + 'static) {
    let in_own_namespace = || {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
            let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
            assert!(
                !required.contains("root"),
                "PLACEMAT_REQUIRE names root, but: {error}"
            );
            eprintln!("skipped: a network namespace of its own: {error}");
            return;
        }
        work();
    };
    std::thread::spawn(in_own_namespace)
        .join()
        .expect("the thread ends");
}
