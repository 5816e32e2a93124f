//! Fits a spec into the lab: what the lab does not have by name is stood in for, and said so.
//!
//! A rehearsal proves the steps, not the names: those are what `plan` and `validate -online` ask the real cloud about.

use reseal_machine::cloud::{Image, ImageQuery};
use reseal_machine::{Cloud, CloudError};
use reseal_spec::Spec;
use reseal_spec::model::{Provider, RootVolume};

/// The spec as the lab can build it, and what was stood in for.
///
/// # Errors
/// When the lab cannot be asked.
pub async fn adapt(spec: &Spec, cloud: &dyn Cloud) -> Result<(Spec, Vec<String>), CloudError> {
    let mut spec = spec.clone();
    let mut notes = Vec::new();
    own_region(&mut spec);
    let images = cloud.images(&ImageQuery::default()).await?;
    image(&mut spec, &images, &mut notes);
    let flavors = cloud.flavors().await?;
    let known = |name: &String| {
        flavors
            .iter()
            .any(|flavor| flavor.name == *name || flavor.id.as_str() == name)
    };
    let usual = flavors
        .iter()
        .filter(|flavor| flavor.ram_mb == 4096 && (flavor.disk_gb == 0 || flavor.disk_gb >= 60));
    if let Some(usual) = usual.map(|flavor| flavor.name.clone()).next() {
        stand_in("flavour", &mut spec.base.flavor, &usual, known, &mut notes);
        if let Some(flavor) = &mut spec.verify.flavor {
            stand_in("flavour", flavor, &usual, known, &mut notes);
        }
    }
    let networks = cloud.networks().await?;
    let known = |name: &String| {
        networks
            .iter()
            .any(|network| network.name == *name || network.id.as_str() == name)
    };
    if let Some(inner) = networks.iter().find(|network| !network.external) {
        stand_in("network", &mut spec.base.network, &inner.name, known, &mut notes);
    }
    if let Some(name) = &mut spec.base.floating_network
        && let Some(outer) = networks.iter().find(|network| network.external)
    {
        stand_in("network", name, &outer.name, known, &mut notes);
    }
    Ok((spec, notes))
}

/// The lab's credentials, region and zones are its own.
fn own_region(spec: &mut Spec) {
    spec.cloud.cloud = None;
    spec.cloud.region = None;
    spec.cloud.availability_zone = None;
    spec.base.subnet = None;
    if spec.cloud.provider == Provider::Lab {
        spec.cloud.provider = Provider::Nhn;
    }
    if spec.cloud.provider == Provider::Openstack
        && let Some(RootVolume::Volume(volume)) = &mut spec.base.root_volume
    {
        volume.volume_type = None;
    }
}

fn stand_in(what: &str, wanted: &mut String, usual: &str, known: impl Fn(&String) -> bool, notes: &mut Vec<String>) {
    if !known(wanted) {
        notes.push(format!("the lab has no {what} `{wanted}`; `{usual}` stands in for it"));
        usual.clone_into(wanted);
    }
}

/// The base image: one of the same Windows, where its name tells which.
fn image(spec: &mut Spec, images: &[Image], notes: &mut Vec<String>) {
    let wanted = &mut spec.base.image;
    let fits = |image: &Image| {
        wanted.id.as_ref().is_none_or(|id| image.id.as_str() == id)
            && wanted
                .name
                .as_ref()
                .is_none_or(|name| reseal_pipeline::matches(name, &image.name))
            && wanted
                .properties
                .iter()
                .all(|(key, value)| image.properties.get(key) == Some(value))
    };
    if images.iter().any(fits) {
        return;
    }
    let name = wanted
        .name
        .clone()
        .or_else(|| wanted.id.clone())
        .unwrap_or_else(|| "with these properties".to_owned());
    let year = ["2016", "2019", "2022", "2025"]
        .into_iter()
        .find(|year| name.contains(year))
        .unwrap_or("2022");
    let like = images.iter().filter(|image| {
        let lower = image.name.to_lowercase();
        image.visibility == "public"
            && lower.contains("win")
            && lower.contains(year)
            && !lower.contains("sql")
            && !lower.contains("nvidia")
    });
    let Some(usual) = like.map(|image| image.name.clone()).next() else {
        return;
    };
    notes.push(format!("the lab has no image `{name}`; `{usual}` stands in for it"));
    wanted.id = None;
    wanted.properties.clear();
    wanted.name = Some(usual);
    wanted.newest = true;
}
