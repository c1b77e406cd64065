//! Values that cannot hold a bad one, and how they are written in YAML.

mod address;
mod capability;
mod duration;
mod mac;
mod percentage;
mod rate;
mod sha256;
mod size;
mod url;
mod uuid;

pub use address::{
    AddressError, parse_address, parse_bridge_address, parse_interface_address, parse_subnet,
};
pub use capability::Capabilities;
pub use duration::{DurationError, format_duration, parse_duration};
pub use mac::{Mac, MacError};
pub use percentage::{Percentage, PercentageError};
pub use rate::{RateError, format_rate, parse_rate};
pub use sha256::{Sha256, Sha256Error};
pub use size::{SizeError, format_size, parse_size};
pub use url::{HttpUrl, HttpUrlError};
pub use uuid::{Uuid, UuidError};
