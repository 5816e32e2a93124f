//! A volume's metadata, name and description: upstream only; NHN's guide has no call that changes a volume.

use std::collections::BTreeMap;

use hyper::Method;
use serde::Deserialize;
use serde_json::json;

use super::super::front::Turn;
use super::super::mode::Mode;
use super::super::reply::{Outcome, Refusal, Reply};
use super::view;
use super::volumes::{Volume, missing};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    volume: Changes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    name: Option<String>,
    description: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
}

/// Answers a request to `/volumes/{id}/metadata…`.
pub(crate) fn answer(turn: &mut Turn<'_>, id: &str, method: &Method, path: &[&str]) -> Outcome {
    turn.ask.query(&[])?;
    match (method, path) {
        (&Method::GET, []) => {
            turn.ask.no_body()?;
            Ok(Reply::json(200, json!({"metadata": changeable(turn, id)?.metadata})))
        }
        (&Method::POST, []) => {
            changeable(turn, id)?;
            let Metadata { metadata } = turn.ask.json()?;
            let volume = changeable(turn, id)?;
            volume.metadata.extend(metadata);
            Ok(Reply::json(200, json!({"metadata": volume.metadata})))
        }
        (method, _) => Err(Refusal::strict(format!("no {method} of volume metadata here"))),
    }
}

/// Names, describes or marks a volume.
pub(crate) fn update(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.query(&[])?;
    changeable(turn, id)?;
    let Update { volume: changes } = turn.ask.json()?;
    let volume = changeable(turn, id)?;
    volume.name = changes.name.unwrap_or_else(|| volume.name.clone());
    volume.description = changes.description.or(volume.description.take());
    volume.metadata = changes.metadata.unwrap_or_else(|| volume.metadata.clone());
    let volume = turn.state.volumes.get(id).ok_or_else(|| missing(id))?;
    Ok(Reply::json(200, json!({"volume": view::body(turn, volume)})))
}

fn changeable<'s>(turn: &'s mut Turn<'_>, id: &str) -> Result<&'s mut Volume, Refusal> {
    if turn.world.mode == Mode::Nhn {
        return Err(Refusal::not_found("The resource could not be found."));
    }
    let volume = turn.state.volumes.get_mut(id).ok_or_else(|| missing(id))?;
    if volume.deleted.is_some() {
        return Err(Refusal::invalid("Invalid volume: Volume status must not be deleting"));
    }
    Ok(volume)
}
