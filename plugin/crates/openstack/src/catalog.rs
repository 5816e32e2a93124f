//! The catalogue of services: which address a service has in a region.
//!
//! Both forms of a catalogue become the same value: v2.0 with `publicURL` beside the region, v3 with one entry for each
//! interface. The addresses are normalised once, so that the rest of the crate only adds paths.

use reseal_machine::{CloudError, CloudErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::credentials::Interface;
use crate::json;

/// The services that a build needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Nova.
    Compute,
    /// Glance.
    Image,
    /// Neutron.
    Network,
    /// Cinder.
    BlockStorage,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Compute, Self::Image, Self::Network, Self::BlockStorage];

    /// The names that catalogues use for it, best first. NHN Cloud has `volumev2`; upstream went from `volumev3` to
    /// `block-storage` (<https://service-types.openstack.org/service-types.json>).
    pub fn types(self) -> &'static [&'static str] {
        match self {
            Self::Compute => &["compute"],
            Self::Image => &["image"],
            Self::Network => &["network"],
            Self::BlockStorage => &["block-storage", "volumev3", "block-store", "volumev2", "volume"],
        }
    }

    /// The name of the first type, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Image => "image",
            Self::Network => "network",
            Self::BlockStorage => "block storage",
        }
    }

    /// What is added to an address that says no version.
    fn version(self, project: &str) -> String {
        match self {
            Self::Compute => "v2.1".to_owned(),
            Self::Image => "v2".to_owned(),
            Self::Network => "v2.0".to_owned(),
            Self::BlockStorage => format!("v3/{project}"),
        }
    }

    /// The service's base address: no trailing slash, always with a version.
    pub(crate) fn base(self, address: &str, project: &str) -> String {
        let address = address.trim_end_matches('/');
        let path = address.split_once("://").map_or(address, |(_, rest)| rest);
        if path.split('/').skip(1).any(is_version) {
            address.to_owned()
        } else {
            format!("{address}/{}", self.version(project))
        }
    }
}

/// `v2`, `v2.1`, `v3` …
fn is_version(segment: &str) -> bool {
    let digits = segment.strip_prefix('v').unwrap_or_default();
    digits.starts_with(|first: char| first.is_ascii_digit()) && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// One address of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The type as the catalogue spells it.
    pub kind: String,
    /// The region, under all its names.
    pub regions: Vec<String>,
    /// From where it can be reached.
    pub interface: Interface,
    /// The address as the catalogue gave it.
    pub url: String,
}

/// All addresses that came with a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// In the order of the catalogue.
    pub endpoints: Vec<Endpoint>,
}

impl Catalog {
    /// Reads `access.serviceCatalog`.
    pub fn from_v2(services: &Value) -> Self {
        let read = |kind: &str, entry: &Value| {
            let regions = regions(entry);
            let address = |name: &str, interface| {
                let url = json::text(entry, name)?;
                Some(Endpoint {
                    kind: kind.to_owned(),
                    regions: regions.clone(),
                    interface,
                    url,
                })
            };
            [
                ("publicURL", Interface::Public),
                ("internalURL", Interface::Internal),
                ("adminURL", Interface::Admin),
            ]
            .into_iter()
            .filter_map(|(name, interface)| address(name, interface))
            .collect::<Vec<_>>()
        };
        Self {
            endpoints: each(services, read),
        }
    }

    /// Reads `token.catalog`.
    pub fn from_v3(services: &Value) -> Self {
        let read = |kind: &str, entry: &Value| {
            let interface = match json::text(entry, "interface").as_deref() {
                Some("public") => Interface::Public,
                Some("internal") => Interface::Internal,
                Some("admin") => Interface::Admin,
                _ => return Vec::new(),
            };
            let url = json::text(entry, "url");
            let endpoint = |url| Endpoint {
                kind: kind.to_owned(),
                regions: regions(entry),
                interface,
                url,
            };
            url.map(endpoint).into_iter().collect()
        };
        Self {
            endpoints: each(services, read),
        }
    }

    /// The regions of the services that a build needs, sorted. Others, such as a global identity service, do not count.
    pub fn regions(&self) -> Vec<String> {
        let needed = |kind: &str| Service::ALL.iter().any(|service| service.types().contains(&kind));
        let ours = self.endpoints.iter().filter(|endpoint| needed(&endpoint.kind));
        let mut regions: Vec<_> = ours.filter_map(|endpoint| endpoint.regions.first().cloned()).collect();
        regions.sort();
        regions.dedup();
        regions
    }

    /// The region to use: the wanted one if the catalogue has it, else its only one.
    pub fn region(&self, wanted: Option<&str>) -> Result<String, CloudError> {
        let known = self.regions();
        let refused = |message: String| CloudError::new(CloudErrorKind::Invalid, "read the catalogue", message);
        match (wanted, known.as_slice()) {
            // An empty catalogue is judged when a service is looked up: overrides may stand for all of it.
            (wanted, []) => Ok(wanted.unwrap_or_default().to_owned()),
            (None, [only]) => Ok(only.clone()),
            (None, several) => Err(refused("the catalogue has several regions".to_owned()).hint(format!(
                "choose one with `cloud.region` or `OS_REGION_NAME`: {}",
                several.join(", ")
            ))),
            (Some(wanted), _) => self.spelled(wanted).ok_or_else(|| {
                refused(format!("the region `{wanted}` is not in the catalogue"))
                    .hint(format!("the catalogue has: {}", known.join(", ")))
            }),
        }
    }

    /// A region as the catalogue spells it.
    fn spelled(&self, wanted: &str) -> Option<String> {
        let mut names = self.endpoints.iter().flat_map(|endpoint| &endpoint.regions);
        names.find(|name| name.eq_ignore_ascii_case(wanted)).cloned()
    }

    /// The address of a service, as the catalogue gave it.
    pub fn endpoint(&self, service: Service, region: &str, interface: Interface) -> Result<&Endpoint, CloudError> {
        let fits =
            |endpoint: &&Endpoint| endpoint.is_in(region) && endpoint.interface == interface && !is_v1(&endpoint.url);
        service
            .types()
            .iter()
            .find_map(|kind| {
                self.endpoints
                    .iter()
                    .filter(fits)
                    .find(|endpoint| endpoint.kind == *kind)
            })
            .ok_or_else(|| self.absent(service, region, interface))
    }

    fn absent(&self, service: Service, region: &str, interface: Interface) -> CloudError {
        let interface = interface.name();
        let message = format!(
            "the catalogue has no {interface} {} service in region `{region}`",
            service.name()
        );
        let mut kinds: Vec<_> = self
            .endpoints
            .iter()
            .filter(|e| e.is_in(region))
            .map(|e| format!("{} ({})", e.kind, e.interface.name()))
            .collect();
        kinds.sort();
        kinds.dedup();
        let list = if kinds.is_empty() {
            "nothing".to_owned()
        } else {
            kinds.join(", ")
        };
        CloudError::new(CloudErrorKind::NotFound, "read the catalogue", message)
            .hint(format!("looked for the types {}", service.types().join(", ")))
            .hint(format!("in this region the catalogue has: {list}"))
    }
}

impl Endpoint {
    fn is_in(&self, region: &str) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|name| name.eq_ignore_ascii_case(region))
    }
}

impl Interface {
    fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        }
    }
}

/// Cinder's first API is gone everywhere, but old catalogues still carry it under `volume`.
fn is_v1(url: &str) -> bool {
    url.split('/').any(|segment| segment == "v1")
}

fn regions(entry: &Value) -> Vec<String> {
    let mut names: Vec<_> = ["region", "region_id"]
        .into_iter()
        .filter_map(|key| json::text(entry, key))
        .collect();
    names.dedup();
    names
}

fn each(services: &Value, read: impl Fn(&str, &Value) -> Vec<Endpoint>) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for service in json::items(services) {
        let kind = json::text(service, "type").unwrap_or_default();
        for entry in json::list(service, "endpoints") {
            endpoints.extend(read(&kind, entry));
        }
    }
    endpoints
}

#[cfg(test)]
mod tests;
