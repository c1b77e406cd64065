//! MAC addresses that stay the same from run to run.

use placemat_spec::value::Mac;
use sha1::{Digest, Sha1};

/// The MAC of interface number `index` (from 0) of a resource: `52:54`, which is locally
/// administered and what QEMU guests are known by, and four bytes of a hash.
pub fn derived(owner: &str, index: usize) -> Mac {
    let hash = Sha1::digest(format!("{owner}/{index}").as_bytes());
    Mac([0x52, 0x54, hash[0], hash[1], hash[2], hash[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_follow_from_node_and_index() {
        let macs = [("a", 0), ("a", 1), ("b", 0)].map(|(owner, index)| derived(owner, index));
        let shown = macs.map(|mac| mac.to_string());
        // The same today as ever: leases and guests' configurations name them.
        assert_eq!(shown[0], "52:54:0f:cb:cc:97");
        assert!(shown[0] != shown[1] && shown[0] != shown[2]);
    }
}
