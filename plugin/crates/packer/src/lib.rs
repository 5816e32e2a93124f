//! Packer's plugin handshake, multiplexing and RPC.
//!
//! A plugin is a program that Packer starts, asks for a component, and talks to. Implement [`Builder`], [`Provisioner`],
//! [`PostProcessor`] or [`Datasource`], put it into a [`Plugin`], and hand over how the process was started:
//!
//! ```no_run
//! use reseal_packer::{BoxError, Configs, Datasource, Launch, ObjectSpec, Plugin, PluginError, Type};
//!
//! struct Answer;
//!
//! #[async_trait::async_trait]
//! impl Datasource for Answer {
//!     fn config_spec(&self) -> ObjectSpec { ObjectSpec::new() }
//!     fn output_spec(&self) -> ObjectSpec { ObjectSpec::new().optional("answer", Type::Number) }
//!     async fn configure(&self, _: Configs) -> Result<(), BoxError> { Ok(()) }
//!     async fn execute(&self, _: tokio_util::sync::CancellationToken) -> Result<serde_json::Value, BoxError> {
//!         Ok(serde_json::json!({ "answer": 42 }))
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), PluginError> {
//!     let launch = Launch::new(std::env::args().skip(1), std::env::vars_os(), std::env::temp_dir());
//!     Plugin::new("1.0.0").datasource("answer", Answer).launch(launch, &mut std::io::stdout()).await
//! }
//! ```
//!
//! Options arrive ready: a [`Configs`] holds what the component's [`ObjectSpec`] describes, whether the template is in HCL or in
//! the older JSON, with `{{timestamp}}`, `` {{user `x`}} `` and Packer's other template functions carried out in every text
//! (but not in those that the spec calls [`Braces::Literal`]). `Plugin::surroundings` hands in the clock that they need.
//!
//! Everything that Packer's protocol has besides the components is in here: both generations of it (gob and protobuf),
//! multiplexing, calls in both directions. `examples/hello.rs` has one component of each kind.
//!
//! The other side is not trusted. Whatever comes over the wire is bounded in size, depth and number before it is kept, and
//! nothing in it can make this crate panic.

mod artifact;
mod broker;
mod builder;
mod communicator;
mod config;
mod cty;
mod data;
mod datasource;
mod decode;
mod gob;
mod hcl;
mod hook;
mod interpolate;
mod listener;
mod msgpack;
mod names;
mod plugin;
mod post_processor;
mod protobuf;
mod provisioner;
mod role;
mod rpc;
mod signals;
mod ui;
mod yamux;

pub use artifact::{Artifact, GENERATED_DATA, IMAGE_METADATA, ImageMetadata};
pub use broker::BrokerError;
pub use builder::{Build, Builder, Prepared};
pub use communicator::{
    Communicator, FileInfo, Guest, Local, LocalFile, Pipes, Reader, Spool, VISITOR, Visitor, Writer,
};
pub use config::{Configs, CoreVariables, OnError};
pub use cty::{CtyError, UNKNOWN};
pub use data::{GeneratedData, Scalar};
pub use datasource::Datasource;
pub use hcl::{Braces, Generation, ObjectSpec, Spec, Type};
pub use hook::{CLEANUP_PROVISION, Hook, PROVISION};
pub use interpolate::Surroundings;
pub use msgpack::{MsgpackError, Text, Value};
pub use names::{DEFAULT_COMPONENT, binary_name, checksum_name, go_arch, go_os};
pub use plugin::{Component, Kind, Launch, Plugin, PluginError};
pub use post_processor::{PostProcessor, Process, Processed};
pub use provisioner::{Provision, Provisioner};
pub use rpc::{BoxError, CallError};
pub use ui::{Level, Tracker, Ui};
pub use yamux::SessionError;

/// The example is also what the tests of this crate serve; it names the crate as users do.
#[cfg(test)]
extern crate self as reseal_packer;

#[cfg(test)]
mod tests;
