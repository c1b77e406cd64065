//! Cluster files: `cargo +nightly fuzz run load`. What it finds goes into `corpus/load`, which the
//! property tests of `placemat-spec` replay through the same function.
#![no_main]

#[path = "../placemat/spec/tests/entry/mod.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|text: &str| entry::check(text));
