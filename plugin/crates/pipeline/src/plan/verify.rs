//! The steps of the proof: a second machine, its first boot, the checks.

use reseal_engine::FailureClass;
use reseal_engine::Leaves::{Nothing, Temporary};
use reseal_guest::promises::Promise;
use reseal_machine::ImageId;
use reseal_machine::cloud::RootVolume;
use reseal_spec::Spec;
use reseal_unattend::catalogue::{ZoneName, find_zone};

use super::builder::Builder;
use super::{guest, ids, machine};
use crate::actions::cloud::{ImageOf, ReadyParams, ServerParams, UserData};
use crate::actions::guest::{
    Account, ConnectParams, FirstBootParams, Locales, PasswordParams, PromiseParams, ProofParams,
};
use crate::facts::Facts;
use crate::world::Role;

/// The verifying machine's drive is larger than the image's by this much: only then is "it grows" proved.
const LARGER_GB: u32 = 10;
/// The name of the injected password in the keyring.
const PASSWORD: &str = "verify/password";

/// Proves the image that this build makes.
pub(super) fn prove(builder: &mut Builder, spec: &Spec, facts: &Facts) {
    first_boot(builder, spec, facts, ImageOf::Step(ids::CAPTURE.into()));
    promises(builder, spec, facts);
    checks(builder, spec, facts);
}

/// Proves an image that is there. What can only be told beside the machine that it was made of is left out.
pub(super) fn prove_image(builder: &mut Builder, spec: &Spec, facts: &Facts, image: &ImageId) {
    first_boot(builder, spec, facts, ImageOf::Id(image.clone()));
    checks(builder, spec, facts);
}

/// A second machine, followed until it has proved its first boot.
fn first_boot(builder: &mut Builder, spec: &Spec, facts: &Facts, image: ImageOf) {
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
    let follow = FirstBootParams {
        connect: connect(spec, limit_seconds),
        service: spec.cloudbase_init.service.clone(),
    };
    builder.add(
        ids::VERIFY_CONNECT,
        "follow the first boot through specialize and OOBE to a log-in",
        "verify.first_boot",
        Nothing,
        &follow,
    );
    builder.add(
        ids::VERIFY_PROOF,
        "prove the first boot",
        "verify.proof",
        Nothing,
        &proof(spec),
    );
}

/// The user's own checks, and the log-in with the injected password.
fn checks(builder: &mut Builder, spec: &Spec, facts: &Facts) {
    let limit_seconds = spec.verify.timeout.duration().as_secs();
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

fn proof(spec: &Spec) -> ProofParams {
    let international = spec.unattend.international.clone().unwrap_or_default();
    let plain = |text: Option<String>| text.filter(|text| !text.contains("${"));
    ProofParams {
        connect: ids::VERIFY_CONNECT.into(),
        time_zone: spec.unattend.time_zone.as_deref().and_then(zone),
        locales: Locales {
            system: plain(international.system_locale),
            user: plain(international.user_locale),
            display: plain(international.ui_language),
        },
        account_gone: true,
    }
}

/// Windows' id of a time zone; `None` for a name that is only known when the answer file is compiled.
fn zone(name: &str) -> Option<String> {
    let (ZoneName::Id(zone) | ZoneName::Iana(zone)) = find_zone(name)?;
    Some(zone.id.to_owned())
}

/// The promises of the provider's that the clone itself proves; the password by a log-in where that is possible.
fn promises(builder: &mut Builder, spec: &Spec, facts: &Facts) {
    let disk_gb = root_gb(spec, facts);
    let mut steps = vec![
        (ids::VERIFY_IDENTITY, Promise::Identity, String::new()),
        (ids::VERIFY_DRIVE, Promise::Drive, format!(": C: fills {disk_gb} GB")),
        (ids::VERIFY_ACTIVATION, Promise::Activation, String::new()),
    ];
    // With the posted password somebody has entered already, and where the cloud hands it out somebody will.
    if !facts.capabilities.server_password && !machine::is_posted(spec) {
        steps.push((ids::VERIFY_PASSWORD, Promise::Password, String::new()));
    }
    for (id, promise, more) in steps {
        let params = PromiseParams {
            promise,
            connect: ids::VERIFY_CONNECT.into(),
            proof: ids::VERIFY_PROOF.into(),
            built: ids::CONNECT.into(),
            cloudbase: ids::CLOUDBASE.into(),
            server: ids::VERIFY_SERVER.into(),
            ready: ids::VERIFY_READY.into(),
            disk_gb,
        };
        let title = format!("prove {}{more}", promise.title());
        builder.add(id, title, "verify.promise", Nothing, &params);
    }
}

/// The size of the clone's root disk: its volume's, or its flavour's where it has none.
fn root_gb(spec: &Spec, facts: &Facts) -> u32 {
    root_volume(spec, facts).map_or(facts.verify_flavor.disk_gb, |volume| volume.size_gb)
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
        "prove password injection: wait for the password",
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
    builder.add(
        ids::VERIFY_LOGIN,
        "prove password injection: log in with it",
        "guest.connect",
        Nothing,
        &login,
    );
}

/// What the clone boots from.
fn root_volume(spec: &Spec, facts: &Facts) -> Option<RootVolume> {
    let smallest = facts.image.min_disk_gb.max(facts.capabilities.min_root_gb);
    let size = match &spec.base.root_volume {
        Some(reseal_spec::model::RootVolume::None) => return None,
        Some(reseal_spec::model::RootVolume::Volume(volume)) => volume.size.gb(),
        None => spec.image.min_disk.map_or(smallest, reseal_spec::model::Size::gb),
    };
    Some(RootVolume {
        size_gb: size + LARGER_GB,
        volume_type: None,
        delete_on_termination: true,
    })
}

fn server(spec: &Spec, facts: &Facts, image: ImageOf) -> ServerParams {
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
        root_volume: root_volume(spec, facts),
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
        apps: false,
        ..like_build
    }
}
