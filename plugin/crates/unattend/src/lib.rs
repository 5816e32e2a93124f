//! Composes and checks Windows answer files.
