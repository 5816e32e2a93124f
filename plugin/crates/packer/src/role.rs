//! What all kinds of components have in common.

use std::sync::Arc;

use crate::config::Configs;
use crate::hcl::{Generation, ObjectSpec};
use crate::interpolate::Surroundings;
use crate::msgpack::Value;
use crate::rpc::BoxError;

/// A component's options, encoded before Packer can ask: it dies of an error at this place.
pub(crate) struct Schema {
    pub(crate) spec: Arc<ObjectSpec>,
    /// What the templates in the options are rendered with.
    pub(crate) surroundings: Surroundings,
    bytes: Vec<u8>,
}

impl Schema {
    pub(crate) fn new(spec: ObjectSpec, generation: Generation, surroundings: Surroundings) -> Self {
        let bytes = generation.encode(&spec);
        Self {
            spec: Arc::new(spec),
            surroundings,
            bytes,
        }
    }

    /// What a call configures; everything that is wrong is one error.
    pub(crate) fn configs(&self, argument: &Value) -> Result<Configs, BoxError> {
        let configs = Configs::read(argument, self);
        configs.map_err(|wrong| joined(&wrong).unwrap_or_default().into())
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

/// Several problems the way Packer's users know them.
pub(crate) fn joined(errors: &[String]) -> Option<String> {
    match errors {
        [] => None,
        [error] => Some(error.clone()),
        many => Some(format!("{} error(s) occurred:\n\n* {}", many.len(), many.join("\n* "))),
    }
}
