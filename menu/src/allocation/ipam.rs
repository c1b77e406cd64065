//! The same arithmetic as sabakan does it: what it must be told so that its addresses are ours.
//!
//! sabakan numbers racks from 0. Address `i` of a machine is
//! `pool + 2^size * per-node * rack + index + i * 2^size`, its BMC `pool + offset + 2^size * rack +
//! index`; indices start after `node-index-offset`, which is the boot server's.

use super::{BLOCK, BMC_RESERVED, MAX_SERVERS, NODE_BLOCKS, Seat, block_prefix_len, nth};
use ipnet::Ipv4Net;
use serde::Serialize;
use std::net::Ipv4Addr;

/// `ipam.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ipam {
    max_nodes_in_rack: usize,
    node_ipv4_pool: Ipv4Net,
    node_ipv4_range_size: u32,
    node_ipv4_range_mask: u8,
    node_ip_per_node: u32,
    node_index_offset: u32,
    node_gateway_offset: u32,
    bmc_ipv4_pool: Ipv4Net,
    bmc_ipv4_offset: Ipv4Addr,
    bmc_ipv4_range_size: u32,
    bmc_ipv4_range_mask: u8,
    bmc_ipv4_gateway_offset: u32,
}

impl Ipam {
    /// Of the two pools that sabakan knows of.
    pub fn of(node: Ipv4Net, bmc: Ipv4Net) -> Self {
        Self {
            max_nodes_in_rack: MAX_SERVERS,
            node_ipv4_pool: node,
            node_ipv4_range_size: BLOCK.trailing_zeros(),
            node_ipv4_range_mask: block_prefix_len(BLOCK),
            node_ip_per_node: NODE_BLOCKS,
            node_index_offset: Seat::Boot.number(),
            node_gateway_offset: 1,
            bmc_ipv4_pool: bmc,
            bmc_ipv4_offset: Ipv4Addr::from(BMC_RESERVED),
            bmc_ipv4_range_size: BLOCK.trailing_zeros(),
            // All BMCs are on one network, whose first address is the hub's.
            bmc_ipv4_range_mask: bmc.prefix_len(),
            bmc_ipv4_gateway_offset: 1,
        }
    }

    /// What sabakan gives to server `server` (from 1) of rack `rack` (from 1): its addresses, the
    /// loopback first, and its BMC's.
    pub fn addresses(&self, rack: u32, server: u32) -> (Vec<Ipv4Addr>, Ipv4Addr) {
        let index = self.node_index_offset + server;
        let range = 1 << self.node_ipv4_range_size;
        let first = range * self.node_ip_per_node * (rack - 1) + index;
        let own = (0..self.node_ip_per_node).map(|i| nth(self.node_ipv4_pool, first + i * range));
        let bmc = u32::from(self.bmc_ipv4_offset) + (rack - 1) * (1 << self.bmc_ipv4_range_size);
        (own.collect(), nth(self.bmc_ipv4_pool, bmc + index))
    }

    /// First and last address that sabakan leases on a network to machines that have none there yet.
    pub fn leased(&self, network: Ipv4Net) -> (Ipv4Addr, Ipv4Addr) {
        let most = u32::try_from(self.max_nodes_in_rack).unwrap_or(u32::MAX);
        let first = nth(network, self.node_index_offset + most + 1);
        let last = Ipv4Addr::from(u32::from(network.broadcast()) - 1);
        (first, last)
    }
}
