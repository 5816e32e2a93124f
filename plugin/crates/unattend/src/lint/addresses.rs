//! U008: network addresses and the names of interfaces.

use std::net::IpAddr;

use crate::catalogue::short;
use crate::document::{AnswerFile, Entry};
use crate::finding::Finding;
use crate::placeholder::is_template;
use crate::xml::{self, text_span};

const COMPONENTS: [&str; 3] = [
    "Microsoft-Windows-DNS-Client",
    "Microsoft-Windows-NetBT",
    "Microsoft-Windows-TCPIP",
];

/// Checks the three components that take addresses.
pub(super) fn check(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    for entry in &file.entries {
        if !COMPONENTS.contains(&entry.component.name) {
            continue;
        }
        let text = xml::text(entry.node);
        let text = text.trim();
        if text.is_empty() || is_template(text) || text.contains(['$', '{', '%', '#', '@', '[']) {
            continue;
        }
        match entry.setting.name {
            "IpAddress" | "NextHopAddress" => findings.extend(check_address(entry, text)),
            "Identifier" if entry.setting.path.starts_with("Interfaces/Interface[]/Identifier") => {
                findings.extend(check_identifier(entry, text));
            }
            _ => {}
        }
    }
}

/// An address, with the length of its subnet's prefix where the interface gets it.
fn check_address(entry: &Entry<'_, '_>, text: &str) -> Option<Finding> {
    let (address, length) = text
        .split_once('/')
        .map_or((text, None), |(one, rest)| (one, Some(rest)));
    // Only what looks like an attempt at one: words stand for what somebody fills in.
    if !address.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':') || !address.contains(['.', ':']) {
        return None;
    }
    let place = text_span(entry.node);
    let wrong = |said: String| Finding::error("U008", place, said);
    let Ok(parsed) = address.parse::<IpAddr>() else {
        let numbers = address.chars().all(|c| c.is_ascii_hexdigit() || c == '.' || c == ':');
        return numbers.then(|| {
            wrong(format!("`{}` is not an IP address", short(address)))
                .help("write it as `192.0.2.10` or `2001:db8::10`")
        });
    };
    let most = if parsed.is_ipv4() { 32 } else { 128 };
    let bits = length?.parse::<u8>().ok()?;
    (bits > most).then(|| {
        wrong(format!("a subnet prefix has {bits} bits here, and {most} are there"))
            .help("the number after `/` is the length of the prefix, such as 24 for 255.255.255.0")
    })
}

/// Windows writes MAC addresses with hyphens; with colons they are taken for the name of an interface.
fn check_identifier(entry: &Entry<'_, '_>, text: &str) -> Option<Finding> {
    let pairs: Vec<&str> = text.split(':').collect();
    let pair = |one: &&str| one.len() == 2 && one.chars().all(|c| c.is_ascii_hexdigit());
    let place = text_span(entry.node);
    (pairs.len() == 6 && pairs.iter().all(pair)).then(|| {
        Finding::warning("U008", place, format!("no interface is called `{text}`"))
            .help("a MAC address is written with hyphens")
            .fix(place, pairs.join("-"), "write it so")
    })
}
