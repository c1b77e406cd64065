//! BIRD as a supervised program of a unit.

use placemat_spec::Place;
use placemat_spec::resource::{App, Readiness, RestartPolicy};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where BIRD's configuration is put, below `/run`.
pub(crate) const CONFIG: &str = "bird/bird.conf";
/// Where its control socket is, below `/run`.
pub(crate) const SOCKET: &str = "bird/bird.ctl";

/// The program that runs BIRD on the configuration in `/run`.
pub fn bird_app(place: Place) -> App {
    let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    App {
        name: "bird".into(),
        command: argv(&[
            "bird",
            "-f",
            "-c",
            "/run/bird/bird.conf",
            "-s",
            "/run/bird/bird.ctl",
            "-P",
            "/run/bird/bird.pid",
        ]),
        env: BTreeMap::new(),
        restart: RestartPolicy::Always,
        ready: Some(Readiness {
            command: argv(&["test", "-S", "/run/bird/bird.ctl"]),
            timeout: Duration::from_secs(10),
        }),
        place,
    }
}
