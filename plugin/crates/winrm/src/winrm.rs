//! The communicator itself.

use async_trait::async_trait;
use reseal_machine::communicator::{Blob, Exit, OutputSink, Probe, Progress, Script, Store, Transferred};
use reseal_machine::{CommError, Communicator};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::config::{ConfigError, WinRmConfig};
use crate::stats::{Counters, Stats};

/// A Windows guest behind its WinRM service.
pub struct WinRm {
    config: WinRmConfig,
    counters: Counters,
}

impl WinRm {
    /// Prepares a client; nothing is sent before the first call.
    pub fn new(config: WinRmConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            config,
            counters: Counters::default(),
        })
    }

    /// What went over the wire so far.
    pub fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    fn offline(&self) -> CommError {
        CommError::Unreachable(self.config.url())
    }
}

#[async_trait]
impl Communicator for WinRm {
    async fn probe(&self) -> Result<Probe, CommError> {
        Err(self.offline())
    }

    async fn invoke(
        &self,
        _: Script,
        _: &SecretString,
        _: &dyn OutputSink,
        _: &CancellationToken,
    ) -> Result<serde_json::Value, CommError> {
        Err(self.offline())
    }

    async fn run(&self, _: &str, _: &dyn OutputSink, _: &CancellationToken) -> Result<Exit, CommError> {
        Err(self.offline())
    }

    async fn upload(
        &self,
        _: &dyn Blob,
        _: &str,
        _: &dyn Progress,
        _: &CancellationToken,
    ) -> Result<Transferred, CommError> {
        Err(self.offline())
    }

    async fn download(
        &self,
        _: &str,
        _: &mut dyn Store,
        _: &dyn Progress,
        _: &CancellationToken,
    ) -> Result<Transferred, CommError> {
        Err(self.offline())
    }

    async fn disconnect(&self) {}
}
