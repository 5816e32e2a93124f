//! `POST /servers/{id}/action`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::access::Microversion;
use super::super::front::Turn;
use super::super::image::{Image, NewImage};
use super::super::mode::Mode;
use super::super::reply::{Outcome, Refusal, Reply};
use super::servers::{look, settled};

/// Does one action.
pub(crate) fn act(turn: &mut Turn<'_>, id: &str, version: Microversion) -> Outcome {
    turn.ask.query(&[])?;
    let body: Map<String, Value> = turn.ask.json()?;
    let mut actions = body.into_iter();
    let (Some((name, argument)), None) = (actions.next(), actions.next()) else {
        return Err(Refusal::invalid("There is no such action: exactly one is wanted"));
    };
    match name.as_str() {
        "os-stop" => power(turn, id, "stop", &argument),
        "os-start" => power(turn, id, "start", &argument),
        "reboot" => reboot(turn, id, &argument),
        "createImage" => create_image(turn, id, argument, version),
        "os-getConsoleOutput" => console(turn, id, argument),
        other => Err(Refusal::strict(format!("unknown action '{other}'"))),
    }
}

fn power(turn: &mut Turn<'_>, id: &str, doing: &'static str, argument: &Value) -> Outcome {
    if !argument.is_null() {
        return Err(Refusal::invalid(format!(
            "Invalid input for field/attribute os-{doing}. It must be null."
        )));
    }
    let now = turn.now;
    let server = settled(turn, id, doing)?;
    let face = server.face(now);
    let wanted: &[&str] = if doing == "stop" { &["ACTIVE"] } else { &["SHUTOFF"] };
    if face.task.is_some() || server.failed() || !wanted.contains(&face.status) {
        let state = face
            .task
            .map_or(format!("vm_state {}", face.vm), |task| format!("task_state {task}"));
        return Err(Refusal::conflict(format!(
            "Cannot '{doing}' instance {id} while it is in {state}"
        )));
    }
    if doing == "stop" {
        server.stop(now);
    } else {
        server.start(now);
    }
    Ok(Reply::empty(202))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reboot {
    #[serde(rename = "type")]
    kind: String,
}

fn reboot(turn: &mut Turn<'_>, id: &str, argument: &Value) -> Outcome {
    let Reboot { kind } = from_value(argument.clone())?;
    if kind != "SOFT" && kind != "HARD" {
        return Err(Refusal::invalid(
            "Invalid input for field/attribute type. It must be SOFT or HARD.",
        ));
    }
    let now = turn.now;
    let server = settled(turn, id, "reboot")?;
    let face = server.face(now);
    if face.status != "ACTIVE" || face.task.is_some() {
        return Err(Refusal::conflict(format!(
            "Cannot 'reboot' instance {id} while it is in vm_state {}",
            face.vm
        )));
    }
    if let Some(machine) = &server.machine {
        machine.power_off();
        machine.power_on();
    }
    Ok(Reply::empty(202))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateImage {
    name: String,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// For servers with a local disk only. What upstream makes of a volume root is an empty image with hidden snapshots;
/// the lab refuses that with its reason.
fn create_image(turn: &mut Turn<'_>, id: &str, argument: Value, version: Microversion) -> Outcome {
    let CreateImage { name, metadata } = from_value(argument)?;
    let now = turn.now;
    let server = settled(turn, id, "createImage")?;
    let face = server.face(now);
    if face.task.is_some() || server.failed() {
        let state = face.task.unwrap_or(face.vm);
        return Err(Refusal::conflict(format!(
            "Cannot 'createImage' instance {id} while it is in task_state {state}"
        )));
    }
    let (root, source, flavor, machine) = (
        server.root.clone(),
        server.image.clone(),
        server.flavor,
        server.machine.clone(),
    );
    if root.is_some() {
        let nhn = "This instance boots from a block storage volume. Use the block storage volume to create an image.";
        return Err(match turn.world.mode {
            Mode::Nhn => Refusal::invalid(nhn),
            Mode::Openstack => Refusal::strict(
                "the root is a volume; createImage would make an empty image here, use os-volume_upload_image",
            ),
        });
    }
    let Some(machine) = machine else {
        return Err(Refusal::conflict(format!("Cannot 'createImage' instance {id}")));
    };
    let new = NewImage::of_server(turn, name, metadata, source.as_ref(), flavor, machine.as_ref());
    let image = Image::start(turn, new, flavor.disk_gb);
    let (image_id, until) = (image.id.clone(), image.finished());
    turn.state.images.insert(image_id.clone(), image);
    if let Some(server) = turn.state.servers.get_mut(id) {
        server.imaging = until.map(|until| (image_id.clone(), until));
    }
    Ok(if version >= Microversion(2, 45) {
        Reply::json(202, json!({"image_id": image_id}))
    } else {
        Reply::empty(202).with(
            "Location",
            format!("{}/v2/images/{image_id}", turn.world.endpoints.image),
        )
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Console {
    length: Option<u32>,
}

fn console(turn: &mut Turn<'_>, id: &str, argument: Value) -> Outcome {
    let Console { length } = from_value(argument)?;
    if turn.world.mode == Mode::Nhn {
        return Err(Refusal::not_found("The resource could not be found."));
    }
    let now = turn.now;
    let server = look(turn, id)?;
    if server.face(now).status == "BUILD" {
        return Err(Refusal::conflict(format!("Instance {id} is not ready")));
    }
    let output = server
        .machine
        .as_ref()
        .map(|machine| machine.console())
        .unwrap_or_default();
    let lines: Vec<&str> = output.lines().collect();
    let keep = length.map_or(lines.len(), |length| usize::try_from(length).unwrap_or(usize::MAX));
    let tail: Vec<&str> = lines.iter().skip(lines.len().saturating_sub(keep)).copied().collect();
    Ok(Reply::json(200, json!({"output": tail.join("\n")})))
}

fn from_value<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value)
        .map_err(|error| Refusal::strict(format!("the action's argument is not as wanted: {error}")))
}
