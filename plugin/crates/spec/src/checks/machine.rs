//! The build machine: image, WinRM.

use super::Complain;
use crate::codes;
use crate::model::{Auth, Spec, Transport, Trust, WayIn};

pub(super) fn check(spec: &Spec, complain: &mut Complain<'_>) {
    base_image(spec, complain);
    winrm(spec, complain);
}

fn base_image(spec: &Spec, complain: &mut Complain<'_>) {
    let image = &spec.base.image;
    let at = "/base/image";
    match (&image.id, &image.name, image.properties.is_empty()) {
        (None, None, true) => {
            complain.error(
                codes::BASE_IMAGE,
                at,
                "the base image is not named",
                "give its `name`, `properties` or `id`",
            );
        }
        (Some(_), Some(_), _) | (Some(_), None, false) => {
            let message = "an image with an `id` needs no `name` and no `properties`";
            complain.error(codes::BASE_IMAGE, at, message, "keep the `id`, or the other fields");
        }
        _ => {}
    }
    let pattern = image.name.as_deref().is_some_and(|name| name.contains(['*', '?']));
    if pattern && !image.newest {
        let help = "add `newest: true` to take the newest of them";
        complain.warning(
            codes::BASE_IMAGE,
            "/base/image/name",
            "several images may fit this pattern",
            help,
        );
    }
}

fn winrm(spec: &Spec, complain: &mut Complain<'_>) {
    let winrm = &spec.connect.winrm;
    if winrm.auth == Auth::Basic && winrm.transport == Transport::Http {
        let message = "Basic over http would send the password in the clear";
        complain.error(
            codes::INSECURE_BASIC,
            "/connect/winrm/auth",
            message,
            "use `transport: https` or `auth: negotiate`",
        );
    }
    if winrm.transport == Transport::Http && complain.document.place("/connect/winrm/trust").is_some() {
        complain.warning(
            codes::NO_EFFECT,
            "/connect/winrm/trust",
            "`trust` has no meaning with `transport: http`",
            "",
        );
    }
    match &winrm.trust {
        Trust::Insecure if winrm.transport == Transport::Https => {
            let message = "whoever is between here and the guest can read and change everything";
            let help = "`trust: pinned` costs nothing: the build makes the certificate itself";
            complain.warning(codes::INSECURE_TRUST, "/connect/winrm/trust", message, help);
        }
        Trust::Sha256(hash) if !(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())) => {
            complain.error(
                codes::BAD_HASH,
                "/connect/winrm/trust/sha256",
                "a SHA-256 has 64 hexadecimal digits",
                "",
            );
        }
        Trust::Pinned if winrm.way_in == WayIn::ServerPassword && winrm.transport == Transport::Https => {
            let message = "with `way_in: server_password` the guest's certificate is not the build's own";
            let help =
                "use `trust: { sha256: … }`, `trust: { ca: … }`, or `transport: http`, whose messages are sealed";
            complain.error(codes::TRUST_UNKNOWN, "/connect/winrm/way_in", message, help);
        }
        _ => {}
    }
    if winrm.port == Some(0) {
        complain.error(codes::BAD_VALUE, "/connect/winrm/port", "there is no port 0", "");
    }
}
