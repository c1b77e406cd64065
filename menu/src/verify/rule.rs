//! The rules, one file each.

pub(super) mod asns;
pub(super) mod boot;
pub(super) mod dhcp;
pub(super) mod exposed;
pub(super) mod management;
pub(super) mod mtu;
pub(super) mod overlaps;
pub(super) mod pairs;
pub(super) mod promise;
pub(super) mod router_ids;
pub(super) mod sessions;
