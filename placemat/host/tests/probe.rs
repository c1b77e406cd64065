//! The accelerator probe against the real QEMU of this host.

use placemat_host::probe::accel::{self, Accelerator};
use placemat_host::probe::{firmware, program};

/// Whether the test is to be left out: QEMU or OVMF is missing, and nothing says that it may not be.
#[expect(clippy::print_stderr, reason = "a test says why it is left out")]
fn left_out() -> bool {
    let missing = [
        program::locate("qemu-system-x86_64")
            .err()
            .map(|e| e.to_string()),
        firmware::find(firmware::Flavor::Plain)
            .err()
            .map(|e| e.to_string()),
    ];
    let missing: Vec<String> = missing.into_iter().flatten().collect();
    if missing.is_empty() {
        return false;
    }
    let words = missing.join(", ");
    let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|need| need.trim() == "qemu"),
        "PLACEMAT_REQUIRE names qemu, but {words}"
    );
    eprintln!("skipped: {words}");
    true
}

#[tokio::test]
async fn says_what_works_and_remembers_it() {
    if left_out() {
        return;
    }
    let qemu = program::find("qemu-system-x86_64").expect("looked for above");
    let folder = tempfile::tempdir().expect("folder");
    let cache = folder.path().join("accel.json");
    let report = accel::probe(&qemu, &cache).await;
    eprintln!("{report:?}");
    assert!(report.slowness >= 1.0);
    assert!(!report.reason.is_empty());
    match report.accelerator {
        Accelerator::Kvm => assert!(report.reason.contains("came alive"), "{}", report.reason),
        // Emulation is never as fast as the loop's native time.
        Accelerator::Tcg => assert!(report.slowness > 1.0, "{}", report.slowness),
    }
    if cache.exists() {
        assert_eq!(accel::probe(&qemu, &cache).await, report);
    }
}
