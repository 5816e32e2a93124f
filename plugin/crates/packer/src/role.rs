//! What all kinds of components have in common.

use crate::hcl::{Generation, ObjectSpec};
use crate::msgpack::Value;
use crate::rpc::BoxError;

/// A component's options, encoded before Packer can ask: it dies of an error at this place.
pub(crate) struct Schema {
    bytes: Vec<u8>,
}

impl Schema {
    pub(crate) fn new(spec: &ObjectSpec, generation: Generation) -> Self {
        let bytes = generation.encode(spec);
        Self { bytes }
    }

    /// The answer to `ConfigSpec`.
    pub(crate) fn config_spec(&self) -> Value {
        Value::record([("ConfigSpec", Value::Bin(self.bytes.clone()))])
    }
}

/// The number of the stream on which Packer serves what a call needs.
pub(crate) fn stream_id(value: &Value) -> Result<u32, BoxError> {
    let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
    id.ok_or_else(|| "the call has no number of a stream".into())
}
