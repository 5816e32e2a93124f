//! The example plugin served to a Packer of our own, and to transcripts of HashiCorp's.

mod flows;
mod packer;
mod transcripts;

#[path = "../examples/hello.rs"]
#[expect(dead_code, reason = "its `main` is not called here")]
pub(crate) mod hello;
