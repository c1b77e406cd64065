//! What touches the kernel: the only crate of placemat with `unsafe`.
//!
//! | module | holds |
//! |---|---|
//! | [`sandbox`] | the namespaces a lab lives in, its init, its parent |
//! | [`netns`], [`netlink`], [`tap`] | network namespaces, links, addresses, routes |
//! | [`container`] | routers, boot servers and namespace servers: namespaces around an init |

pub mod container;
pub mod netlink;
pub mod netns;
pub mod sandbox;
pub mod tap;
