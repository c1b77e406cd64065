//! MAC addresses that stay the same from run to run.

use placemat_spec::value::Mac;
use sha1::{Digest, Sha1};

/// The MAC of interface number `index` (from 0) of a resource: `52:54`, which is locally
/// administered and what QEMU guests are known by, and four bytes of a hash.
pub fn derived(owner: &str, index: usize) -> Mac {
    let hash = Sha1::digest(format!("{owner}/{index}").as_bytes());
    Mac([0x52, 0x54, hash[0], hash[1], hash[2], hash[3]])
}
