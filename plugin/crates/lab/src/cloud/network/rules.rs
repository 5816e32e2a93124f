//! Rules of security groups, and which ports they open for whom.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::super::ask::present;
use super::super::front::Turn;
use super::super::mode::Mode;
use super::super::reply::{Outcome, Refusal, Reply};
use super::cidr::Cidr;
use super::groups::{in_use, missing};

/// What a rule that opens many ports opens in the lab: those that a Windows guest could listen on.
const USUAL: &[u16] = &[22, 80, 135, 139, 443, 445, 3389, 5985, 5986];
/// A range up to this long is opened port by port.
const SHORT: u16 = 64;

/// A rule.
pub(crate) struct Rule {
    id: String,
    ingress: bool,
    protocol: Option<String>,
    range: Option<(u16, u16)>,
    prefix: Option<String>,
    description: String,
}

impl Rule {
    /// The rule that lets everything out.
    pub(crate) fn egress(id: String) -> Self {
        Self {
            id,
            ingress: false,
            protocol: None,
            range: None,
            prefix: None,
            description: String::new(),
        }
    }

    /// Whether it lets this address in. A rule without a range of addresses lets everybody in.
    pub(crate) fn lets_in(&self, address: IpAddr) -> bool {
        let inside = |prefix: &String| Cidr::parse(prefix).is_some_and(|range| range.contains(address));
        self.ingress && self.prefix.as_ref().is_none_or(inside)
    }

    /// The TCP ports that it opens.
    pub(crate) fn ports(&self) -> Vec<u16> {
        if self.protocol.as_deref().is_some_and(|protocol| protocol != "tcp") {
            return Vec::new();
        }
        match self.range {
            None => USUAL.to_vec(),
            Some((low, high)) if high - low < SHORT => (low..=high).collect(),
            Some((low, high)) => USUAL
                .iter()
                .copied()
                .filter(|port| (low..=high).contains(port))
                .collect(),
        }
    }

    /// As JSON.
    pub(crate) fn body(&self, group: &str, tenant: &str) -> Value {
        json!({"id": self.id, "security_group_id": group, "direction": if self.ingress { "ingress" } else { "egress" },
               "ethertype": "IPv4", "protocol": self.protocol, "port_range_min": self.range.map(|(low, _)| low),
               "port_range_max": self.range.map(|(_, high)| high), "remote_ip_prefix": self.prefix, "remote_group_id": null,
               "description": self.description, "tenant_id": tenant})
    }

    fn same(&self, other: &Self) -> bool {
        (self.ingress, &self.protocol, self.range, &self.prefix)
            == (other.ingress, &other.protocol, other.range, &other.prefix)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    security_group_rule: New,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    security_group_id: String,
    direction: Direction,
    #[serde(default, deserialize_with = "present")]
    ethertype: Option<String>,
    #[serde(default, deserialize_with = "present")]
    protocol: Option<String>,
    #[serde(default, deserialize_with = "port")]
    port_range_min: Option<u16>,
    #[serde(default, deserialize_with = "port")]
    port_range_max: Option<u16>,
    #[serde(default, deserialize_with = "present")]
    remote_ip_prefix: Option<String>,
    #[serde(default, deserialize_with = "present")]
    description: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Ingress,
    Egress,
}

/// A port: NHN's table says a number and its example a text.
fn port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = value
        .as_u64()
        .or_else(|| value.as_str()?.parse().ok())
        .and_then(|number| u16::try_from(number).ok());
    number
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom(format!("{value} is not a port")))
}

/// Adds a rule to a group that no port uses yet: the lab gives a machine its open ports when it is booted.
pub(crate) fn create(turn: &mut Turn<'_>) -> Outcome {
    turn.ask.query(&[])?;
    let Body {
        security_group_rule: new,
    } = turn.ask.json()?;
    check(turn, &new)?;
    let range = range(&new)?;
    if in_use(turn, &new.security_group_id) {
        return Err(Refusal::conflict(
            "lab: rules must be there before a server uses the group",
        ));
    }
    let rule = Rule {
        id: turn.state.ids.next(),
        ingress: new.direction == Direction::Ingress,
        protocol: new.protocol,
        range,
        prefix: new.remote_ip_prefix,
        description: new.description.unwrap_or_default(),
    };
    let tenant = &turn.world.tenant.id;
    let group = turn
        .state
        .groups
        .get_mut(&new.security_group_id)
        .ok_or_else(|| missing(&new.security_group_id))?;
    if group.rules.iter().any(|known| known.same(&rule)) {
        return Err(Refusal::conflict("Security group rule already exists.").named("SecurityGroupRuleExists"));
    }
    let body = rule.body(&group.id, tenant);
    group.rules.push(rule);
    Ok(Reply::json(201, json!({"security_group_rule": body})))
}

fn check(turn: &Turn<'_>, new: &New) -> Result<(), Refusal> {
    let wrong = |words: String| Refusal::invalid(words).named("InvalidInput");
    if new.ethertype.as_ref().is_some_and(|kind| kind != "IPv4") {
        let reason = if turn.world.mode == Mode::Nhn {
            "NHN Cloud"
        } else {
            "the lab"
        };
        return Err(wrong(format!("ethertype must be IPv4: {reason} has no other")));
    }
    if new
        .protocol
        .as_ref()
        .is_some_and(|protocol| !["tcp", "udp", "icmp"].contains(&protocol.as_str()))
    {
        return Err(wrong(
            "Security group rule protocol not supported: it must be tcp, udp or icmp.".to_owned(),
        ));
    }
    match &new.remote_ip_prefix {
        Some(prefix) if Cidr::parse(prefix).is_none() => Err(wrong(format!("'{prefix}' is not a valid IP subnet"))),
        None if new.direction == Direction::Ingress => Err(Refusal::strict(
            "an ingress rule without remote_ip_prefix is open to the world; say 0.0.0.0/0 if that is meant",
        )),
        _ => Ok(()),
    }
}

fn range(new: &New) -> Result<Option<(u16, u16)>, Refusal> {
    match (new.port_range_min, new.port_range_max) {
        (None, None) => Ok(None),
        (Some(low), Some(high)) if low <= high && new.protocol.is_some() => Ok(Some((low, high))),
        _ => Err(Refusal::invalid(
            "For TCP/UDP protocols, port_range_min must be <= port_range_max, and both are wanted",
        )
        .named("SecurityGroupInvalidPortRange")),
    }
}

/// Removes a rule.
pub(crate) fn delete(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.bare()?;
    let group = turn
        .state
        .groups
        .values_mut()
        .find(|group| group.rules.iter().any(|rule| rule.id == id));
    let group = group.ok_or_else(|| {
        Refusal::not_found(format!("Security group rule {id} does not exist")).named("SecurityGroupRuleNotFound")
    })?;
    group.rules.retain(|rule| rule.id != id);
    Ok(Reply::empty(204))
}
