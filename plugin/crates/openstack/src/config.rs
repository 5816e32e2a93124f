//! What a connection to a cloud is made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use reseal_machine::Clock;
use reseal_machine::cloud::Dialect;

use crate::catalog::Service;
use crate::credentials::Credentials;

/// Where fresh ids come from: they name requests to the cloud and spread retries.
pub type IdSource = Arc<dyn Fn() -> uuid::Uuid + Send + Sync>;

/// Everything that [`crate::OpenStack::connect`] needs.
#[derive(Clone)]
pub struct OpenStackConfig {
    /// Who asks, and where.
    pub credentials: Credentials,
    /// The cloud family.
    pub dialect: Dialect,
    /// The region; `None` takes the credentials' region, then the catalogue's only one.
    pub region: Option<String>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: IdSource,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Endpoints that go before the credentials' overrides and the catalogue.
    pub endpoints: BTreeMap<Service, String>,
}

impl OpenStackConfig {
    /// A configuration with the credentials' own region and no overrides.
    pub fn new(credentials: Credentials, dialect: Dialect, clock: Arc<dyn Clock>, ids: IdSource) -> Self {
        Self {
            credentials,
            dialect,
            region: None,
            clock,
            ids,
            user_agent: concat!("reseal/", env!("CARGO_PKG_VERSION")).to_owned(),
            endpoints: BTreeMap::new(),
        }
    }

    /// The region that was asked for, if any was.
    pub(crate) fn wanted_region(&self) -> Option<&str> {
        self.region
            .as_deref()
            .or(self.credentials.region.as_deref())
            .filter(|region| !region.is_empty())
    }

    /// The endpoint that replaces the catalogue's, if there is one.
    pub(crate) fn override_of(&self, service: Service) -> Option<&str> {
        self.endpoints
            .get(&service)
            .or_else(|| self.credentials.endpoints.get(&service))
            .map(String::as_str)
    }
}

impl std::fmt::Debug for OpenStackConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenStackConfig")
            .field("credentials", &self.credentials)
            .field("dialect", &self.dialect)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
