//! `firewall`: one rule of Windows' firewall, refused where the real one refuses it, and felt where it shuts us out.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::Value;

use super::{Answered, Cx, Failure, Step, presence, read};
use crate::guest::windows::Windows;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Firewall {
    rule: String,
    direction: String,
    action: String,
    protocol: String,
    local_ports: Vec<String>,
    remote_ports: Vec<String>,
    remote_addresses: Vec<String>,
    program: Option<String>,
    profiles: Vec<String>,
    enabled: bool,
    state: String,
}

/// `firewall`.
pub fn firewall(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Firewall = read(input)?;
    let present = presence(&wanted.state)?;
    let rules = &mut cx.state.disk.firewall;
    let known = rules
        .keys()
        .find(|name| name.eq_ignore_ascii_case(&wanted.rule))
        .cloned();
    let changed = if present {
        check(&wanted)?;
        let before = known.and_then(|name| rules.remove(&name));
        rules.insert(wanted.rule.clone(), input.clone());
        before.as_ref() != Some(input)
    } else {
        known.is_some_and(|name| rules.remove(&name).is_some())
    };
    Step {
        seconds: 1.0,
        ..Step::either(changed, wanted.rule)
    }
    .done()
}

/// What `New-NetFirewallRule` refuses.
fn check(rule: &Firewall) -> Result<(), Failure> {
    let words = |text: &str, known: &[&str]| known.iter().any(|word| word.eq_ignore_ascii_case(text));
    if !words(&rule.direction, &["inbound", "outbound"]) || !words(&rule.action, &["allow", "block"]) {
        return Err(Failure::new("invalid_input", "direction or action is unknown"));
    }
    let named = words(&rule.protocol, &["TCP", "UDP", "ICMPv4", "ICMPv6", "Any"]);
    if !named && rule.protocol.parse::<u8>().is_err() {
        return Err(refused("The protocol is invalid."));
    }
    let ports = rule.local_ports.iter().chain(&rule.remote_ports);
    if ports.clone().next().is_some() && !has_ports(&rule.protocol) {
        return Err(refused("A port can only be specified if the protocol is TCP or UDP."));
    }
    if !ports.into_iter().all(|text| is_port(text)) {
        return Err(refused("The port is invalid."));
    }
    if !rule.remote_addresses.iter().all(|text| is_address(text)) {
        return Err(refused(
            "The address is invalid. Addresses may be specified as IP addresses, ranges, or subnets.",
        ));
    }
    if !rule
        .profiles
        .iter()
        .all(|text| words(text, &["any", "domain", "private", "public"]))
    {
        return Err(refused("The profile is invalid."));
    }
    // A program is stored unlooked-at, but a relative path never fits any program.
    let relative = rule
        .program
        .as_ref()
        .is_some_and(|path| !path.contains(":\\") && !path.starts_with('%'));
    if relative
        && !rule
            .program
            .as_ref()
            .is_some_and(|path| words(path, &["System", "Any"]))
    {
        return Err(refused(
            "The application contains invalid characters, or is an invalid length.",
        ));
    }
    Ok(())
}

fn refused(message: &str) -> Failure {
    Failure::thrown(message).hresult(0x8007_0057)
}

fn has_ports(protocol: &str) -> bool {
    ["TCP", "UDP", "6", "17"].contains(&protocol.to_uppercase().as_str())
}

fn is_port(text: &str) -> bool {
    const WORDS: [&str; 7] = [
        "ANY",
        "RPC",
        "RPCEPMAP",
        "IPHTTPSIN",
        "IPHTTPSOUT",
        "TEREDO",
        "PLAYTODISCOVERY",
    ];
    WORDS.contains(&text.to_uppercase().as_str()) || range(text).is_some()
}

/// The ports of a number or range.
fn range(text: &str) -> Option<(u16, u16)> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
    (low <= high).then_some((low, high))
}

fn is_address(text: &str) -> bool {
    const WORDS: [&str; 8] = [
        "ANY",
        "LOCALSUBNET",
        "DNS",
        "DHCP",
        "WINS",
        "DEFAULTGATEWAY",
        "INTERNET",
        "INTRANET",
    ];
    let ip = |text: &str| text.trim().parse::<IpAddr>().is_ok();
    if WORDS.contains(&text.to_uppercase().as_str()) || ip(text) {
        return true;
    }
    if let Some((address, mask)) = text.split_once('/') {
        return ip(address) && (ip(mask) || mask.parse::<u8>().is_ok_and(|bits| bits <= 128));
    }
    text.split_once('-').is_some_and(|(low, high)| ip(low) && ip(high))
}

/// Whether a rule keeps clients from a port: blocking goes before allowing.
pub fn shuts(disk: &Windows, port: u16) -> bool {
    let rules = disk
        .firewall
        .values()
        .filter_map(|rule| Firewall::deserialize(rule).ok());
    let mut blocking = rules.filter(|rule| {
        rule.enabled
            && rule.direction == "inbound"
            && rule.action == "block"
            && rule.program.is_none()
            && rule.remote_addresses.is_empty()
            && rule.remote_ports.is_empty()
            && ["TCP", "6", "ANY"].contains(&rule.protocol.to_uppercase().as_str())
    });
    blocking.any(|rule| {
        let mut ports = rule.local_ports.iter();
        rule.local_ports.is_empty()
            || ports.any(|text| {
                text.eq_ignore_ascii_case("any") || range(text).is_some_and(|(low, high)| (low..=high).contains(&port))
            })
    })
}
