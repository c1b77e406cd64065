//! The command line through the real program: bad input, help, verbs.
