//! Values that cannot hold a bad one.

mod mac;
pub use mac::Mac;
