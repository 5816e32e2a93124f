//! `firewall`: one rule of Windows' firewall.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::install_msi::yes;
use super::{Operation, State};
use crate::call::{Call, CallContext};
use crate::error::Problems;
use crate::script::{Script, script};
use crate::source::has_placeholder;

pub(super) const SCRIPT: Script = script!("firewall", "values");

/// Which way the traffic goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To this machine.
    #[default]
    Inbound,
    /// From this machine.
    Outbound,
}

/// What the rule does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirewallAction {
    /// Lets it through.
    #[default]
    Allow,
    /// Stops it.
    Block,
}

/// Makes, changes or removes a firewall rule, found by its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Firewall {
    /// The rule's name, also shown in the console. Example: `Example Agent (TCP 8443)`.
    pub rule: String,
    /// `inbound` or `outbound`. Default: `inbound`.
    #[serde(default)]
    pub direction: Direction,
    /// `allow` or `block`. Default: `allow`.
    #[serde(default)]
    pub action: FirewallAction,
    /// `TCP`, `UDP`, `ICMPv4`, `ICMPv6`, `Any` or a protocol number. Default: `TCP`.
    #[serde(default = "tcp")]
    pub protocol: String,
    /// Local ports or ranges; empty means any. Example: `["443", "8000-8010"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub local_ports: Vec<String>,
    /// Remote ports or ranges; empty means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remote_ports: Vec<String>,
    /// Remote addresses, networks or `LocalSubnet`; empty means any. Example: `["10.0.0.0/8"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remote_addresses: Vec<String>,
    /// The program that the rule is for. Example: `C:\Agent\agent.exe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// `Domain`, `Private`, `Public`; empty means all. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// Whether the rule is in force. Default: `true`.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// `present` or `absent`. Default: `present`.
    #[serde(default)]
    pub state: State,
}

fn tcp() -> String {
    "TCP".to_owned()
}

impl Operation for Firewall {
    fn check(&self, problems: &mut Problems) {
        problems.not_empty("rule", self.rule.is_empty());
        let known = ["TCP", "UDP", "ICMPV4", "ICMPV6", "ANY"].contains(&self.protocol.to_ascii_uppercase().as_str());
        if !known && self.protocol.parse::<u8>().is_err() && !has_placeholder(&self.protocol) {
            problems.invalid("protocol", "is TCP, UDP, ICMPv4, ICMPv6, Any or a number up to 255");
        }
        let has_ports = !(self.local_ports.is_empty() && self.remote_ports.is_empty());
        if has_ports && !["TCP", "UDP", "6", "17"].contains(&self.protocol.to_ascii_uppercase().as_str()) {
            problems.invalid("local_ports", "only TCP and UDP have ports");
        }
        for (field, ports) in [("local_ports", &self.local_ports), ("remote_ports", &self.remote_ports)] {
            for (index, port) in ports.iter().enumerate() {
                if !has_placeholder(port) && !is_port_range(port) {
                    problems.invalid(
                        &format!("{field}[{index}]"),
                        format!("`{port}` is neither a port nor a range"),
                    );
                }
            }
        }
        for (index, profile) in self.profiles.iter().enumerate() {
            if !["domain", "private", "public", "any"].contains(&profile.to_ascii_lowercase().as_str()) {
                problems.invalid(&format!("profiles[{index}]"), "is Domain, Private, Public or Any");
            }
        }
    }

    fn call(&self, _cx: &CallContext) -> Call {
        let any = vec!["Any".to_owned()];
        let input = json!({
            "rule": self.rule,
            "direction": self.direction,
            "action": self.action,
            "protocol": self.protocol,
            "local_ports": self.local_ports,
            "remote_ports": self.remote_ports,
            "remote_addresses": self.remote_addresses,
            "program": self.program,
            "profiles": if self.profiles.is_empty() { &any } else { &self.profiles },
            "enabled": self.enabled,
            "state": self.state.as_str(),
        });
        Call::inline(SCRIPT, input)
    }

    fn summary(&self) -> String {
        format!("{} firewall rule `{}`", self.state.verb("set"), self.rule)
    }
}

fn is_port_range(text: &str) -> bool {
    let port = |text: &str| text.trim().parse::<u16>().ok();
    match text.split_once('-') {
        Some((from, to)) => matches!((port(from), port(to)), (Some(from), Some(to)) if from <= to),
        None => port(text).is_some() || text.eq_ignore_ascii_case("any") || text.eq_ignore_ascii_case("RPC"),
    }
}
