//! The cloud's faults: their list, and those that may strike any request.

use std::io;

use hyper::Method;

use super::ask::{Ask, Service};
use super::reply::{Refusal, Reply};
use super::world::World;
use crate::faults::{FaultInfo, Faults};
use crate::http::Hangup;

const fn fault(name: &'static str, what: &'static str) -> FaultInfo {
    FaultInfo { name, what }
}

/// Everything that can go wrong in the cloud. Each may have an argument (`name=argument`) and a number of strikes
/// (`name*2`).
pub const FAULTS: &[FaultInfo] = &[
    fault("wrong-password", "Keystone refuses the credentials with 401"),
    fault(
        "token-expires",
        "tokens die after 5 (=N) minutes although they promise more",
    ),
    fault("unauthorized-once", "one request with a good token is answered 401"),
    fault("catalog-without-volume", "the catalogue lacks block storage"),
    fault(
        "server-error",
        "a new server ends in ERROR; the argument is the fault's text",
    ),
    fault("server-stuck-build", "a new server stays in BUILD for ever"),
    fault("slow-build", "a server needs 10 (=N) more minutes until it is ACTIVE"),
    fault(
        "never-shutoff",
        "a server whose guest is off stays ACTIVE with power state 4 for ever",
    ),
    fault(
        "slow-shutoff",
        "the compute service sees a guest's shutdown only after 600 (=N) seconds",
    ),
    fault(
        "shutoff-then-active",
        "somebody starts the server as soon as SHUTOFF was seen",
    ),
    fault("password-offered", "os-server-password works on NHN too"),
    fault("password-not-offered", "os-server-password answers 404"),
    fault("password-never", "os-server-password stays empty"),
    fault(
        "password-garbled",
        "os-server-password gives base64 that no key can decrypt",
    ),
    fault(
        "force-refused",
        "forced upload of an attached volume is refused with 400",
    ),
    fault(
        "force-allowed",
        "forced upload of an attached volume works upstream too",
    ),
    fault(
        "volume-error",
        "the root volume goes to `error` while it is uploaded, and the image vanishes",
    ),
    fault("upload-stuck", "image `saving` and volume `uploading` for ever"),
    fault("slow-upload", "an upload needs 30 (=N) more minutes"),
    fault("image-killed", "the image ends as `killed`"),
    fault(
        "image-vanishes",
        "the upload fails after `saving`: the image is gone, 404",
    ),
    fault("image-queued-long", "the image is `queued` for 8 (=N) minutes"),
    fault("image-list-empty", "no public image is listed"),
    fault(
        "flavour-vanished",
        "a flavour that was listed is refused when a server is created",
    ),
    fault("quota-instances", "no server is left in the quota"),
    fault("quota-cores", "no core is left in the quota"),
    fault("floating-500-once", "the first floating IP is answered 500"),
    fault(
        "floating-no-router",
        "the subnet has no way out: a floating IP is answered 404",
    ),
    fault("floating-quota", "no floating IP is left in the quota"),
    fault(
        "sg-in-use",
        "deleting a security group conflicts 3 times (*N for other numbers)",
    ),
    fault("keypair-conflict", "the first new key pair's name is taken: 409"),
    fault(
        "rate-limit",
        "3 requests (*N) are answered 429 with Retry-After 7 (=N) seconds",
    ),
    fault("html-503", "a proxy answers 2 requests (*N) with 503 and a page"),
    fault("reset", "one connection (*N) ends before its request is carried out"),
    fault(
        "reset-after-create",
        "a creating POST (=server, volume, image, floatingip, security-group, keypair) is carried out, its answer lost",
    ),
    fault(
        "503-after-create",
        "a creating POST (as above) is carried out and answered 503",
    ),
    fault(
        "slow-answers",
        "every answer takes 500 (=N) milliseconds of real time more",
    ),
];

/// Faults that strike a few times when no number was given; the others always do.
const FEW: &[(&str, u32)] = &[
    ("unauthorized-once", 1),
    ("floating-500-once", 1),
    ("sg-in-use", 3),
    ("keypair-conflict", 1),
    ("rate-limit", 3),
    ("html-503", 2),
    ("reset", 1),
    ("reset-after-create", 1),
    ("503-after-create", 1),
    ("shutoff-then-active", 1),
];

/// Arms the cloud's faults. Names that nobody knows are refused; those of the guest are its room's to arm.
pub(super) fn arm(texts: &[String]) -> io::Result<Faults> {
    let faults = Faults::default();
    let known = crate::faults::known();
    for text in texts {
        let name = text.split(['=', '*']).next().unwrap_or(text);
        if !known.iter().any(|fault| fault.name == name) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("unknown fault '{name}'"),
            ));
        }
        match FEW.iter().find(|(few, _)| *few == name) {
            Some((_, count)) if !text.contains('*') => faults.arm(&format!("{text}*{count}")),
            _ => faults.arm(text),
        }
    }
    Ok(faults)
}

/// What a rate limiter or a proxy answers before the service is reached. Keystone is spared by the former.
pub(super) fn overload(world: &World, ask: &Ask) -> Option<Reply> {
    if ask.service != Service::Identity
        && let Some(argument) = world.faults.strike("rate-limit")
    {
        let seconds = if argument.is_empty() { "7" } else { &argument };
        let body = serde_json::json!({"overLimit": {"code": 429, "message": "This request was rate-limited.", "retryAfter": seconds}});
        return Some(Reply::json(429, body).with("Retry-After", seconds));
    }
    world.faults.strike("html-503").map(|_| {
        Reply::html(503, "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n")
    })
}

/// What becomes of the answer to a POST that created something.
pub(super) fn after(world: &World, ask: &Ask, made: bool, reply: Reply) -> Result<Reply, Hangup> {
    let Some(kind) = created(ask).filter(|_| made) else {
        return Ok(reply);
    };
    let strikes = |fault: &str| {
        let wanted = world.faults.armed(fault)?;
        let fits = wanted == kind || (wanted.is_empty() && kind == "server");
        if fits { world.faults.strike(fault) } else { None }
    };
    if strikes("reset-after-create").is_some() {
        return Err(Hangup);
    }
    if strikes("503-after-create").is_some() {
        return Ok(
            Refusal::new(503, "The service is currently unable to handle the request.").reply(ask.service, true),
        );
    }
    Ok(reply)
}

/// What a POST creates, in the words of the faults' arguments.
fn created(ask: &Ask) -> Option<&'static str> {
    if ask.method != Method::POST {
        return None;
    }
    let kind = match (ask.service, ask.path.last()?.as_str()) {
        (Service::Compute, "servers") => "server",
        (Service::Compute, "os-keypairs") => "keypair",
        (Service::Volume, "volumes") => "volume",
        (Service::Image, "images") | (Service::Compute | Service::Volume, "action") => "image",
        (Service::Network, "floatingips") => "floatingip",
        (Service::Network, "security-groups") => "security-group",
        _ => return None,
    };
    Some(kind)
}
