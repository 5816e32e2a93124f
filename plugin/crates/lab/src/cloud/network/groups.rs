//! Security groups.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::ask::present;
use super::super::fresh::Fresh;
use super::super::front::Turn;
use super::super::paging::{USUAL, page};
use super::super::reply::{Outcome, Refusal, Reply};
use super::networks::a_list;
use super::rules::Rule;

/// A security group.
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) fresh: Fresh,
}

impl Group {
    /// The group that every project has: it lets nothing in from outside.
    pub(crate) fn default_group(id: String, now: Timestamp) -> Self {
        let rules = vec![Rule::egress(format!("{id}-egress"))];
        Self {
            id,
            name: "default".to_owned(),
            description: "Default security group".to_owned(),
            rules,
            fresh: Fresh::hidden(now, 0),
        }
    }

    /// Whether it is the project's own `default`.
    pub(crate) fn is_default(&self) -> bool {
        self.name == "default"
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    security_group: New,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    #[serde(default, deserialize_with = "present")]
    description: Option<String>,
}

/// Creates a group. Neutron allows equal names; the lab does not, because servers name their groups.
pub(crate) fn create(turn: &mut Turn<'_>) -> Outcome {
    turn.ask.query(&[])?;
    let Body {
        security_group: New { name, description },
    } = turn.ask.json()?;
    if name.is_empty() || name.len() > 255 || description.as_ref().is_some_and(|text| text.len() > 255) {
        return Err(Refusal::invalid(
            "Invalid input for name or description: 1 to 255 characters are allowed.",
        ));
    }
    if turn.state.groups.values().any(|group| group.name == name) {
        return Err(Refusal::conflict(format!(
            "lab: a security group named '{name}' exists; names must be unique here"
        )));
    }
    if turn.state.groups.len() > usize::try_from(turn.world.quota.security_groups).unwrap_or(usize::MAX) {
        return Err(Refusal::conflict("Quota exceeded for resources: ['security_group'].").named("OverQuota"));
    }
    let (id, rule) = (turn.state.ids.next(), turn.state.ids.next());
    let description = description.unwrap_or_default();
    let group = Group {
        id: id.clone(),
        name,
        description,
        rules: vec![Rule::egress(rule)],
        fresh: Fresh::new(turn.now),
    };
    let body = body(turn, &group);
    turn.state.groups.insert(id, group);
    Ok(Reply::json(201, json!({"security_group": body})))
}

/// Lists them.
pub(crate) fn list(turn: &mut Turn<'_>) -> Outcome {
    turn.ask.no_body()?;
    let query = turn.ask.query(&["id", "name", "description", "limit", "marker"])?;
    let now = turn.now;
    let listed: Vec<String> = turn
        .state
        .groups
        .values()
        .filter(|group| group.fresh.listed(now))
        .map(|group| group.id.clone())
        .collect();
    let groups = listed
        .iter()
        .filter_map(|id| turn.state.groups.get(id))
        .filter(|group| {
            query.get("id").is_none_or(|id| group.id == id)
                && query.get("name").is_none_or(|name| group.name == name)
                && query.get("description").is_none_or(|text| group.description == text)
        });
    let page = page(&query, groups.collect(), USUAL, |group: &&Group| group.id.as_str())?;
    Ok(a_list(turn, "security_groups", &page, |group| body(turn, group)))
}

/// Shows one.
pub(crate) fn show(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.bare()?;
    let now = turn.now;
    turn.state
        .groups
        .get_mut(id)
        .filter(|group| group.fresh.shown(now))
        .ok_or_else(|| missing(id))?;
    let group = turn.state.groups.get(id).ok_or_else(|| missing(id))?;
    Ok(Reply::json(200, json!({"security_group": body(turn, group)})))
}

/// Deletes one that no port uses.
pub(crate) fn delete(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.bare()?;
    let group = turn.state.groups.get(id).ok_or_else(|| missing(id))?;
    if group.is_default() {
        return Err(
            Refusal::conflict("Insufficient rights for removing default security group.")
                .named("SecurityGroupCannotRemoveDefault"),
        );
    }
    if in_use(turn, id) || turn.world.faults.strike("sg-in-use").is_some() {
        return Err(Refusal::conflict(format!("Security Group {id} in use.")).named("SecurityGroupInUse"));
    }
    turn.state.groups.remove(id);
    Ok(Reply::empty(204))
}

/// Whether a server's port has it.
pub(crate) fn in_use(turn: &Turn<'_>, id: &str) -> bool {
    turn.state
        .servers
        .values()
        .any(|server| server.groups.iter().any(|group| group == id))
}

pub(crate) fn missing(id: &str) -> Refusal {
    Refusal::not_found(format!("Security group {id} does not exist")).named("SecurityGroupNotFound")
}

fn body(turn: &Turn<'_>, group: &Group) -> Value {
    let tenant = &turn.world.tenant.id;
    let rules: Vec<Value> = group.rules.iter().map(|rule| rule.body(&group.id, tenant)).collect();
    json!({"id": group.id, "name": group.name, "description": group.description, "tenant_id": tenant, "security_group_rules": rules})
}
