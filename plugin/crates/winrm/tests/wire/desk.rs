//! A computer for the endpoint to stand on: one account, a few made-up programs, and a real engine where there is one.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reseal_lab::clock::JumpClock;
use reseal_lab::winrm::computer::{
    Account, Certified, Computer, Listening, Output, Policy, Process, StartCommand, Waited,
};
use reseal_lab::winrm::engine::Engine;
use reseal_lab::winrm::ntlm::keys::nt_hash;
use reseal_lab::winrm::{Endpoint, Fault};
use reseal_machine::communicator::{OutputSink, Stream};
use reseal_winrm::{Address, Auth, AuthKind, Transport, WinRm, WinRmConfig};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) const USER: &str = "builder";
pub(crate) const PASSWORD: &str = "P4ss wörd!";

/// What a made-up program does.
#[derive(Clone, Default)]
pub(crate) struct Program {
    pub(crate) out: Vec<Vec<u8>>,
    pub(crate) err: Vec<Vec<u8>>,
    /// Never ends when there is none.
    pub(crate) exit: Option<i32>,
    /// Does not read its input.
    pub(crate) deaf: bool,
}

pub(crate) struct Desk {
    policy: Mutex<Policy>,
    programs: Mutex<BTreeMap<String, Program>>,
    certified: Option<Arc<Certified>>,
    engine: Option<Engine>,
    refuses: Mutex<bool>,
    unavailable: Mutex<bool>,
    violations: Mutex<Vec<String>>,
    pub(crate) started: AtomicUsize,
    pub(crate) terminated: Arc<AtomicUsize>,
    run: Mutex<CancellationToken>,
    /// Input is changed on its way, as by a console with another code page.
    mangles: bool,
    nonces: AtomicU64,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            policy: Mutex::new(Policy::default()),
            programs: Mutex::default(),
            certified: None,
            engine: None,
            refuses: Mutex::new(false),
            unavailable: Mutex::new(false),
            violations: Mutex::default(),
            started: AtomicUsize::new(0),
            terminated: Arc::default(),
            run: Mutex::default(),
            mangles: false,
            nonces: AtomicU64::new(1),
        }
    }

    /// A desk with a real engine, or none where there is no engine.
    pub(crate) fn with_engine() -> Option<Self> {
        Some(Self {
            engine: Some(Engine::new(engine()?)),
            ..Self::new()
        })
    }

    pub(crate) fn certified(mut self, certified: Certified) -> Self {
        self.certified = Some(Arc::new(certified));
        self
    }

    pub(crate) fn policy(self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy.lock().unwrap());
        self
    }

    /// A program by its whole command line, or by its name alone.
    pub(crate) fn program(self, line: &str, program: Program) -> Self {
        self.programs.lock().unwrap().insert(line.to_owned(), program);
        self
    }

    pub(crate) fn mangling(mut self) -> Self {
        self.mangles = true;
        self
    }

    /// All connections and shells are gone at once.
    pub(crate) fn reboot(&self) {
        let old = std::mem::take(&mut *self.run.lock().unwrap());
        old.cancel();
    }

    pub(crate) fn refuse_logins(&self, yes: bool) {
        *self.refuses.lock().unwrap() = yes;
    }

    pub(crate) fn be_unavailable(&self, yes: bool) {
        *self.unavailable.lock().unwrap() = yes;
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }
}

/// The engine's path; says loudly when there is none.
#[expect(clippy::disallowed_methods, reason = "tests find the engine by the environment")]
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(crate) fn engine() -> Option<PathBuf> {
    let found = std::env::var("RESEAL_WINPS").ok().filter(|path| !path.is_empty());
    if found.is_none() {
        eprintln!("SKIPPED: RESEAL_WINPS does not name a PowerShell engine; guest scripts are not run");
    }
    found.map(PathBuf::from)
}

impl Computer for Desk {
    fn name(&self) -> String {
        "WIN-DESK".to_owned()
    }

    fn filetime(&self) -> u64 {
        133_000_000_000_000_000
    }

    fn millis(&self) -> i64 {
        0
    }

    fn listening(&self, _port: u16) -> Listening {
        match &self.certified {
            _ if *self.unavailable.lock().unwrap() => Listening::Unavailable,
            Some(certified) => Listening::Https(Arc::clone(certified)),
            None => Listening::Http,
        }
    }

    fn refuses_logins(&self) -> bool {
        *self.refuses.lock().unwrap()
    }

    fn account(&self, name: &str, _domain: &str) -> Option<Account> {
        (name == USER).then(|| Account {
            name: USER.to_owned(),
            sid: "S-1-5-21-1-2-3-1001".to_owned(),
            nt_hash: nt_hash(PASSWORD),
            administrator: true,
        })
    }

    fn policy(&self) -> Policy {
        self.policy.lock().unwrap().clone()
    }

    fn run(&self) -> CancellationToken {
        self.run.lock().unwrap().clone()
    }

    fn start(&self, command: StartCommand) -> Result<Arc<dyn Process>, Fault> {
        self.started.fetch_add(1, Ordering::Relaxed);
        assert_eq!(command.code_page, 65001);
        if let (true, Some(engine)) = (command.skip_cmd_shell, &self.engine) {
            assert!(!command.console_input, "bytes need a pipe");
            let process = engine.start(&command)?;
            return Ok(if self.mangles {
                Arc::new(Mangled(process))
            } else {
                process
            });
        }
        let line = command.line();
        let name = line.split(' ').next().unwrap_or_default();
        let programs = self.programs.lock().unwrap();
        let program = programs.get(&line).or_else(|| programs.get(name)).cloned();
        let program = program.ok_or_else(|| Fault::windows(2, "The system cannot find the file specified."))?;
        Ok(Arc::new(Playing {
            program: Mutex::new(program),
            terminated: Arc::clone(&self.terminated),
        }))
    }

    fn nonce(&self) -> [u8; 8] {
        self.nonces.fetch_add(1, Ordering::Relaxed).to_le_bytes()
    }

    fn violation(&self, what: String) {
        self.violations.lock().unwrap().push(what);
    }
}

struct Mangled(Arc<dyn Process>);

#[async_trait]
impl Process for Mangled {
    fn input(&self, bytes: &[u8], end: bool) -> Result<(), Fault> {
        let kept = bytes.iter().filter(|byte| **byte != b'\r');
        let changed: Vec<u8> = kept.map(|byte| if *byte < 0x80 { *byte } else { b'?' }).collect();
        self.0.input(&changed, end)
    }

    async fn output(&self, most: usize, limit: Duration) -> Waited {
        self.0.output(most, limit).await
    }

    fn terminate(&self) {
        self.0.terminate();
    }
}

struct Playing {
    program: Mutex<Program>,
    terminated: Arc<AtomicUsize>,
}

#[async_trait]
impl Process for Playing {
    fn input(&self, _bytes: &[u8], _end: bool) -> Result<(), Fault> {
        if self.program.lock().unwrap().deaf {
            return Err(Fault::timed_out());
        }
        Ok(())
    }

    async fn output(&self, _most: usize, limit: Duration) -> Waited {
        let next = {
            let mut program = self.program.lock().unwrap();
            let take = |pieces: &mut Vec<Vec<u8>>| {
                if pieces.is_empty() {
                    Vec::new()
                } else {
                    pieces.remove(0)
                }
            };
            let (out, err) = (take(&mut program.out), take(&mut program.err));
            let exit = program
                .exit
                .filter(|_| program.out.is_empty() && program.err.is_empty());
            Output { out, err, exit }
        };
        if next == Output::default() {
            let _ = tokio::time::timeout(limit, std::future::pending::<()>()).await;
            return Waited::Nothing;
        }
        Waited::Output(next)
    }

    fn terminate(&self) {
        self.terminated.fetch_add(1, Ordering::Relaxed);
    }
}

/// A desk behind an endpoint on a free port.
pub(crate) struct Served {
    pub(crate) desk: Arc<Desk>,
    pub(crate) endpoint: Endpoint,
    pub(crate) address: SocketAddr,
}

impl Served {
    pub(crate) fn new(desk: Desk) -> Self {
        let desk = Arc::new(desk);
        let port = free_port();
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let computer: Arc<dyn Computer> = Arc::<Desk>::clone(&desk);
        let endpoint = Endpoint::bind(host, &[port], computer).unwrap();
        Self {
            desk,
            endpoint,
            address: SocketAddr::new(host, port),
        }
    }

    pub(crate) fn client(&self) -> WinRm {
        client(self.address, Transport::Http, AuthKind::Negotiate, |_| {})
    }

    /// Nothing is open any more, and the client kept every rule.
    pub(crate) fn check_clean(&self) {
        assert_eq!(self.endpoint.open_shells(), 0, "shells are left");
        assert_eq!(self.desk.violations(), Vec::<String>::new());
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A client whose time jumps.
pub(crate) fn client(
    address: SocketAddr,
    transport: Transport,
    kind: AuthKind,
    change: impl FnOnce(&mut WinRmConfig),
) -> WinRm {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut config = WinRmConfig::new(
        Address::new(address.ip().to_string(), address.port()),
        transport,
        Auth {
            kind,
            username: USER.to_owned(),
            password: SecretString::from(PASSWORD),
        },
        Arc::new(JumpClock::new("2026-11-23T10:00:00Z".parse().unwrap())),
        Arc::new(|| Uuid::from_u128(u128::from(NEXT.fetch_add(1, Ordering::Relaxed)))),
    );
    change(&mut config);
    WinRm::new(config).unwrap()
}

/// Keeps what was printed.
#[derive(Default)]
pub(crate) struct Kept(Mutex<(String, String)>);

impl Kept {
    pub(crate) fn out(&self) -> String {
        self.0.lock().unwrap().0.clone()
    }

    pub(crate) fn err(&self) -> String {
        self.0.lock().unwrap().1.clone()
    }
}

impl OutputSink for Kept {
    fn output(&self, stream: Stream, text: &str) {
        let mut kept = self.0.lock().unwrap();
        match stream {
            Stream::Out => kept.0.push_str(text),
            Stream::Err => kept.1.push_str(text),
        }
    }
}
