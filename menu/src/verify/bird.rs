//! What a BIRD configuration says of BGP, read back from its text: sessions with what templates add,
//! the router id, and what it originates. Filters, channels and other protocols are skipped; `bird -p` judges those.

mod block;
mod lex;
mod origin;
mod session;

pub(super) use session::{Asn, Bgp, Config};

use placemat_spec::Place;

/// Why a text is no configuration, and where.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) place: Place,
    pub(super) reason: &'static str,
}

/// Reads a configuration. `source` is the number of its text among the sources that places point
/// into.
pub(super) fn read(text: &str, source: usize) -> Result<Config, Unreadable> {
    session::read(&block::read(lex::tokens(text, source)?)?)
}
