//! The shape of the tree: who imports whom, how long files are, where `unsafe` is.
