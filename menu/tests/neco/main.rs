//! Neco's menu: what it must mean, file by file; what its faults were; what bad menus are told; and
//! what holds for every menu.

#![allow(clippy::unwrap_used, clippy::print_stderr)] // tests may panic, and say why they skip

mod bad;
mod bird;
mod expected;
mod explained;
mod folder;
mod mended;
mod properties;
mod routing;
mod seeds;
#[path = "../terms/mod.rs"]
mod terms;
