//! What the tests of the whole share: the built binary, labs in places of their own, needs, and the
//! check that nothing is left.
//!
//! ```no_run
//! use placemat_tests::{Need, Place, needs};
//! if !needs(&[Need::Root, Need::Bird]) {
//!     return; // said in words, or a failure where PLACEMAT_REQUIRE names it
//! }
//! let place = Place::new(); // temporary run and data directories, and the host as it is now
//! let lab = place.up(&placemat_tests::repository().join("menu/examples/routers.yml"));
//! let said = lab.exec("router/spine-1", &["birdc", "-s", "/run/bird/bird.ctl", "show", "status"]);
//! assert!(said.text().contains("Daemon is up"));
//! lab.down();
//! place.assert_nothing_left();
//! ```

#![expect(
    clippy::print_stderr,
    reason = "tests tell why they skip, and what a failing lab said"
)]

pub mod attached;
pub mod canary;
pub mod fixture;
pub mod host;
pub mod http;
pub mod lab;
pub mod need;
pub mod persona;
pub mod process;
pub mod program;
pub mod run;

pub use attached::Attached;
pub use canary::Canary;
pub use lab::{Lab, Place};
pub use need::{Need, needs};
pub use persona::Placemat2;
pub use program::{placemat, repository};
pub use run::Said;

use std::time::{Duration, Instant};

/// Polls until `done` gives something, every few milliseconds; `None` when `patience` is over.
pub fn poll<T>(patience: Duration, mut done: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = done() {
            return Some(found);
        }
        if began.elapsed() > patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}
