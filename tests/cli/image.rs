//! `ci/image`: apt's lists are read again when they are stale, and only then.

use placemat_tests::{Place, lab, repository, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// Runs a copy of `ci/image` beside an `images/build` that gives these exit statuses, one a call, and
/// says what was called.
fn calls(statuses: &str) -> (Option<i32>, String) {
    let place = Place::new();
    let log = place.dir().join("calls");
    let script = |name: &str, text: &str| {
        let path = place.write(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("make it executable");
        path
    };
    let original = fs::read_to_string(repository().join("ci/image")).expect("ci/image");
    let image = script("tree/ci/image", &original);
    let note = |name: &str| format!("#!/bin/sh\necho {name} >> {}\n", log.display());
    script(
        "tree/images/build",
        &format!(
            "{}set -- {statuses}\nshift $(($(grep -c build {}) - 1))\nexit $1\n",
            note("build"),
            log.display()
        ),
    );
    script("bin/apt-get", &note("apt-get"));
    script("bin/sudo", "#!/bin/sh\nshift\nexec \"$@\"\n");
    let mut command = run::command(image);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}/bin:{path}", place.dir().display()));
    let said = run::run(command, lab::PATIENCE);
    let called = fs::read_to_string(&log).unwrap_or_default();
    (said.code, called.trim().replace('\n', " "))
}

#[test]
fn lists_are_read_again_only_when_they_are_stale() {
    assert_eq!(calls("0"), (Some(0), "build".into()));
    assert_eq!(calls("1"), (Some(1), "build".into()));
    assert_eq!(calls("75 0"), (Some(0), "build apt-get build".into()));
    assert_eq!(calls("75 75"), (Some(75), "build apt-get build".into()));
}
