//! The template's provisioners in the guest of a build.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use reseal_engine::{ActionError, FailureClass};
use reseal_packer::{CLEANUP_PROVISION, CallError, Communicator, GeneratedData, Guest, Hook, PROVISION, Ui};
use reseal_pipeline::world::{Provisioners, Visit};
use tokio_util::sync::CancellationToken;

use super::generated::{self, BaseImage, Known};
use super::screen::Screen;
use crate::rim::spool::Disk;

/// The provisioners of one build.
pub(super) struct Template {
    /// Runs them.
    pub(super) hook: Arc<dyn Hook>,
    /// Where they speak.
    pub(super) ui: Arc<dyn Ui>,
    /// Where we speak.
    pub(super) screen: Arc<Screen>,
    /// What the build starts from.
    pub(super) base: BaseImage,
    /// The build's folder.
    pub(super) folder: String,
    /// Packer's own id of this run.
    pub(super) packer_run: String,
    /// The machine that they have worked in.
    pub(super) visited: Mutex<Option<Visited>>,
}

/// A machine in which provisioners have begun to work.
#[derive(Clone)]
pub(super) struct Visited {
    data: GeneratedData,
    machine: Arc<Guest>,
    guest: Arc<dyn reseal_machine::Communicator>,
}

impl Template {
    /// What the template was told of the machine.
    pub(super) fn data(&self) -> Option<GeneratedData> {
        self.visited().map(|visited| visited.data)
    }

    fn visited(&self) -> Option<Visited> {
        self.visited.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs the clean-up provisioner, when provisioners had begun and their machine still answers.
    pub(super) async fn after_failure(&self, cancel: &CancellationToken) {
        let Some(visited) = self.visited() else { return };
        if cancel.is_cancelled() {
            return;
        }
        self.screen.flush().await;
        if visited.guest.probe().await.is_err() {
            tracing::info!("The machine does not answer any more; the clean-up provisioner cannot run");
            return;
        }
        self.ui
            .say("Provisioning step had errors: Running the cleanup provisioner, if present...")
            .await;
        let machine: Arc<dyn Communicator> = visited.machine;
        let (data, ui) = (&visited.data, Arc::clone(&self.ui));
        if let Err(error) = self.hook.run(CLEANUP_PROVISION, data, ui, machine, cancel).await {
            self.ui.error(&format!("the cleanup provisioner failed: {error}")).await;
        }
    }
}

#[async_trait]
impl Provisioners for Template {
    async fn provision(&self, visit: Visit, cancel: &CancellationToken) -> Result<(), ActionError> {
        let known = Known {
            folder: self.folder.clone(),
            base: &self.base,
            packer_run: self.packer_run.clone(),
        };
        let data = generated::data(&known, &visit);
        let machine = Arc::new(Guest::new(Arc::clone(&visit.guest), Arc::new(Disk::system())));
        let visited = Visited {
            data: data.clone(),
            machine: Arc::clone(&machine),
            guest: visit.guest,
        };
        *self.visited.lock().unwrap_or_else(PoisonError::into_inner) = Some(visited);
        self.screen.flush().await;
        let ran = self
            .hook
            .run(PROVISION, &data, Arc::clone(&self.ui), machine, cancel)
            .await;
        ran.map_err(|error| match error {
            CallError::Cancelled => ActionError::cancelled(),
            error => ActionError::new(FailureClass::Install, error.to_string()),
        })
    }
}
