//! What is reachable, layer by layer, and which layer fails.
//!
//! From the network upwards: address, TLS, log-in, catalogue, each service with one harmless list call. Stops where nothing
//! above can work, so that the last line is the one to look at.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reseal_machine::CloudError;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::auth::Session;
use crate::catalog::Service;
use crate::config::OpenStackConfig;
use crate::dialect;
use crate::http::Client;
use crate::http::request::Request;

/// Time for one look at the network.
const PATIENCE: Duration = Duration::from_secs(10);

/// One layer's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The layer, e.g. `authentication`.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
    /// What a person can do about it.
    pub hint: Option<String>,
}

impl Check {
    fn good(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ok: true,
            detail: detail.into(),
            hint: None,
        }
    }

    fn bad(name: impl Into<String>, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ok: false,
            detail: detail.into(),
            hint: Some(hint.into()),
        }
    }

    fn failed(name: impl Into<String>, error: &CloudError) -> Self {
        let hint = (!error.hints.is_empty()).then(|| error.hints.join("; "));
        Self {
            name: name.into(),
            ok: false,
            detail: error.message.clone(),
            hint,
        }
    }
}

/// Looks from the network upwards and stops where nothing above can work.
pub async fn check(config: OpenStackConfig) -> Vec<Check> {
    let mut checks: Vec<_> = config
        .credentials
        .remarks(config.dialect)
        .into_iter()
        .map(|remark| Check::bad("credentials", remark, "check `OS_USERNAME`"))
        .collect();
    let client = match Client::new(config) {
        Ok(client) => client,
        Err(error) => {
            checks.push(Check::failed("tls", &error));
            return checks;
        }
    };
    if client.config.credentials.proxy.is_none() {
        checks.push(network(&client.config.credentials.auth_url).await);
    } else {
        checks.push(Check::good("network", "skipped: the way goes through a proxy"));
    }
    if checks.last().is_some_and(|network| !network.ok) {
        return checks;
    }
    above_network(&client, &mut checks).await;
    checks
}

/// Name and port of the identity service.
async fn network(auth_url: &str) -> Check {
    let Some((host, port)) = Url::parse(auth_url)
        .ok()
        .and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)))
    else {
        return Check::bad(
            "network",
            "`OS_AUTH_URL` is not an address",
            "it looks like `https://keystone.example/v3`",
        );
    };
    let name = host.trim_matches(['[', ']']);
    let addresses: Vec<_> = match timeout(PATIENCE, lookup_host((name, port))).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(error)) => {
            return Check::bad(
                "network",
                format!("`{host}` has no address: {error}"),
                "check the name in `OS_AUTH_URL`, and the DNS",
            );
        }
        Err(_) => {
            return Check::bad(
                "network",
                format!("the DNS does not answer for `{host}`"),
                "check the DNS",
            );
        }
    };
    for address in &addresses {
        if let Ok(Ok(_)) = timeout(PATIENCE, TcpStream::connect(address)).await {
            return Check::good("network", format!("{host} answers at {address}"));
        }
    }
    Check::bad(
        "network",
        format!("`{host}` takes no connection at port {port}"),
        "check firewall, VPN and proxy (`https_proxy`)",
    )
}

async fn above_network(client: &Client, checks: &mut Vec<Check>) {
    let session = match client.session().await {
        Ok(session) => session,
        Err(error) => {
            let layer = if error.http.is_some() { "authentication" } else { "tls" };
            checks.push(Check::failed(layer, &error));
            return;
        }
    };
    checks.push(Check {
        hint: client.config.credentials.tls.insecure.then(|| {
            "no certificate is checked (`OS_INSECURE`, or `insecure` and `verify` in `clouds.yaml`): anybody on the way \
             can take the token"
                .to_owned()
        }),
        ..Check::good("authentication", format!("the token lasts until {}", session.ends_at))
    });
    match client.region(&session) {
        Ok(region) => checks.push(Check::good(
            "catalogue",
            format!("region {region} of {}", session.catalog.regions().join(", ")),
        )),
        Err(error) => {
            checks.push(Check::failed("catalogue", &error));
            return;
        }
    }
    for service in Service::ALL {
        checks.push(reach(client, &session, service).await);
    }
}

/// One short list of a service.
async fn reach(client: &Client, session: &Arc<Session>, service: Service) -> Check {
    // "network" alone is the way to the cloud.
    let name = format!("{} service", service.name());
    let address = match client.base(service, session) {
        Ok(address) => address,
        Err(error) => return Check::failed(name, &error),
    };
    match client.call(&harmless(service, client.config.dialect)).await {
        Ok(_) => Check {
            hint: in_clear(client, &address),
            ..Check::good(name, address)
        },
        Err(error) => Check {
            detail: format!("{address}: {}", error.message),
            ..Check::failed(name, &error)
        },
    }
}

/// A catalogue may lead from https to http, which shows the token to everybody on the way.
fn in_clear(client: &Client, address: &str) -> Option<String> {
    let safe = |address: &str| address.starts_with("https://");
    (safe(&client.config.credentials.auth_url) && !safe(address))
        .then(|| "the catalogue gives an address without TLS: the token goes there in clear text".to_owned())
}

fn harmless(service: Service, dialect: reseal_machine::cloud::Dialect) -> Request {
    let path = match service {
        Service::Compute => "flavors",
        Service::Image => "images",
        Service::Network => dialect::rules(dialect).networks,
        Service::BlockStorage => "volumes",
    };
    let request = Request::get(service, "look at the service", &[path]);
    if service == Service::Network {
        request
    } else {
        request.query("limit", "1")
    }
}
