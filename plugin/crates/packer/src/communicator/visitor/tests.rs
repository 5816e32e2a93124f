//! The bridge against a machine that is not there.
