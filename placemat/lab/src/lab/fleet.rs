//! What a lab has at the moment, and what it is made from.

use super::build::{Sites, Units};
use super::machine::Qemu;
use crate::blueprint::Blueprint;
use crate::image::Images;
use crate::server::Server;
use indexmap::IndexMap;
use placemat_spec::resource::Name;
use std::sync::Arc;

/// What a change of the lab replaces, piece by piece.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) blueprint: Blueprint,
    pub(super) units: Units,
    pub(super) servers: IndexMap<Name, Server>,
    pub(super) sites: Sites,
    pub(super) qemu: Option<Qemu>,
    /// Held for as long as disks may lie over them.
    pub(super) images: Vec<Arc<Images>>,
}
