//! Names, paths and addresses.

use super::Complain;
use crate::codes;
use crate::files;
use crate::load::Files;
use crate::model::{AddressKind, Spec, Trust};
use crate::route;

pub(super) fn check(spec: &Spec, files: &dyn Files, complain: &mut Complain<'_>) {
    name(spec, complain);
    for (index, copy) in spec.files.iter().enumerate() {
        let at = route::item("/files", index);
        if let Err(diagnostic) = files::check(complain.document, files, &route::member(&at, "from"), &copy.from) {
            complain.diagnostics.push(diagnostic);
        }
        if let Err(why) = windows_path(&copy.to) {
            let message = format!("`{}` is not an absolute path in Windows: {why}", copy.to);
            complain.error(
                codes::WINDOWS_PATH,
                &route::member(&at, "to"),
                message,
                "write it as in `C:\\Build`",
            );
        }
    }
    if let Trust::Ca(path) = &spec.connect.winrm.trust
        && let Err(diagnostic) = files::check(complain.document, files, "/connect/winrm/trust/ca", path)
    {
        complain.diagnostics.push(diagnostic);
    }
    if spec
        .base
        .server_name
        .as_deref()
        .is_some_and(|name| !is_server_name(name))
    {
        let help = "letters, digits and `-`, at most 63; it begins and ends with a letter or digit";
        complain.error(
            codes::BAD_NAME,
            "/base/server_name",
            "this cannot be the name of a machine",
            help,
        );
    }
    for (index, cidr) in spec.base.allow_from.iter().enumerate() {
        if !is_cidr(cidr) {
            let at = route::item("/base/allow_from", index);
            let message = format!("`{cidr}` is not an address range");
            complain.error(codes::BAD_CIDR, &at, message, "write it as in `198.51.100.7/32`");
        }
    }
    if spec.base.floating_network.is_some() && spec.base.address == AddressKind::Fixed {
        let message = "`floating_network` has no meaning with `address: fixed`";
        complain.warning(codes::NO_EFFECT, "/base/floating_network", message, "");
    }
}

fn name(spec: &Spec, complain: &mut Complain<'_>) {
    let name = &spec.spec_name;
    let fits = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if !fits || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || name.len() > 63 {
        let help = "letters, digits, `.`, `_` and `-`; it begins with a letter or digit and has at most 63 characters";
        complain.error(
            codes::BAD_NAME,
            "/name",
            format!("`{name}` cannot be the name of a build"),
            help,
        );
    }
}

/// Why a text is not an absolute Windows path.
pub(super) fn windows_path(path: &str) -> Result<(), &'static str> {
    let mut chars = path.chars();
    let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
    if !drive || chars.next() != Some(':') || !matches!(chars.next(), Some('\\' | '/')) {
        return Err("it does not begin with a drive");
    }
    let rest: String = chars.collect();
    if rest.contains(['<', '>', ':', '"', '|', '?', '*']) || rest.chars().any(char::is_control) {
        return Err("it holds a character that no file name can have");
    }
    if rest.split(['\\', '/']).any(|part| part == "..") {
        return Err("it goes up with `..`");
    }
    Ok(())
}

fn is_server_name(name: &str) -> bool {
    let inside = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    inside && (1..=63).contains(&name.len()) && !name.starts_with('-') && !name.ends_with('-')
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let Ok(address) = address.parse::<std::net::IpAddr>() else {
        return false;
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_paths_are_absolute() {
        for path in ["C:\\Build", "d:/x", "C:\\Program Files\\한글\\x.exe"] {
            assert_eq!(windows_path(path), Ok(()), "{path}");
        }
        for path in [
            "Build",
            "\\\\host\\share",
            "C:Build",
            "C:\\a?b",
            "C:\\..\\x",
            "",
            "/tmp",
            "C:\\a:b",
        ] {
            assert!(windows_path(path).is_err(), "{path}");
        }
    }

    #[test]
    fn ranges_have_an_address_and_bits() {
        assert!(is_cidr("198.51.100.7/32") && is_cidr("2001:db8::/48"));
        assert!(!is_cidr("198.51.100.7") && !is_cidr("1.2.3.4/33") && !is_cidr("x/1"));
    }
}
