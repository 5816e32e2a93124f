//! The operations of the shell resource, with the quotas of a stock guest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio_util::sync::CancellationToken;

use super::computer::{Account, Computer, Output, StartCommand, Waited};
use super::fault::Fault;
use super::shell::{Shell, command_options};
use super::soap::{self, Answer, CMD, Call, Options, Refused, Request, SHELL};
use super::xml::Element;

/// What comes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// 200 with an envelope.
    Envelope(String),
    /// 500 with a fault's envelope.
    Fault(String),
    /// The connection breaks without an answer.
    Broken,
}

enum Failure {
    Fault(Fault),
    Broken,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

#[derive(Default)]
struct Tables {
    /// The run of the machine that the shells belong to.
    run: CancellationToken,
    shells: BTreeMap<String, Shell>,
    message_ids: BTreeSet<u128>,
}

/// The service of one computer.
pub struct Service {
    computer: Arc<dyn Computer>,
    tables: Mutex<Tables>,
}

impl Service {
    /// A service without shells.
    pub fn new(computer: Arc<dyn Computer>) -> Self {
        Self {
            computer,
            tables: Mutex::default(),
        }
    }

    /// The computer.
    pub fn computer(&self) -> &Arc<dyn Computer> {
        &self.computer
    }

    /// How many shells are open.
    pub fn open_shells(&self) -> usize {
        self.tables().shells.len()
    }

    /// Answers one envelope of a user.
    pub async fn answer(&self, account: &Account, text: &str) -> Reply {
        let request = match soap::decode(text) {
            Ok(request) => request,
            Err(refused) => return self.refuse(&refused),
        };
        if request.call == Call::Identify {
            return Reply::Envelope(soap::encode_identify("10.0.20348"));
        }
        match self.carry_out(account, &request).await {
            Ok(answer) => Reply::Envelope(soap::encode(&answer, &request.id, &self.fresh_uri())),
            Err(Failure::Fault(fault)) => self.fault(&fault, &request.id),
            Err(Failure::Broken) => Reply::Broken,
        }
    }

    /// A request that was refused has used its id all the same.
    fn refuse(&self, refused: &Refused) -> Reply {
        let Some(id) = &refused.id else {
            return self.fault(&refused.fault, "");
        };
        let fault = self.check_id(id).err();
        self.fault(fault.as_ref().unwrap_or(&refused.fault), id)
    }

    fn fault(&self, fault: &Fault, relates_to: &str) -> Reply {
        Reply::Fault(soap::encode_fault(
            fault,
            relates_to,
            &self.fresh_uri(),
            &self.computer.name(),
        ))
    }

    async fn carry_out(&self, account: &Account, request: &Request) -> Result<Answer, Failure> {
        self.check_id(&request.id)?;
        if !account.administrator {
            return Err(Fault::access_denied().into());
        }
        match &request.call {
            Call::Identify | Call::GetConfig => Ok(self.config()),
            Call::Create(options) => Ok(self.create(account, options)?),
            Call::Delete(shell) => Ok(self.delete(account, shell)?),
            Call::Command {
                shell,
                options,
                command,
                arguments,
            } => Ok(self.command(account, shell, options, command, arguments)?),
            Call::Send {
                shell,
                command,
                data,
                end,
            } => Ok(self.send(account, shell, command, data, *end)?),
            Call::Receive { shell, command } => self.receive(account, shell, command, request).await,
            Call::Signal { shell, command, code } => Ok(self.signal(account, shell, command, code)?),
        }
    }

    fn check_id(&self, id: &str) -> Result<(), Fault> {
        let number = id.strip_prefix("uuid:").and_then(|id| uuid::Uuid::parse_str(id).ok());
        let fresh = number.is_some_and(|number| self.tables().message_ids.insert(number.as_u128()));
        if fresh {
            Ok(())
        } else {
            Err(Fault::message_id(format!("the MessageID {id} was used before")))
        }
    }

    fn config(&self) -> Answer {
        let policy = self.computer.policy();
        let text = |name, value: String| Element::new(name).text(value);
        let auth = Element::new("cfg:Auth")
            .child(text("cfg:Basic", policy.basic.to_string()))
            .child(text("cfg:Negotiate", "true".to_owned()));
        let service = Element::new("cfg:Service")
            .child(text(
                "cfg:MaxConcurrentOperationsPerUser",
                policy.max_operations.to_string(),
            ))
            .child(text("cfg:AllowUnencrypted", policy.allow_unencrypted.to_string()))
            .child(auth);
        let winrs = Element::new("cfg:Winrs").child(text("cfg:MaxShellsPerUser", policy.max_shells.to_string()));
        let config = Element::new("cfg:Config")
            .with("xmlns:cfg", soap::CONFIG)
            .child(text("cfg:MaxEnvelopeSizekb", policy.max_envelope_kb.to_string()))
            .child(text("cfg:MaxTimeoutms", policy.max_timeout.as_millis().to_string()))
            .child(text("cfg:MaxBatchItems", "32000".to_owned()))
            .child(service)
            .child(winrs);
        Answer::transfer("Get", vec![config])
    }

    fn create(&self, account: &Account, options: &Options) -> Result<Answer, Fault> {
        let shell = Shell::new(&account.name, options, self.computer.millis())?;
        let id = self.fresh_id();
        let most = self.computer.policy().max_shells;
        {
            let mut tables = self.tables();
            if tables
                .shells
                .values()
                .filter(|shell| shell.owner == account.name)
                .count()
                >= most
            {
                return Err(Fault::shell_quota(most));
            }
            tables.shells.insert(id.clone(), shell);
        }
        Ok(Answer::transfer(
            "Create",
            vec![created(&id), self.described(account, &id)],
        ))
    }

    fn described(&self, account: &Account, id: &str) -> Element {
        let text = |name, value: String| Element::new(name).text(value);
        Element::new("rsp:Shell")
            .child(text("rsp:ShellId", id.to_owned()))
            .child(text("rsp:ResourceUri", CMD.to_owned()))
            .child(text("rsp:Owner", format!("{}\\{}", self.computer.name(), account.name)))
            .child(text("rsp:ClientIP", self.computer.client_address().to_string()))
            .child(text(
                "rsp:IdleTimeOut",
                format!("PT{}.000S", self.computer.policy().idle_timeout.as_secs()),
            ))
            .child(text("rsp:InputStreams", "stdin".to_owned()))
            .child(text("rsp:OutputStreams", "stdout stderr".to_owned()))
    }

    fn delete(&self, account: &Account, id: &str) -> Result<Answer, Fault> {
        let shell = {
            let mut tables = self.tables();
            owned(&mut tables, account, id, self.computer.millis())?;
            tables.shells.remove(id)
        };
        if let Some(shell) = shell {
            self.computer.shell_deleted(&shell.close());
        }
        Ok(Answer::transfer("Delete", Vec::new()))
    }

    fn command(
        &self,
        account: &Account,
        shell: &str,
        options: &Options,
        command: &str,
        arguments: &[String],
    ) -> Result<Answer, Fault> {
        let (skip_cmd_shell, console_input) = command_options(options)?;
        let code_page = self.admit(account, shell)?;
        let start = StartCommand {
            command: command.to_owned(),
            arguments: arguments.to_vec(),
            skip_cmd_shell,
            console_input,
            code_page,
            user: account.name.clone(),
            sid: account.sid.clone(),
        };
        check_length(&start)?;
        let process = self.computer.start(start.clone())?;
        let id = self.fresh_id();
        let mut tables = self.tables();
        owned(&mut tables, account, shell, self.computer.millis())?.insert(id.clone(), process, start);
        let body = Element::new("rsp:CommandResponse").child(Element::new("rsp:CommandId").text(id));
        Ok(Answer::shell("Command", body))
    }

    /// Checks the quotas for one more command and returns the shell's code page.
    fn admit(&self, account: &Account, id: &str) -> Result<u32, Fault> {
        let policy = self.computer.policy();
        let mut tables = self.tables();
        let shell = owned(&mut tables, account, id, self.computer.millis())?;
        if shell.operations >= policy.max_operations {
            return Err(Fault::operation_quota(policy.max_operations));
        }
        if shell.running() >= policy.max_processes {
            return Err(Fault::operation_quota(policy.max_processes));
        }
        Ok(shell.code_page)
    }

    fn send(&self, account: &Account, shell: &str, command: &str, data: &[u8], end: bool) -> Result<Answer, Fault> {
        let process = owned(&mut self.tables(), account, shell, self.computer.millis())?.process(command)?;
        process.input(data, end)?;
        Ok(Answer::shell("Send", Element::new("rsp:SendResponse")))
    }

    async fn receive(
        &self,
        account: &Account,
        shell: &str,
        command: &str,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let process = owned(&mut self.tables(), account, shell, self.computer.millis())?.process(command)?;
        let limit = request.timeout.min(self.computer.policy().max_timeout);
        let envelope = request.max_envelope.min(self.computer.policy().max_envelope_kb * 1024);
        let most = (envelope.saturating_sub(4096) / 4 * 3).max(3072);
        match process.output(most, limit).await {
            Waited::Nothing => Err(Fault::timed_out().into()),
            Waited::Gone => Err(Failure::Broken),
            Waited::Output(output) => {
                if output.exit.is_some()
                    && let Ok(shell) = owned(&mut self.tables(), account, shell, self.computer.millis())
                {
                    shell.finished(command);
                }
                Ok(Answer::shell("Receive", received(command, &output)))
            }
        }
    }

    fn signal(&self, account: &Account, shell: &str, command: &str, code: &str) -> Result<Answer, Fault> {
        let word = code.strip_prefix(SHELL).and_then(|rest| rest.strip_prefix("/signal/"));
        if !matches!(word, Some("terminate" | "ctrl_c" | "ctrl_break")) {
            return Err(Fault::schema(format!("the signal {code} is unknown")));
        }
        owned(&mut self.tables(), account, shell, self.computer.millis())?.release(command)?;
        Ok(Answer::shell("Signal", Element::new("rsp:SignalResponse")))
    }

    /// The tables of the machine's present run: those of an earlier one are gone.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        let run = self.computer.run();
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if tables.run.is_cancelled() || tables.shells.is_empty() {
            tables.shells.clear();
            tables.run = run;
        }
        let (now, idle) = (self.computer.millis(), self.computer.policy().idle_timeout.as_millis());
        let idle = i64::try_from(idle).unwrap_or(i64::MAX);
        tables
            .shells
            .retain(|_, shell| shell.running() > 0 || now.saturating_sub(shell.used) <= idle);
        tables
    }

    fn fresh_id(&self) -> String {
        let (high, low) = (
            u64::from_be_bytes(self.computer.nonce()),
            u64::from_be_bytes(self.computer.nonce()),
        );
        let mut text = uuid::Uuid::from_u64_pair(high, low).hyphenated().to_string();
        text.make_ascii_uppercase();
        text
    }

    fn fresh_uri(&self) -> String {
        format!("uuid:{}", self.fresh_id())
    }
}

/// Where the new shell is, as WS-Transfer tells it.
fn created(id: &str) -> Element {
    let selector = Element::new("w:Selector").with("Name", "ShellId").text(id);
    let reference = Element::new("a:ReferenceParameters")
        .child(Element::new("w:ResourceURI").text(CMD))
        .child(Element::new("w:SelectorSet").child(selector));
    Element::new("x:ResourceCreated")
        .child(Element::new("a:Address").text("http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"))
        .child(reference)
}

fn owned<'a>(tables: &'a mut Tables, account: &Account, id: &str, now: i64) -> Result<&'a mut Shell, Fault> {
    let shell = tables.shells.get_mut(id).filter(|shell| shell.owner == account.name);
    let shell = shell.ok_or_else(|| Fault::no_shell(id))?;
    shell.used = now;
    Ok(shell)
}

fn check_length(start: &StartCommand) -> Result<(), Fault> {
    let length = start.line().encode_utf16().count();
    let most = if start.skip_cmd_shell { 32_767 } else { 8191 };
    if length <= most {
        Ok(())
    } else {
        Err(Fault::windows(206, "The command line is too long."))
    }
}

fn received(command: &str, output: &Output) -> Element {
    let stream = |name: &str, data: &[u8]| {
        let element = Element::new("rsp:Stream").with("Name", name).with("CommandId", command);
        (!data.is_empty()).then(|| element.text(BASE64_STANDARD.encode(data)))
    };
    let end = |name: &str| {
        Element::new("rsp:Stream")
            .with("Name", name)
            .with("CommandId", command)
            .with("End", "true")
    };
    let ended = output
        .exit
        .is_some()
        .then(|| [end("stdout"), end("stderr")])
        .into_iter()
        .flatten();
    let state = if output.exit.is_some() { "Done" } else { "Running" };
    let state = Element::new("rsp:CommandState")
        .with("CommandId", command)
        .with("State", format!("{SHELL}/CommandState/{state}"))
        // A process's exit code is an unsigned number to the shell.
        .children(
            output
                .exit
                .map(|code| Element::new("rsp:ExitCode").text(code.cast_unsigned().to_string())),
        );
    Element::new("rsp:ReceiveResponse")
        .children(stream("stdout", &output.out))
        .children(stream("stderr", &output.err))
        .children(ended)
        .child(state)
}
