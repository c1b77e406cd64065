//! A lab that `placemat2` runs, as users of placemat v2 start it, and `pmctl2` on it.

use crate::{Attached, Place, Said};
use serde_json::Value;

/// A lab of `placemat2`, running.
#[derive(Debug)]
pub struct Placemat2<'a> {
    place: &'a Place,
    /// The process and what it says.
    pub up: Attached,
    /// Base URL of its HTTP API.
    pub endpoint: String,
}

impl<'a> Placemat2<'a> {
    /// Starts `placemat2` with these arguments, and waits until all of it runs. Its API gets a free
    /// port, its run directory is `place`'s.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn start(place: &'a Place, arguments: &[&str]) -> Self {
        let run_dir = format!("--run-dir={}", place.dir().display());
        let own = ["--listen-addr=127.0.0.1:0", &run_dir];
        let mut up = Attached::start_as(place, "placemat2", &[&own, arguments].concat());
        up.reach("running");
        let said = up.said();
        let at = said.split("HTTP API on ").nth(1).expect("an API");
        let endpoint = at.lines().next().expect("an address").to_owned();
        Self {
            place,
            up,
            endpoint,
        }
    }

    /// Runs `pmctl2` on it.
    pub fn pmctl2(&self, arguments: &[&str]) -> Said {
        let all = [&["--endpoint", &self.endpoint], arguments].concat();
        self.place.say_as("pmctl2", &all)
    }

    /// A node, as `pmctl2 node show` has it.
    ///
    /// # Panics
    ///
    /// When there is no such node.
    pub fn node(&self, name: &str) -> Value {
        let said = self.pmctl2(&["node", "show", name]).well();
        serde_json::from_str(&said.out).expect("JSON")
    }
}
