//! Servers and key pairs.

use reseal_machine::cloud::{Attachment, Flavor, NewKeypair, NewServer, Observed, QuotaLeft, Server, ServerPassword};
use reseal_machine::{CloudError, CloudErrorKind, ServerId, Status, marks};
use serde_json::Value;

use super::once::{Look, Made};
use super::{OpenStack, busy};
use crate::{json, nova};

/// The most that is told of a console, in bytes.
const CONSOLE: usize = 64 * 1024;

impl OpenStack {
    pub(super) async fn list_flavors(&self) -> Result<Vec<Flavor>, CloudError> {
        Ok(self
            .client
            .list(&nova::flavors())
            .await?
            .iter()
            .filter_map(nova::read_flavor)
            .collect())
    }

    /// A quota that is not told is no reason to fail.
    pub(super) async fn quota_left(&self) -> Result<QuotaLeft, CloudError> {
        if !self.rules.limits {
            return Ok(QuotaLeft::default());
        }
        match self.client.call(&nova::limits()).await {
            Ok(reply) => Ok(nova::read_quota(&reply.json()?)),
            Err(error) if matches!(error.http, Some(403 | 404 | 405 | 501)) => Ok(QuotaLeft::default()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn import_keypair(&self, new: &NewKeypair) -> Result<(), CloudError> {
        let is_ours = |item: &Value| {
            let pair = item.get("keypair").unwrap_or(item);
            json::text(pair, "name").as_ref() == Some(&new.name)
                && json::text(pair, "public_key").is_some_and(|key| key.trim() == new.public_key.trim())
        };
        let look = Look {
            list: nova::keypairs(),
            is_ours: &is_ours,
        };
        self.create_once(&nova::create_keypair(new), &look).await.map(|_| ())
    }

    pub(super) async fn forget_keypair(&self, name: &str) -> Result<(), CloudError> {
        self.delete(&nova::delete_keypair(name)).await
    }

    pub(super) async fn launch(&self, new: &NewServer) -> Result<ServerId, CloudError> {
        let is_ours = |item: &Value| {
            let metadata = json::strings(item, "metadata");
            metadata.get(marks::BUILD_KEY).map(String::as_str) == Some(new.marks.build.as_str())
                && metadata.get(marks::STEP_KEY) == Some(&new.marks.step)
        };
        let look = Look {
            list: nova::servers_named(&new.name),
            is_ours: &is_ours,
        };
        let id = match self.create_once(&nova::create_server(new, self.rules), &look).await? {
            Made::Now(reply) => {
                json::text(&reply.member("server")?, "id").ok_or_else(|| reply.unexpected("the answer has no `id`"))?
            }
            Made::Before(item) => json::text(&item, "id").ok_or_else(|| {
                CloudError::new(
                    CloudErrorKind::Unexpected,
                    "create server",
                    "the server that was found has no `id`",
                )
            })?,
        };
        Ok(ServerId::new(id))
    }

    pub(super) async fn show_server(&self, id: &ServerId) -> Result<Observed<Server>, CloudError> {
        self.observe(&nova::server(id), Some("server"), nova::read_server).await
    }

    pub(super) async fn end_server(&self, id: &ServerId) -> Result<(), CloudError> {
        self.delete(&nova::delete_server(id)).await.map_err(in_a_task)
    }

    /// Windows and many clouds have nothing to show; that is no error.
    pub(super) async fn console(&self, id: &ServerId) -> Result<Option<String>, CloudError> {
        match self.client.call(&nova::console(id)).await {
            Ok(reply) => Ok(reply
                .json()
                .ok()
                .and_then(|reply| json::text(&reply, "output"))
                .map(|text| last_words(&text))),
            Err(error) if matches!(error.http, Some(400 | 403 | 404 | 405 | 409 | 500 | 501 | 503)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn password(&self, id: &ServerId) -> Result<ServerPassword, CloudError> {
        match self.client.call(&nova::password(id)).await {
            Ok(reply) => {
                Ok(json::text(&reply.json()?, "password").map_or(ServerPassword::NotYet, ServerPassword::Encrypted))
            }
            Err(error) if matches!(error.http, Some(403 | 404 | 501)) => Ok(ServerPassword::NotOffered),
            Err(error) => Err(error),
        }
    }

    /// The volumes of a server that is gone are none.
    pub(super) async fn list_attachments(&self, id: &ServerId) -> Result<Vec<Attachment>, CloudError> {
        match self.client.call(&nova::attachments(id)).await {
            Ok(reply) => Ok(nova::read_attachments(&reply.json()?)),
            Err(error) if error.http == Some(404) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// The end of a console's text: a hundred lines may be of any length.
fn last_words(text: &str) -> String {
    let cut = text.len().saturating_sub(CONSOLE);
    (cut..text.len())
        .find_map(|at| text.get(at..))
        .unwrap_or_default()
        .to_owned()
}

/// A conflict about `task_state` or `vm_state` ends with the task.
pub(super) fn in_a_task(mut error: CloudError) -> CloudError {
    if error.kind == CloudErrorKind::Conflict {
        error.status = Status::Temporary;
        return busy(error);
    }
    error
}
