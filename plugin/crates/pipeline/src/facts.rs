//! What a plan must know of the cloud and of local files, gathered before anything is decided.

use std::collections::BTreeMap;

use reseal_machine::cloud::{Capabilities, Flavor, Image, ImageQuery, ImageStatus, Network, QuotaLeft};
use reseal_machine::{Cloud, CloudError, ImageId};
use reseal_spec::Spec;
use reseal_spec::model::{AddressKind, BaseImage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actions::cloud::{FINGERPRINT, SPEC};
use crate::problem::{Problem, ProblemKind};
use crate::wildcard;

/// Read-only answers that a plan is made from. Data, so that the plan is a pure function of spec and facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// What the cloud can do.
    pub capabilities: Capabilities,
    /// The base image.
    pub image: Image,
    /// The build machine's flavour.
    pub flavor: Flavor,
    /// The verifying machine's flavour.
    pub verify_flavor: Flavor,
    /// The network.
    pub network: Network,
    /// Where floating addresses come from.
    pub external: Option<Network>,
    /// What is left of the quota.
    pub quota: QuotaLeft,
    /// The newest finished image of this spec.
    pub newest: Option<Built>,
    /// Finished images that have the new image's name already.
    pub same_name: Vec<ImageId>,
    /// Local files by path as the spec writes it.
    pub files: BTreeMap<String, FileFact>,
}

/// An image that an earlier build made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Built {
    /// Its id.
    #[schemars(with = "String")]
    pub id: ImageId,
    /// Its name.
    pub name: String,
    /// What decided its content.
    pub fingerprint: String,
}

/// Local files and folders by path as the spec writes it.
pub type LocalFacts = BTreeMap<String, FileFact>;

/// A local file or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFact {
    /// A file.
    File {
        /// Its size in bytes.
        size: u64,
        /// Its SHA-256.
        sha256: String,
    },
    /// A folder with its files, by path inside it.
    Folder(BTreeMap<String, (u64, String)>),
}

/// The paths of all local files and folders that a spec sends into the guest; the caller measures them.
pub fn local_paths(spec: &Spec) -> Vec<String> {
    let steps = spec.software.iter().chain(&spec.checks);
    let payloads = steps
        .flat_map(|step| step.step.payloads())
        .filter_map(|payload| payload.source.file);
    let mut paths: Vec<String> = spec
        .files
        .iter()
        .map(|copy| copy.from.clone())
        .chain(payloads)
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Asks the cloud. Problems that the spec is at fault for come back as such; a cloud that cannot be asked is an error.
///
/// # Errors
/// When the cloud cannot be asked.
pub async fn gather(
    cloud: &dyn Cloud,
    spec: &Spec,
    files: BTreeMap<String, FileFact>,
) -> Result<Result<Facts, Vec<Problem>>, CloudError> {
    let capabilities = cloud.capabilities().await?;
    let image = base_image(cloud, &spec.base.image).await?;
    let flavors = cloud.flavors().await?;
    let flavor = find_flavor(&flavors, &spec.base.flavor, "/base/flavor");
    let verify_flavor = match &spec.verify.flavor {
        Some(name) => find_flavor(&flavors, name, "/verify/flavor"),
        None => find_flavor(&flavors, &spec.base.flavor, "/base/flavor"),
    };
    let networks = cloud.networks().await?;
    let network = find_network(&networks, &spec.base.network);
    let external = find_external(spec, &networks);
    let own = ImageQuery {
        properties: BTreeMap::from([(SPEC.to_owned(), spec.name.clone())]),
        ..ImageQuery::default()
    };
    let own = cloud.images(&own).await?;
    let quota = cloud.quota().await?;
    Ok(match (image, flavor, verify_flavor, network, external) {
        (Ok(image), Ok(flavor), Ok(verify_flavor), Ok(network), Ok(external)) => Ok(Facts {
            capabilities,
            image,
            flavor,
            verify_flavor,
            network,
            external,
            quota,
            newest: newest(&own),
            same_name: own
                .iter()
                .filter(|image| image.name == spec.image.name)
                .map(|image| image.id.clone())
                .collect(),
            files,
        }),
        (image, flavor, verify_flavor, network, external) => {
            let problems = [
                image.err(),
                flavor.err(),
                verify_flavor.err(),
                network.err(),
                external.err(),
            ];
            let mut problems: Vec<Problem> = problems.into_iter().flatten().collect();
            problems.dedup();
            Err(problems)
        }
    })
}

/// Finds the one image that fits.
///
/// # Errors
/// When the cloud cannot be asked; that none or too many fit is a problem.
pub async fn base_image(cloud: &dyn Cloud, wanted: &BaseImage) -> Result<Result<Image, Problem>, CloudError> {
    Ok(resolve_image(wanted, cloud.images(&base_query(wanted)).await?))
}

fn base_query(wanted: &BaseImage) -> ImageQuery {
    let exact = wanted.name.clone().filter(|name| !wildcard::is_pattern(name));
    ImageQuery {
        name: exact,
        visibility: None,
        properties: wanted.properties.clone(),
    }
}

fn resolve_image(wanted: &BaseImage, images: Vec<Image>) -> Result<Image, Problem> {
    let fits = |image: &Image| {
        image.status == ImageStatus::Active
            && wanted.id.as_ref().is_none_or(|id| image.id.as_str() == id)
            && wanted
                .name
                .as_ref()
                .is_none_or(|name| wildcard::matches(name, &image.name))
    };
    let all: Vec<String> = images.iter().map(|image| image.name.clone()).collect();
    let mut fitting: Vec<Image> = images.into_iter().filter(fits).collect();
    fitting.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| b.name.cmp(&a.name)));
    let route = if wanted.id.is_some() {
        "/base/image/id"
    } else {
        "/base/image/name"
    };
    let count = fitting.len();
    match fitting.into_iter().next() {
        None => Err(no_image(wanted, route, &all)),
        Some(image) if count == 1 || wanted.newest || wanted.id.is_some() => Ok(image),
        Some(image) => Err(
            Problem::new(ProblemKind::Spec, route, format!("{count} images fit")).help(format!(
                "the newest is `{}`; write `newest: true` to take it, or name one",
                image.name
            )),
        ),
    }
}

fn no_image(wanted: &BaseImage, route: &str, all: &[String]) -> Problem {
    let wanted = wanted
        .name
        .as_deref()
        .or(wanted.id.as_deref())
        .unwrap_or("these properties");
    let windows = all.iter().filter(|name| name.to_lowercase().contains("win")).take(5);
    let known: Vec<String> = windows.map(|name| format!("`{name}`")).collect();
    let problem = Problem::new(
        ProblemKind::Cloud,
        route,
        format!("no image of this project fits `{wanted}`"),
    );
    if known.is_empty() {
        problem.help("the cloud shows no Windows image at all to these credentials".to_owned())
    } else {
        problem.help(format!("there are {}", known.join(", ")))
    }
}

fn find_flavor(flavors: &[Flavor], wanted: &str, route: &str) -> Result<Flavor, Problem> {
    let found = flavors
        .iter()
        .find(|flavor| flavor.name == wanted || flavor.id.as_str() == wanted);
    found.cloned().ok_or_else(|| {
        let names: Vec<&str> = flavors.iter().map(|flavor| flavor.name.as_str()).collect();
        Problem::new(
            ProblemKind::Cloud,
            route,
            format!("this cloud has no flavour `{wanted}`"),
        )
        .near(wanted, &names)
    })
}

fn find_network(networks: &[Network], wanted: &str) -> Result<Network, Problem> {
    let found = networks
        .iter()
        .find(|network| network.name == wanted || network.id.as_str() == wanted);
    found.cloned().ok_or_else(|| {
        let names: Vec<&str> = networks.iter().map(|network| network.name.as_str()).collect();
        let message = format!("this project has no network `{wanted}`");
        Problem::new(ProblemKind::Cloud, "/base/network", message).near(wanted, &names)
    })
}

fn find_external(spec: &Spec, networks: &[Network]) -> Result<Option<Network>, Problem> {
    if spec.base.address == AddressKind::Fixed {
        return Ok(None);
    }
    let mut external = networks.iter().filter(|network| network.external);
    let found = match &spec.base.floating_network {
        Some(wanted) => external.find(|network| network.name == *wanted || network.id.as_str() == wanted),
        None => external.next(),
    };
    let route = if spec.base.floating_network.is_some() {
        "/base/floating_network"
    } else {
        "/base/address"
    };
    found.cloned().map(Some).ok_or_else(|| {
        Problem::new(
            ProblemKind::Cloud,
            route,
            "there is no external network for a floating address".to_owned(),
        )
        .help("use `address: fixed` when the runner reaches the network directly".to_owned())
    })
}

fn newest(own: &[Image]) -> Option<Built> {
    let finished = own.iter().filter(|image| image.status == ImageStatus::Active);
    let newest = finished.max_by_key(|image| image.created_at)?;
    Some(Built {
        id: newest.id.clone(),
        name: newest.name.clone(),
        fingerprint: newest.properties.get(FINGERPRINT).cloned().unwrap_or_default(),
    })
}
