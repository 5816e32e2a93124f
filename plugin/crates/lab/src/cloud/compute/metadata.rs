//! Names and metadata of servers: one set of rules for every request that carries them.

use std::collections::BTreeMap;

use hyper::Method;
use serde::Deserialize;
use serde_json::json;

use super::super::front::Turn;
use super::super::mode::Mode;
use super::super::reply::{Outcome, Refusal, Reply};
use super::servers::{look, settled};

/// `metadata_items` of the quota.
const MOST: usize = 128;
/// The longest name, key or value, characters.
const LONGEST: usize = 255;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    meta: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    metadata: BTreeMap<String, String>,
}

/// A name that a server may have.
pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    let count = name.chars().count();
    if count == 0 || count > LONGEST || name.trim() != name || name.chars().any(char::is_control) {
        return Err(Refusal::invalid("Invalid input for field/attribute name."));
    }
    Ok(())
}

/// Metadata that a server may have: the form of keys, the length of values, and how many there are altogether.
pub(crate) fn check<'m>(metadata: impl Iterator<Item = (&'m String, &'m String)>) -> Result<(), Refusal> {
    let mut count = 0;
    for (key, value) in metadata {
        count += 1;
        let letter = |letter: char| letter.is_ascii_alphanumeric() || "-_:. ".contains(letter);
        if key.is_empty() || !key.chars().all(letter) {
            return Err(Refusal::invalid(format!(
                "Invalid input for field/attribute metadata. '{key}' does not match any of the regexes: \
                 '^[a-zA-Z0-9-_:. ]{{1,255}}$'"
            )));
        }
        if [key, value].iter().any(|text| text.chars().count() > LONGEST) {
            return Err(Refusal::invalid(
                "Metadata property key or value greater than 255 characters",
            ));
        }
    }
    if count > MOST {
        return Err(Refusal::forbidden(format!(
            "Maximum number of metadata items exceeds {MOST}"
        )));
    }
    Ok(())
}

/// All metadata, or one key.
pub(crate) fn answer(turn: &mut Turn<'_>, id: &str, method: &Method, path: &[&str]) -> Outcome {
    turn.ask.query(&[])?;
    match (method, path) {
        (&Method::GET, []) => {
            turn.ask.no_body()?;
            Ok(Reply::json(200, json!({"metadata": look(turn, id)?.metadata})))
        }
        (&Method::GET, [key]) => {
            turn.ask.no_body()?;
            let value = look(turn, id)?.metadata.get(*key).cloned();
            let value = value.ok_or_else(|| Refusal::not_found("Metadata item was not found"))?;
            Ok(Reply::json(200, json!({"meta": {*key: value}})))
        }
        (&Method::PUT, [key]) => {
            let Meta { meta } = turn.ask.json()?;
            if meta.len() != 1 || !meta.contains_key(*key) {
                return Err(Refusal::invalid("Request body and URI mismatch"));
            }
            merge(turn, id, &meta)?;
            Ok(Reply::json(200, json!({"meta": meta})))
        }
        (&Method::POST, []) if turn.world.mode == Mode::Openstack => {
            let Metadata { metadata } = turn.ask.json()?;
            let all = merge(turn, id, &metadata)?;
            Ok(Reply::json(200, json!({"metadata": all})))
        }
        (&Method::DELETE, [key]) => {
            turn.ask.no_body()?;
            let removed = settled(turn, id, "metadata")?.metadata.remove(*key);
            removed
                .map(|_| Reply::empty(204))
                .ok_or_else(|| Refusal::not_found("Metadata item was not found"))
        }
        _ => Err(Refusal::strict(format!("no {method} of metadata here"))),
    }
}

/// Adds to a server's metadata, as a whole or not at all.
fn merge(turn: &mut Turn<'_>, id: &str, more: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Refusal> {
    check(more.iter())?;
    let server = settled(turn, id, "metadata")?;
    let mut all = server.metadata.clone();
    all.extend(more.clone());
    check(all.iter())?;
    server.metadata.clone_from(&all);
    Ok(all)
}
