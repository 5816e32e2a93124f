//! What the endpoint asks of the computer that it stands on.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use crate::winrm::fault::Fault;
use crate::winrm::ntlm::keys::Key;

/// An account as logins see it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name as the computer spells it.
    pub name: String,
    /// Its SID.
    pub sid: String,
    /// The NT hash of its password.
    pub nt_hash: Key,
    /// Whether its network logons have an administrator's full token.
    pub administrator: bool,
}

/// What a port does at this moment.
#[derive(Clone)]
pub enum Listening {
    /// Nothing is there: a connection is reset.
    Closed,
    /// http.sys answers 503 because WinRM has not taken its URL yet.
    Unavailable,
    /// WinRM answers, in clear HTTP.
    Http,
    /// WinRM answers over TLS with this certificate.
    Https(Arc<Certified>),
}

/// A certificate with its TLS configuration.
pub struct Certified {
    /// For rustls.
    pub config: Arc<ServerConfig>,
    /// DER of the leaf.
    pub leaf: Vec<u8>,
}

/// `winrm get winrm/config`, as far as it matters here.
#[derive(Debug, Clone)]
pub struct Policy {
    /// `Service/AllowUnencrypted`.
    pub allow_unencrypted: bool,
    /// `Service/Auth/Basic`.
    pub basic: bool,
    /// Whether `CbtHardeningLevel` is `Strict` instead of `Relaxed`.
    pub strict_bindings: bool,
    /// `MaxEnvelopeSizekb`.
    pub max_envelope_kb: usize,
    /// `MaxTimeoutms`.
    pub max_timeout: Duration,
    /// `Winrs/MaxShellsPerUser`.
    pub max_shells: usize,
    /// `Service/MaxConcurrentOperationsPerUser`; a winrs shell gives none back before it is deleted.
    pub max_operations: usize,
    /// `Winrs/MaxProcessesPerShell`.
    pub max_processes: usize,
    /// `Winrs/IdleTimeout`.
    pub idle_timeout: Duration,
}

impl Default for Policy {
    /// A stock Windows Server.
    fn default() -> Self {
        Self {
            allow_unencrypted: false,
            basic: false,
            strict_bindings: false,
            max_envelope_kb: 500,
            max_timeout: Duration::from_mins(1),
            max_shells: 30,
            max_operations: 1500,
            max_processes: 25,
            idle_timeout: Duration::from_hours(2),
        }
    }
}

/// A process to start in a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartCommand {
    /// The program or command.
    pub command: String,
    /// Its arguments, each as the client gave it.
    pub arguments: Vec<String>,
    /// `WINRS_SKIP_CMD_SHELL`: create the process directly instead of through `cmd.exe /c`.
    pub skip_cmd_shell: bool,
    /// `WINRS_CONSOLEMODE_STDIN`: standard input is a console, which is not fit for bytes.
    pub console_input: bool,
    /// `WINRS_CODEPAGE` of the shell.
    pub code_page: u32,
    /// The account's name.
    pub user: String,
    /// The account's SID.
    pub sid: String,
}

impl StartCommand {
    /// The whole command line.
    pub fn line(&self) -> String {
        let mut line = self.command.clone();
        for argument in &self.arguments {
            line.push(' ');
            line.push_str(argument);
        }
        line
    }
}

/// What a process said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: Vec<u8>,
    /// The exit code, when it has ended and everything it said has been handed over.
    pub exit: Option<i32>,
}

/// What came of waiting for a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited {
    /// It said something or ended.
    Output(Output),
    /// Nothing within the time.
    Nothing,
    /// The machine went away: the connection breaks without an answer.
    Gone,
}

/// A process in a shell.
#[async_trait]
pub trait Process: Send + Sync {
    /// Gives it input; `end` closes its standard input.
    ///
    /// # Errors
    /// A fault when the process does not read any more.
    fn input(&self, bytes: &[u8], end: bool) -> Result<(), Fault>;
    /// Waits for output, `most` bytes at the most, for `limit` at the longest.
    async fn output(&self, most: usize, limit: Duration) -> Waited;
    /// Ends it now.
    fn terminate(&self);
}

/// The computer behind an endpoint.
pub trait Computer: Send + Sync {
    /// Its present name.
    fn name(&self) -> String;
    /// Its clock, in 100 ns since 1601.
    fn filetime(&self) -> u64;
    /// Its clock, in milliseconds since 1970; for idle times.
    fn millis(&self) -> i64;
    /// What `port` does now.
    fn listening(&self, port: u16) -> Listening;
    /// Whether logins fail now although the account is right (Setup is still at work).
    fn refuses_logins(&self) -> bool;
    /// Looks up an enabled account.
    fn account(&self, name: &str, domain: &str) -> Option<Account>;
    /// WinRM's configuration.
    fn policy(&self) -> Policy;
    /// The present run of the machine; cancelled when it goes down, and shells and connections with it.
    fn run(&self) -> CancellationToken;
    /// Starts a process.
    ///
    /// # Errors
    /// A fault when that cannot be.
    fn start(&self, command: StartCommand) -> Result<Arc<dyn Process>, Fault>;
    /// Kills what shells of this run started, e.g. because its shell was deleted. Called with each process's command.
    fn shell_deleted(&self, _commands: &[StartCommand]) {}
    /// Whether a connection that was idle for two minutes of the guest's time is found closed.
    fn closes_idle_connections(&self) -> bool {
        false
    }
    /// Eight random bytes.
    fn nonce(&self) -> [u8; 8];
    /// Records that a client did what no client may do.
    fn violation(&self, what: String);
    /// Delay of every answer, in real time.
    fn latency(&self) -> Duration {
        Duration::ZERO
    }
    /// The address in shells' `ClientIP`.
    fn client_address(&self) -> IpAddr {
        IpAddr::from([127, 0, 0, 1])
    }
}
