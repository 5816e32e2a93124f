//! What became due since the last request: machines that went off, servers and volumes that are gone, uploads that ended.

use jiff::Timestamp;

use super::state::State;

/// Brings the state up to now. The order matters: a server's end frees or deletes its volume.
pub(crate) fn settle(state: &mut State, now: Timestamp) {
    for server in state.servers.values_mut() {
        server.settle(now);
    }
    uploads(state, now);
    servers(state, now);
    state.volumes.retain(|_, volume| !volume.gone(now));
    state.images.retain(|_, image| image.status(now).is_some());
}

fn uploads(state: &mut State, now: Timestamp) {
    for volume in state.volumes.values_mut() {
        let over = |image: &str| state.images.get(image).is_none_or(|image| image.status(now).is_none());
        let ended = volume
            .upload
            .as_ref()
            .filter(|upload| upload.until.is_some_and(|until| now >= until) || over(&upload.image));
        if let Some(upload) = ended {
            volume.error |= upload.fails;
            volume.upload = None;
        }
    }
}

fn servers(state: &mut State, now: Timestamp) {
    let gone: Vec<(String, Timestamp)> = state
        .servers
        .values()
        .filter(|server| server.gone(now))
        .filter_map(|server| Some((server.id.clone(), server.gone_at()?)))
        .collect();
    for (id, moment) in gone {
        state.servers.remove(&id);
        for ip in state
            .floating_ips
            .values_mut()
            .filter(|ip| ip.server.as_ref() == Some(&id))
        {
            ip.server = None;
        }
        for volume in state
            .volumes
            .values_mut()
            .filter(|volume| volume.server.as_ref() == Some(&id))
        {
            volume.server = None;
            if volume.delete_on_termination {
                volume.deleted = Some(moment);
            }
        }
    }
}
