//! The lab as scenarios see it.
