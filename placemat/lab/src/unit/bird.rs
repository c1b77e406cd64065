//! BIRD as a supervised program of a unit.

use placemat_spec::Place;
use placemat_spec::resource::{App, Readiness};
use std::time::Duration;

/// Where BIRD's configuration is put, below `/run`.
pub(crate) const CONFIG: &str = "bird/bird.conf";
/// Where its control socket is, below `/run`.
pub(crate) const SOCKET: &str = "bird/bird.ctl";

/// The program that runs BIRD on the configuration in `/run`.
pub fn bird_app(place: Place) -> App {
    App {
        ready: Some(Readiness {
            command: ["test", "-S", "/run/bird/bird.ctl"]
                .map(str::to_owned)
                .to_vec(),
            interval: Duration::from_millis(50),
            timeout: Duration::from_secs(10),
        }),
        ..App::new(
            "bird",
            &[
                "bird",
                "-f",
                "-c",
                "/run/bird/bird.conf",
                "-s",
                "/run/bird/bird.ctl",
                "-P",
                "/run/bird/bird.pid",
            ],
            place,
        )
    }
}
