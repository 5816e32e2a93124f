//! The steps around the guest: machine, way in, image.

use std::collections::BTreeMap;

use reseal_engine::Leaves::{Nothing, Product, Temporary};
use reseal_machine::cloud::{Capture, RootVolume};
use reseal_spec::Spec;
use reseal_spec::model::{self, Auth, Transport, Trust, WayIn};

use super::builder::Builder;
use super::{Choices, ids};
use crate::actions::cloud::{
    ActiveParams, AddressParams, CaptureParams, DescribeParams, GroupParams, IdentityParams, ImageOf, PublishParams,
    ReadyParams, ServerParams, ShutoffParams, UserData,
};
use crate::actions::guest::{Account, ConnectParams};
use crate::facts::Facts;
use crate::world::{DoorTrust, Role};

/// Hours after which a machine that nobody removed turns itself off.
pub(super) const DEAD_MAN_HOURS: u32 = 12;
/// Nova may learn of a guest's own shutdown only at its next synchronisation, ten minutes later.
const SHUTOFF_SECONDS: u64 = 20 * 60;
/// Copying a volume into an image.
const IMAGE_SECONDS: u64 = 3 * 60 * 60;

/// From nothing to a guest that answers.
pub(super) fn start(builder: &mut Builder, spec: &Spec, facts: &Facts, choices: &Choices) {
    keys(builder, spec, choices);
    enter(builder, spec, facts);
}

/// What every machine of a build needs: keys, and a port that is open to the runner.
pub(super) fn keys(builder: &mut Builder, spec: &Spec, choices: &Choices) {
    let port = spec.connect.winrm.port();
    builder.add(
        ids::IDENTITY,
        "make the build's one-time keys",
        "build.identity",
        Nothing,
        &IdentityParams {},
    );
    builder.add(ids::KEYPAIR, "import the key pair", "cloud.keypair", Temporary, &());
    let from = if spec.base.allow_from.is_empty() {
        choices.runner.clone()
    } else {
        spec.base.allow_from.clone()
    };
    let group = GroupParams { port, from };
    builder.add(
        ids::GROUP,
        format!("open port {port} to the runner"),
        "cloud.security_group",
        Temporary,
        &group,
    );
}

/// The build machine, up to the first answer of its guest.
fn enter(builder: &mut Builder, spec: &Spec, facts: &Facts) {
    let server = server(spec, facts);
    let title = format!("start a {} machine from `{}`", facts.flavor.name, facts.image.name);
    builder.add(ids::SERVER, title, "cloud.server", Temporary, &server);
    let ready = ReadyParams {
        server: ids::SERVER.into(),
    };
    builder.add(
        ids::READY,
        "wait for the machine",
        "cloud.server_ready",
        Nothing,
        &ready,
    );
    address(builder, ids::ADDRESS, ids::READY, facts);
    builder.add(
        ids::CONNECT,
        "connect over WinRM",
        "guest.connect",
        Nothing,
        &connect(spec),
    );
}

/// The step that gives a machine an address.
pub(super) fn address(builder: &mut Builder, id: &str, ready: &str, facts: &Facts) {
    let network = facts.external.as_ref().map(|network| network.id.clone());
    let whom = if id == ids::ADDRESS { "it" } else { "the second machine" };
    let title = match &network {
        Some(_) => format!("give {whom} a floating address"),
        None => format!("reach {whom} by the fixed address"),
    };
    builder.add(
        id,
        title,
        "cloud.address",
        Temporary,
        &AddressParams {
            ready: ready.to_owned(),
            network,
        },
    );
}

fn server(spec: &Spec, facts: &Facts) -> ServerParams {
    let posted = is_posted(spec);
    let script = spec
        .base
        .user_data
        .as_ref()
        .and_then(|path| spec.scripts.get(path))
        .map(|script| script.text.clone());
    ServerParams {
        role: Role::Build,
        name: spec.base.server_name.clone(),
        image: ImageOf::Id(facts.image.id.clone()),
        flavor: facts.flavor.id.clone(),
        network: facts.network.id.clone(),
        subnet: spec
            .base
            .subnet
            .clone()
            .or_else(|| facts.network.subnets.first().cloned()),
        zone: spec.cloud.availability_zone.clone(),
        root_volume: root_volume(spec, facts),
        user_data: (!posted || script.is_some()).then(|| UserData {
            port: spec.connect.winrm.port(),
            https: spec.connect.winrm.transport == Transport::Https,
            dead_man_hours: DEAD_MAN_HOURS,
            script,
        }),
        ready: ids::READY.into(),
    }
}

/// The build's volume must outlive the machine: whether it can be copied while attached is known only when it is tried.
fn root_volume(spec: &Spec, facts: &Facts) -> Option<RootVolume> {
    let smallest = facts.image.min_disk_gb.max(facts.capabilities.min_root_gb);
    match &spec.base.root_volume {
        Some(model::RootVolume::Volume(volume)) => Some(RootVolume {
            size_gb: volume.size.gb(),
            volume_type: volume.volume_type.clone(),
            delete_on_termination: false,
        }),
        None if facts.capabilities.boot_from_volume || facts.capabilities.capture != Capture::Server => {
            Some(RootVolume {
                size_gb: smallest,
                volume_type: None,
                delete_on_termination: false,
            })
        }
        Some(model::RootVolume::None) | None => None,
    }
}

/// Whether the way in is the password that the guest posts. With `auto` the build makes its own way in, on every cloud:
/// only then is the guest's certificate known before the machine exists.
pub(super) fn is_posted(spec: &Spec) -> bool {
    spec.connect.winrm.way_in == WayIn::ServerPassword
}

pub(super) fn connect(spec: &Spec) -> ConnectParams {
    let winrm = &spec.connect.winrm;
    let account = if is_posted(spec) {
        Account::Posted(winrm.username.clone().unwrap_or_else(|| "Administrator".to_owned()))
    } else {
        Account::Made(Role::Build)
    };
    ConnectParams {
        ready: ids::READY.into(),
        address: ids::ADDRESS.into(),
        https: winrm.transport == Transport::Https,
        port: winrm.port(),
        basic: winrm.auth == Auth::Basic,
        trust: trust(&winrm.trust),
        account,
        limit_seconds: winrm.timeout.duration().as_secs(),
        apps: true,
    }
}

fn trust(trust: &Trust) -> Option<DoorTrust> {
    match trust {
        Trust::Pinned => None,
        Trust::System => Some(DoorTrust::System),
        Trust::Insecure => Some(DoorTrust::Insecure),
        Trust::Ca(file) => Some(DoorTrust::Ca(file.clone())),
        Trust::Sha256(pin) => Some(DoorTrust::Pinned(pin.to_ascii_lowercase())),
    }
}

/// From a guest that is off to an image that says what it is.
pub(super) fn capture(builder: &mut Builder, spec: &Spec, facts: &Facts) {
    let shutoff = ShutoffParams {
        ready: ids::READY.into(),
        limit_seconds: SHUTOFF_SECONDS,
    };
    builder.add(
        ids::SHUTOFF,
        "wait until the machine is off",
        "cloud.shutoff",
        Nothing,
        &shutoff,
    );
    let disk_format = spec.image.disk_format.as_str().to_owned();
    let capture = CaptureParams {
        ready: ids::READY.into(),
        disk_format,
    };
    builder.add(ids::CAPTURE, "ask for the image", "cloud.capture", Product, &capture);
    let active = ActiveParams {
        capture: ids::CAPTURE.into(),
        ready: ids::READY.into(),
        limit_seconds: IMAGE_SECONDS,
    };
    builder.add(
        ids::ACTIVE,
        "wait for the image",
        "cloud.image_active",
        Nothing,
        &active,
    );
    let describe = DescribeParams {
        capture: ids::CAPTURE.into(),
        active: ids::ACTIVE.into(),
        ready: ids::READY.into(),
        min_disk_gb: spec.image.min_disk.map(model::Size::gb),
        min_ram_mb: spec.image.min_ram.map_or(facts.image.min_ram_mb, model::Size::mb),
        properties: properties(spec, facts),
    };
    builder.add(
        ids::DESCRIBE,
        "describe the image",
        "cloud.image_describe",
        Nothing,
        &describe,
    );
}

/// The spec's properties, and what every Windows image should say of itself unless its base does already.
fn properties(spec: &Spec, facts: &Facts) -> BTreeMap<String, String> {
    let mut properties = spec.image.properties.clone();
    if !facts.image.properties.contains_key("os_type") {
        properties
            .entry("os_type".to_owned())
            .or_insert_with(|| "windows".to_owned());
    }
    properties.extend(spec.description.clone().map(|text| ("description".to_owned(), text)));
    properties
}

/// The image gets its name; from here on the build has succeeded.
pub(super) fn publish(builder: &mut Builder, spec: &Spec, facts: &Facts, choices: &Choices) {
    let publish = PublishParams {
        capture: ids::CAPTURE.into(),
        name: spec.image.name.clone(),
        spec: spec.name.clone(),
        visibility: spec.image.visibility.as_str().to_owned(),
        protected: spec.image.protected,
        tags: spec.image.tags.clone(),
        members: spec.image.members.clone(),
        alias: spec.image.alias.clone(),
        replaces: if choices.force { facts.same_name.clone() } else { vec![] },
    };
    let title = format!("publish it as `{}`", spec.image.name);
    builder
        .add(ids::PUBLISH, title, "cloud.publish", Nothing, &publish)
        .commits = true;
}
