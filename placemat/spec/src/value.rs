//! Values that cannot hold a bad one, and how they are written in YAML.

mod address;
mod duration;
mod mac;
mod percentage;
mod rate;
mod size;

pub use address::{
    AddressError, parse_address, parse_bridge_address, parse_interface_address, parse_subnet,
};
pub use duration::{DurationError, format_duration, parse_duration};
pub use mac::{Mac, MacError};
pub use percentage::{Percentage, PercentageError};
pub use rate::{RateError, format_rate, parse_rate};
pub use size::{SizeError, format_size, parse_size};
