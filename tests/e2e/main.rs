//! The whole line, from a rack spec to a report.
