//! The binary that a person runs and that Packer starts.
fn main() {}
