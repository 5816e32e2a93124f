//! The steps of the proof: a second machine, its first boot, the checks.

use reseal_engine::FailureClass;
use reseal_engine::Leaves::{Nothing, Temporary};
use reseal_machine::ImageId;
use reseal_machine::cloud::RootVolume;
use reseal_spec::Spec;

use super::builder::Builder;
use super::{guest, ids, machine};
use crate::actions::cloud::{ImageOf, ReadyParams, ServerParams, UserData};
use crate::actions::guest::{Account, ConnectParams, PasswordParams, ProofParams};
use crate::facts::Facts;
use crate::world::Role;

/// The verifying machine's drive is larger than the image's by this much: only then is "it grows" proved.
const LARGER_GB: u32 = 10;
/// The name of the injected password in the keyring.
const PASSWORD: &str = "verify/password";

/// Proves the image that this build makes.
pub(super) fn prove(builder: &mut Builder, spec: &Spec, facts: &Facts) {
    of(
        builder,
        spec,
        facts,
        ImageOf::Step(ids::CAPTURE.into()),
        Some(ids::CONNECT.into()),
    );
}

/// Proves an image that is there.
pub(super) fn prove_image(builder: &mut Builder, spec: &Spec, facts: &Facts, image: &ImageId) {
    of(builder, spec, facts, ImageOf::Id(image.clone()), None);
}

fn of(builder: &mut Builder, spec: &Spec, facts: &Facts, image: ImageOf, built: Option<String>) {
    let limit_seconds = spec.verify.timeout.duration().as_secs();
    builder.add(
        ids::VERIFY_SERVER,
        "start a second machine from the image",
        "cloud.server",
        Temporary,
        &server(spec, facts, image),
    );
    let ready = ReadyParams {
        server: ids::VERIFY_SERVER.into(),
    };
    builder.add(
        ids::VERIFY_READY,
        "wait for the second machine",
        "cloud.server_ready",
        Nothing,
        &ready,
    );
    machine::address(builder, ids::VERIFY_ADDRESS, ids::VERIFY_READY, facts);
    builder.add(
        ids::VERIFY_CONNECT,
        "connect to the second machine",
        "guest.connect",
        Nothing,
        &connect(spec, limit_seconds),
    );
    let proof = ProofParams {
        connect: ids::VERIFY_CONNECT.into(),
        built,
        server: ids::VERIFY_SERVER.into(),
        ready: ids::VERIFY_READY.into(),
        time_zone: None,
        account_gone: true,
    };
    builder.add(
        ids::VERIFY_PROOF,
        "prove the first boot",
        "verify.proof",
        Nothing,
        &proof,
    );
    for (number, check) in spec.checks.iter().enumerate() {
        guest::software(
            builder,
            "verify",
            ids::VERIFY_CONNECT,
            number + 1,
            check,
            &facts.files,
            FailureClass::Verify,
        );
    }
    if facts.capabilities.server_password && !machine::is_posted(spec) {
        log_in(builder, spec, limit_seconds);
    }
}

/// Proves "Inject Password": the password that the clone posted opens the clone's door.
fn log_in(builder: &mut Builder, spec: &Spec, limit_seconds: u64) {
    let password = PasswordParams {
        ready: ids::VERIFY_READY.into(),
        name: PASSWORD.into(),
        limit_seconds,
    };
    builder.add(
        ids::VERIFY_PASSWORD,
        "wait for the injected password",
        "verify.password",
        Nothing,
        &password,
    );
    let username = spec
        .connect
        .winrm
        .username
        .clone()
        .unwrap_or_else(|| "Administrator".to_owned());
    let account = Account::Kept {
        username,
        password: PASSWORD.into(),
    };
    let login = ConnectParams {
        account,
        ..connect(spec, limit_seconds)
    };
    builder.add(ids::VERIFY_LOGIN, "log in with it", "guest.connect", Nothing, &login);
}

fn server(spec: &Spec, facts: &Facts, image: ImageOf) -> ServerParams {
    let smallest = facts.image.min_disk_gb.max(facts.capabilities.min_root_gb);
    let size = match &spec.base.root_volume {
        Some(reseal_spec::model::RootVolume::Volume(volume)) => volume.size.gb(),
        _ => spec.image.min_disk.map_or(smallest, reseal_spec::model::Size::gb),
    };
    let by_volume = !matches!(spec.base.root_volume, Some(reseal_spec::model::RootVolume::None));
    ServerParams {
        role: Role::Verify,
        name: None,
        image,
        flavor: facts.verify_flavor.id.clone(),
        network: facts.network.id.clone(),
        subnet: spec
            .base
            .subnet
            .clone()
            .or_else(|| facts.network.subnets.first().cloned()),
        zone: spec.cloud.availability_zone.clone(),
        root_volume: by_volume.then(|| RootVolume {
            size_gb: size + LARGER_GB,
            volume_type: None,
            delete_on_termination: true,
        }),
        user_data: (!machine::is_posted(spec)).then(|| UserData {
            port: spec.connect.winrm.port(),
            https: spec.connect.winrm.transport == reseal_spec::model::Transport::Https,
            dead_man_hours: machine::DEAD_MAN_HOURS,
            script: None,
        }),
        ready: ids::VERIFY_READY.into(),
    }
}

/// As into the build machine: the user data make an account and a listener whose certificate is known.
fn connect(spec: &Spec, limit_seconds: u64) -> ConnectParams {
    let like_build = machine::connect(spec);
    let account = match like_build.account {
        Account::Made(_) => Account::Made(Role::Verify),
        other => other,
    };
    ConnectParams {
        ready: ids::VERIFY_READY.into(),
        address: ids::VERIFY_ADDRESS.into(),
        account,
        limit_seconds,
        ..like_build
    }
}
