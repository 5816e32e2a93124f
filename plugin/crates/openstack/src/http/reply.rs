//! An answer that was read to its end.

use reqwest::header::HeaderMap;
use reseal_machine::{CloudError, CloudErrorKind};
use serde_json::Value;

/// Status, headers and body.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// What was being done.
    pub(crate) operation: &'static str,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The cloud's own id of the request.
    pub(crate) fn request_id(&self) -> Option<String> {
        ["x-openstack-request-id", "x-compute-request-id"]
            .iter()
            .find_map(|name| self.header(name))
            .map(ToOwned::to_owned)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, CloudError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let mut failure = self.unexpected("the answer is not JSON");
            failure.source = Some(Box::new(error));
            failure
        })
    }

    /// One member of the JSON body.
    pub(crate) fn member(&self, key: &str) -> Result<Value, CloudError> {
        let mut body = self.json()?;
        let member = body.get_mut(key).map(Value::take).filter(|value| !value.is_null());
        member.ok_or_else(|| self.unexpected(&format!("the answer has no `{key}`")))
    }

    /// An answer that was not understood.
    pub(crate) fn unexpected(&self, message: &str) -> CloudError {
        CloudError {
            http: Some(self.status),
            request_id: self.request_id(),
            ..CloudError::new(CloudErrorKind::Unexpected, self.operation, message)
        }
    }
}
