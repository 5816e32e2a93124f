//! Sharing an image with other projects.

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::clockwork::seconds;
use super::super::front::Turn;
use super::super::reply::{Outcome, Refusal, Reply};
use super::images::Member;
use super::view;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    member: String,
}

/// Answers a request to `/v2/images/{id}/members…`.
pub(crate) fn answer(turn: &mut Turn<'_>, id: &str, path: &[&str]) -> Outcome {
    turn.ask.query(&[])?;
    match (&turn.ask.method, path) {
        (&Method::GET, []) => list(turn, id),
        (&Method::POST, []) => add(turn, id),
        (&Method::DELETE, [project]) => remove(turn, id, project),
        (&Method::PUT, [_]) => Err(Refusal::forbidden(
            "You are not permitted to modify the status of this member",
        )),
        (method, _) => Err(Refusal::strict(format!("no {method} of members here"))),
    }
}

fn list(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.no_body()?;
    let image = view::own(turn, id)?;
    let members: Vec<Value> = image
        .members
        .iter()
        .map(|(project, member)| body(id, project, member))
        .collect();
    Ok(Reply::json(
        200,
        json!({"members": members, "schema": "/v2/schemas/members"}),
    ))
}

fn add(turn: &mut Turn<'_>, id: &str) -> Outcome {
    let New { member: project } = turn.ask.json()?;
    let now = turn.now;
    let image = view::own(turn, id)?;
    if image.visibility != "shared" {
        return Err(Refusal::forbidden("Only shared images have members."));
    }
    if project.is_empty() || project.len() > 255 {
        return Err(Refusal::invalid("Member can't be empty"));
    }
    if image.members.contains_key(&project) {
        return Err(Refusal::conflict(format!(
            "The target member {project} is already associated with image {id}."
        )));
    }
    if image.members.len() >= 128 {
        return Err(Refusal::new(
            413,
            "The limit has been exceeded on the number of allowed image members for this image.",
        ));
    }
    let member = Member {
        status: "pending",
        created: now,
    };
    let reply = body(id, &project, &member);
    image.members.insert(project, member);
    Ok(Reply::json(200, reply))
}

fn remove(turn: &mut Turn<'_>, id: &str, project: &str) -> Outcome {
    turn.ask.no_body()?;
    let removed = view::own(turn, id)?.members.remove(project);
    removed
        .map(|_| Reply::empty(204))
        .ok_or_else(|| Refusal::not_found(format!("{project} not found in the member list of the image {id}.")))
}

fn body(id: &str, project: &str, member: &Member) -> Value {
    let created = seconds(member.created);
    json!({"image_id": id, "member_id": project, "status": member.status, "created_at": created, "updated_at": created, "schema": "/v2/schemas/member"})
}
