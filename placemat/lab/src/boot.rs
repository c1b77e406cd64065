//! What a boot server does: DHCP by `dnsmasq` for servers behind relays, and HTTP of our own for
//! UEFI HTTP boot.
//!
//! ```text
//! BootServer --dnsmasq--> dnsmasq.conf;  dnsmasq's log --dhcp_log--> leases
//! request + leases --http--> which machine asks --site--> which file it gets
//! ```
//!
//! Firmware fetches a URL without saying who it is. The address it comes from does: DHCP gave it
//! to a MAC, the MAC is a machine's, the machine has an image. iPXE does say: its script asks for a
//! second one by the machine's serial.

pub mod dhcp_log;
pub mod dnsmasq;
mod file;
pub mod http;
mod look;
mod misbehave;
mod range;
mod site;

pub use look::look_at_http;
pub use site::{BOOT_PATH, BootSite, SCRIPT_PATH, SiteBoot, SiteBundle, SiteMachine, SiteSpec};
