//! Addresses that the hub gets while the lab lives: those of BMCs that guests announce.

use super::{LO, Wiring, WiringError, on_hub};
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::PoisonError;

impl Wiring {
    /// Gives the hub an address of its own on a network, or takes it away again.
    pub fn own_address(
        &self,
        network: &str,
        address: IpAddr,
        own: bool,
    ) -> Result<(), WiringError> {
        let mut hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        let links = hub.links().map_err(on_hub)?;
        // A network that nothing is plugged into has no bridge.
        let bridge = links.iter().find(|link| link.name == network);
        let index = bridge.map_or(LO, |link| link.index);
        let address = IpNet::from(address);
        let done = if own {
            hub.add_address(index, address)
        } else {
            hub.remove_address(index, address)
        };
        done.map_err(on_hub)
    }
}
