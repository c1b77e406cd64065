//! What touches the kernel: the only crate of placemat with `unsafe`.
//!
//! | module | holds |
//! |---|---|
//! | [`sandbox`] | the namespaces a lab lives in, its init, its parent |
//! | [`netns`], [`netlink`], [`tap`] | network namespaces, links, addresses, routes |
//! | [`impair`], [`wire`], [`packet`] | what befalls frames on a link, and what they are |
//! | [`qmp`], [`agent`], [`inherit`] | QEMU: its monitor, its guest agent, descriptors it inherits |
//! | [`disk`] | what a file system can do for disks |
//! | [`probe`] | which accelerator works, where firmware and programs are |
//! | [`pressure`] | how long work waits for a processor |
//! | [`container`] | routers, boot servers and namespace servers: namespaces around an init |

pub mod agent;
mod capability;
pub mod cgroup;
pub mod container;
pub mod descriptor;
pub mod disk;
pub mod icmp;
pub mod impair;
pub mod inherit;
pub mod netlink;
pub mod netns;
pub mod packet;
mod pidfd;
pub mod pressure;
pub mod probe;
pub mod process;
pub mod qmp;
pub mod sandbox;
pub mod tap;
pub mod terminal;
pub mod wire;
