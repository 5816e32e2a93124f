//! Finds something out for a template.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::config::Configs;
use crate::cty::encode_output;
use crate::hcl::{Generation, ObjectSpec};
use crate::msgpack::Value;
use crate::role::Schema;
use crate::rpc::{BoxError, Calls, Service, basic_error, message};

/// A data source: `data "name-component" "x" { … }`.
#[async_trait]
pub trait Datasource: Send + Sync {
    /// The options.
    fn config_spec(&self) -> ObjectSpec;

    /// What it finds: attributes of the value that templates see. Only the types count.
    fn output_spec(&self) -> ObjectSpec;

    /// Checks the options and keeps what `execute` needs. Must touch nothing.
    async fn configure(&self, configs: Configs) -> Result<(), BoxError>;

    /// Finds it: a JSON object with the attributes of [`Datasource::output_spec`]; missing ones are null.
    async fn execute(&self, cancel: CancellationToken) -> Result<serde_json::Value, BoxError>;
}

/// Serves `Datasource.*`.
pub(crate) struct DatasourceService {
    pub(crate) datasource: Arc<dyn Datasource>,
    pub(crate) schema: Schema,
    pub(crate) output: ObjectSpec,
    pub(crate) generation: Generation,
    pub(crate) cancel: CancellationToken,
}

impl DatasourceService {
    async fn configure(&self, argument: &Value) -> Result<Value, BoxError> {
        self.datasource.configure(self.schema.configs(argument)?).await?;
        Ok(Value::record([("Error", basic_error(None))]))
    }

    fn output_spec(&self) -> Value {
        let bytes = self.generation.encode(&self.output);
        Value::record([("OutputSpec", Value::Bin(bytes))])
    }

    async fn execute(&self) -> Result<Value, BoxError> {
        let value = self.datasource.execute(self.cancel.clone()).await?;
        let bytes = encode_output(&self.output, &value, self.generation)?;
        Ok(Value::record([
            ("Value", Value::Bin(bytes)),
            ("Error", basic_error(None)),
        ]))
    }
}

#[async_trait]
impl Service for DatasourceService {
    async fn call(&self, method: &str, argument: &Value, _calls: &Calls) -> Option<Result<Value, String>> {
        let result = match method.strip_prefix("Datasource.")? {
            "ConfigSpec" => Ok(self.schema.config_spec()),
            "OutputSpec" => Ok(self.output_spec()),
            "Configure" => self.configure(argument).await,
            "Execute" => self.execute().await,
            "Cancel" => {
                self.cancel.cancel();
                Ok(Value::Nil)
            }
            _ => return None,
        };
        Some(result.map_err(|error| message(error.as_ref())))
    }
}
