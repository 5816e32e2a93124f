//! The cloud's limits, checked before anything exists: each complaint points at the line that breaks it.
//!
//! NHN Cloud's come from its instance guide (`https://docs.nhncloud.com/en/Compute/Instance/en/public-api/`) and arrive
//! here as [`reseal_machine::cloud::Capabilities`].

use reseal_machine::cloud::Capture;
use reseal_machine::cloud::Dialect;
use reseal_spec::Spec;
use reseal_spec::model;

use super::Choices;
use crate::facts::Facts;
use crate::problem::{Problem, ProblemKind};

/// All complaints.
pub(super) fn check(spec: &Spec, facts: &Facts, choices: &Choices) -> Vec<Problem> {
    let mut problems = Vec::new();
    flavor(facts, &facts.flavor, "/base/flavor", &mut problems);
    if spec.verify.boot && spec.verify.flavor.is_some() {
        flavor(facts, &facts.verify_flavor, "/verify/flavor", &mut problems);
    }
    server_name(spec, facts, &mut problems);
    root(spec, facts, &mut problems);
    block_storage(spec, facts, &mut problems);
    base_image(facts, &mut problems);
    image(spec, facts, choices, &mut problems);
    quota(spec, facts, &mut problems);
    address(spec, choices, &mut problems);
    problems
}

fn limit(route: &str, message: String) -> Problem {
    Problem::new(ProblemKind::Spec, route, message)
}

fn flavor(facts: &Facts, flavor: &reseal_machine::cloud::Flavor, route: &str, problems: &mut Vec<Problem>) {
    let rules = &facts.capabilities;
    let name = flavor.name.to_lowercase();
    if let Some(prefix) = rules
        .forbidden_flavors
        .iter()
        .find(|prefix| name.starts_with(prefix.as_str()))
    {
        let message = format!(
            "flavour `{}` cannot run Windows: {} flavours are for Linux only",
            flavor.name,
            prefix.to_uppercase()
        );
        problems.push(
            limit(route, message)
                .code("plan::flavor")
                .help("take an m2, c2, r2, t2 or x1 flavour".into()),
        );
    }
    if flavor.ram_mb < rules.min_ram_mb {
        let message = format!(
            "flavour `{}` has {} MB of RAM; Windows needs {} MB",
            flavor.name, flavor.ram_mb, rules.min_ram_mb
        );
        problems.push(limit(route, message).code("plan::flavor"));
    }
    if flavor.ram_mb < facts.image.min_ram_mb {
        let message = format!(
            "image `{}` needs {} MB of RAM, flavour `{}` has {}",
            facts.image.name, facts.image.min_ram_mb, flavor.name, flavor.ram_mb
        );
        problems.push(limit(route, message).code("plan::flavor"));
    }
}

fn server_name(spec: &Spec, facts: &Facts, problems: &mut Vec<Problem>) {
    let Some(name) = &spec.base.server_name else { return };
    let (length, most) = (name.chars().count(), facts.capabilities.max_server_name);
    if length > most {
        let message = format!("server name `{name}` has {length} characters; a Windows server may have {most}");
        problems.push(
            limit("/base/server_name", message)
                .code("plan::server-name")
                .help("leave it out: the build makes a name that fits".into()),
        );
    }
}

/// Without block storage in the catalogue the volumes of a machine could be neither seen nor removed.
fn block_storage(spec: &Spec, facts: &Facts, problems: &mut Vec<Problem>) {
    let volume = matches!(spec.base.root_volume, Some(model::RootVolume::Volume(_)));
    if facts.capabilities.capture == Capture::Server && (volume || facts.capabilities.boot_from_volume) {
        let message = "the cloud's catalogue has no block storage, and this build boots from a volume";
        problems.push(
            Problem::new(ProblemKind::Cloud, "/base/root_volume", message)
                .help("these credentials may see too little of the catalogue; `reseal doctor` shows it".into()),
        );
    }
}

fn root(spec: &Spec, facts: &Facts, problems: &mut Vec<Problem>) {
    let rules = &facts.capabilities;
    match &spec.base.root_volume {
        Some(model::RootVolume::Volume(volume)) => {
            let least = facts.image.min_disk_gb.max(rules.min_root_gb);
            if volume.size.gb() < least {
                let message = format!("the root volume has {}; this base needs {least} GB", volume.size);
                problems.push(limit("/base/root_volume/size", message).code("plan::root-volume"));
            }
        }
        Some(model::RootVolume::None) if rules.boot_from_volume => {
            let message = "this cloud boots Windows from a volume only".to_owned();
            problems.push(limit("/base/root_volume", message).code("plan::root-volume"));
        }
        Some(model::RootVolume::None) if facts.flavor.disk_gb < facts.image.min_disk_gb => {
            let message = format!(
                "flavour `{}` has a disk of {} GB; image `{}` needs {} GB",
                facts.flavor.name, facts.flavor.disk_gb, facts.image.name, facts.image.min_disk_gb
            );
            problems.push(limit("/base/root_volume", message).code("plan::root-volume"));
        }
        _ => {}
    }
}

/// What NHN Cloud's images say about themselves.
fn base_image(facts: &Facts, problems: &mut Vec<Problem>) {
    let property = |name: &str| facts.image.properties.get(name).map(|value| value.to_lowercase());
    let name = &facts.image.name;
    let route = "/base/image";
    if property("os_type").is_some_and(|os| os != "windows") {
        problems.push(limit(route, format!("image `{name}` is no Windows image")).code("plan::base-image"));
    }
    for (key, what) in [
        ("nhncloud_allow_image_create", "make images of it"),
        ("nhncloud_allow_user_script", "run user data"),
    ] {
        if property(key).as_deref() == Some("false") {
            let message = format!("image `{name}` does not allow to {what} (property `{key}`)");
            problems.push(limit(route, message).code("plan::base-image"));
        }
    }
    let lower = name.to_lowercase();
    if facts.capabilities.dialect == Dialect::Nhn && (lower.contains("ms-sql") || lower.contains("waf")) {
        let message = format!("no image can be made of machines from `{name}` (MS-SQL and WAF images are excluded)");
        problems.push(limit(route, message).code("plan::base-image"));
    }
    if let Some(date) = property("deprecate_date").filter(|date| !date.is_empty()) {
        let message = format!("image `{name}` is to be withdrawn ({date})");
        problems.push(limit(route, message).code("plan::deprecated").warning());
    }
}

fn image(spec: &Spec, facts: &Facts, choices: &Choices, problems: &mut Vec<Problem>) {
    let visibility = spec.image.visibility.as_str();
    if !facts.capabilities.visibilities.iter().any(|known| known == visibility) {
        let message = format!("this cloud has no visibility `{visibility}`");
        let known = facts.capabilities.visibilities.join("`, `");
        problems.push(limit("/image/visibility", message).help(format!("it knows `{known}`")));
    }
    for key in spec.image.properties.keys() {
        if let Some(prefix) = facts
            .capabilities
            .reserved_properties
            .iter()
            .find(|prefix| key.starts_with(prefix.as_str()))
        {
            let message =
                format!("property `{key}`: this cloud keeps `{prefix}*` for itself; the base image's are inherited");
            problems.push(limit("/image/properties", message).code("plan::property"));
        }
    }
    if !facts.same_name.is_empty() && !choices.force {
        let message = format!("an image `{}` is there already", spec.image.name);
        problems.push(
            limit("/image/name", message)
                .code("plan::image-exists")
                .warning()
                .help("`-force` replaces it; `${build.date}` in the name keeps both".into()),
        );
    }
}

fn quota(spec: &Spec, facts: &Facts, problems: &mut Vec<Problem>) {
    let machines: u64 = if spec.verify.boot { 2 } else { 1 };
    let second = if spec.verify.boot {
        &facts.verify_flavor
    } else {
        &facts.flavor
    };
    let both = |of: fn(&reseal_machine::cloud::Flavor) -> u32| {
        u64::from(of(&facts.flavor)) + if spec.verify.boot { u64::from(of(second)) } else { 0 }
    };
    let wants = [
        ("servers", facts.quota.instances, machines),
        ("virtual CPUs", facts.quota.cores, both(|flavor| flavor.vcpus)),
        ("MB of RAM", facts.quota.ram_mb, both(|flavor| flavor.ram_mb)),
    ];
    for (what, left, wanted) in wants {
        if let Some(left) = left.filter(|left| *left < wanted) {
            let message = format!("the project's quota has {left} {what} left; this build needs {wanted}");
            problems.push(Problem::new(ProblemKind::Cloud, "/base/flavor", message).code("plan::quota"));
        }
    }
}

fn address(spec: &Spec, choices: &Choices, problems: &mut Vec<Problem>) {
    if spec.base.allow_from.is_empty() && choices.runner.iter().any(|cidr| cidr == "0.0.0.0/0") {
        let message =
            "the runner's address is not known: the guest's WinRM port is opened to everybody during the build";
        problems.push(
            limit("/base", message.to_owned())
                .code("plan::open-port")
                .warning()
                .help("name the runner's address with `base: { allow_from: [198.51.100.7/32] }`".into()),
        );
    }
}
