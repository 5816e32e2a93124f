//! Looking at servers, naming and deleting them.

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::access::Microversion;
use super::super::front::Turn;
use super::super::ids::hex32_of;
use super::super::mode::Mode;
use super::super::reply::{Outcome, Refusal, Reply};
use super::metadata::check_name;
use super::server::{Fate, Server};
use super::view;

/// The server, for a look; a new one is not there for one look.
pub(crate) fn look<'s>(turn: &'s mut Turn<'_>, id: &str) -> Result<&'s mut Server, Refusal> {
    let now = turn.now;
    turn.state
        .servers
        .get_mut(id)
        .filter(|server| server.fresh.shown(now))
        .ok_or_else(|| missing(id))
}

/// The server, for something to be done to it: not while it is built or deleted.
pub(crate) fn settled<'s>(turn: &'s mut Turn<'_>, id: &str, doing: &str) -> Result<&'s mut Server, Refusal> {
    let now = turn.now;
    let server = turn.state.servers.get_mut(id).ok_or_else(|| missing(id))?;
    let face = server.face(now);
    if face.status == "BUILD" || server.deleted.is_some() {
        let words = format!("Cannot '{doing}' instance {id} while it is in vm_state {}", face.vm);
        return Err(Refusal::conflict(words));
    }
    Ok(server)
}

fn missing(id: &str) -> Refusal {
    Refusal::not_found(format!("Instance {id} could not be found."))
}

/// Shows one.
pub(crate) fn show(turn: &mut Turn<'_>, id: &str, version: Microversion) -> Outcome {
    turn.ask.bare()?;
    look(turn, id)?;
    let server = turn.state.servers.get(id).ok_or_else(|| missing(id))?;
    let body = view::full(turn, server, version);
    meddle(turn, id);
    Ok(Reply::json(200, json!({"server": body})))
}

/// The fault of somebody who starts a server as soon as it was seen to be off.
fn meddle(turn: &mut Turn<'_>, id: &str) {
    let now = turn.now;
    let server = turn.state.servers.get_mut(id);
    if let Some(server) = server.filter(|server| server.meddler && server.face(now).status == "SHUTOFF") {
        server.meddler = false;
        server.start(now);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    server: NewName,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewName {
    name: String,
}

/// Renames one.
pub(crate) fn rename(turn: &mut Turn<'_>, id: &str, version: Microversion) -> Outcome {
    turn.ask.query(&[])?;
    let Rename {
        server: NewName { name },
    } = turn.ask.json()?;
    check_name(&name)?;
    settled(turn, id, "rename")?.name = name;
    let server = turn.state.servers.get(id).ok_or_else(|| missing(id))?;
    Ok(Reply::json(200, json!({"server": view::full(turn, server, version)})))
}

/// Deletes one. Its volume keeps the disk as it is now; images that are being made of it break.
pub(crate) fn delete(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.bare()?;
    let now = turn.now;
    let server = turn.state.servers.get_mut(id).ok_or_else(|| missing(id))?;
    if server.deleted.is_some() {
        return Ok(Reply::empty(204));
    }
    server.deleted = Some(now);
    let (root, imaging) = (server.root.clone(), server.imaging.take());
    let disk = server.machine.as_ref().map(|machine| machine.disk());
    if let Some(machine) = &server.machine {
        machine.destroy();
    }
    let volume = root.and_then(|root| turn.state.volumes.get_mut(&root));
    let mut broken = imaging.map(|(image, _)| image);
    if let Some(volume) = volume {
        volume.disk = disk.or(volume.disk.take());
        broken = volume.upload.as_ref().map(|upload| upload.image.clone()).or(broken);
    }
    if let Some(image) = broken.and_then(|image| turn.state.images.get_mut(&image)) {
        image.break_now(now);
    }
    Ok(Reply::empty(204))
}

/// The volumes of one.
pub(crate) fn attachments(turn: &mut Turn<'_>, id: &str, version: Microversion) -> Outcome {
    turn.ask.bare()?;
    let now = turn.now;
    let server = look(turn, id)?;
    let root = server.root.clone().filter(|_| server.rooted(now) && !server.gone(now));
    let entry = |volume: &String| {
        if version < Microversion(2, 89) {
            return json!({"device": "/dev/vda", "id": volume, "serverId": id, "volumeId": volume});
        }
        let dies = turn
            .state
            .volumes
            .get(volume)
            .is_some_and(|volume| volume.delete_on_termination);
        json!({"attachment_id": hex32_of(volume), "bdm_uuid": hex32_of(&format!("bdm/{volume}")), "device": "/dev/vda",
               "serverId": id, "volumeId": volume, "delete_on_termination": dies, "tag": null})
    };
    let entries: Vec<Value> = root.iter().map(entry).collect();
    Ok(Reply::json(200, json!({"volumeAttachments": entries})))
}

/// The password that the guest has posted, encrypted.
pub(crate) fn password(turn: &mut Turn<'_>, id: &str, method: &Method) -> Outcome {
    turn.ask.bare()?;
    let (world, now) = (turn.world, turn.now);
    let faults = &world.faults;
    let offered = match world.mode {
        Mode::Nhn => faults.armed("password-offered").is_some(),
        Mode::Openstack => true,
    };
    if !offered || faults.armed("password-not-offered").is_some() {
        return Err(Refusal::not_found("The resource could not be found."));
    }
    let server = look(turn, id)?;
    match *method {
        Method::GET => {
            let cleared = server.password_cleared
                || server.face(now).status == "BUILD"
                || faults.armed("password-never").is_some();
            let posted = server
                .machine
                .as_ref()
                .filter(|_| !cleared)
                .and_then(|machine| machine.posted_password());
            let posted = posted.map(|password| {
                if faults.armed("password-garbled").is_some() {
                    garbled(&password)
                } else {
                    password
                }
            });
            Ok(Reply::json(200, json!({"password": posted.unwrap_or_default()})))
        }
        Method::DELETE => {
            server.password_cleared = true;
            Ok(Reply::empty(204))
        }
        _ => Err(Refusal::new(405, "Method not allowed")),
    }
}

/// Base64 of the same length that is nobody's password.
fn garbled(password: &str) -> String {
    password
        .chars()
        .map(|c| {
            if c == '=' {
                '='
            } else if c == 'A' {
                'B'
            } else {
                'A'
            }
        })
        .collect()
}

impl Server {
    /// Whether anything but looking and deleting makes sense.
    pub(crate) fn failed(&self) -> bool {
        matches!(self.fate, Fate::Fails(_))
    }
}
