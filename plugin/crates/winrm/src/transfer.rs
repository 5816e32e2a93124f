//! Copying files: pieces of bytes into long-lived receivers, and ranges back out of the runner.

mod download;
mod lane;
mod plan;
mod upload;

pub(crate) use download::download;
pub(crate) use lane::{Lane, Mode};
pub(crate) use upload::upload;
