//! Processes of the fake Windows: the bootstrap, the runner, the receiver, and a few commands of `cmd.exe`.
//!
//! What a process says is queued with the moment at which it says it. A Receive takes what is due; when something is
//! due later, it moves the lab's clock there (within its time limit); when nothing will come without input, it waits
//! for input in real time. So a transfer burns no lab time, and nothing spins.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::files::hash;
use super::machine::{Guest, after};
use super::ops::{self, Cx, Then};
use super::shell::Shell;
use crate::winrm::bytes::{Cursor, from_utf16le};
use crate::winrm::computer::{Computer, Output, Process, StartCommand, Waited};
use crate::winrm::engine::split;
use crate::winrm::fault::Fault;

/// The first line of what starts every process of ours.
const BOOTSTRAP: &str = "# reseal:bootstrap/1";
/// No frame of ours is larger.
const LARGEST: usize = 64 << 20;

#[derive(Debug)]
enum Said {
    Out(Vec<u8>),
    Err(Vec<u8>),
    Exit(i32),
    /// It will say nothing more; the machine goes down first.
    Nothing,
}

#[derive(Debug)]
enum Mode {
    Bootstrap,
    Runner { known: BTreeSet<String> },
    Receiver,
    Over,
}

struct Inner {
    mode: Mode,
    input: Vec<u8>,
    queue: VecDeque<(Timestamp, Said)>,
    /// When it is done with what it has been given.
    busy_until: Timestamp,
}

/// One process.
pub struct SimProcess {
    guest: Arc<Guest>,
    run: CancellationToken,
    start: StartCommand,
    inner: Mutex<Inner>,
    news: Notify,
}

impl SimProcess {
    /// Starts a process in a shell.
    pub fn start(guest: Arc<Guest>, start: StartCommand) -> Arc<dyn Process> {
        let (now, run) = (guest.now(), Computer::run(guest.as_ref()));
        let inner = Inner {
            mode: Mode::Over,
            input: Vec::new(),
            queue: VecDeque::new(),
            busy_until: now,
        };
        let process = Self {
            guest,
            run,
            start,
            inner: Mutex::new(inner),
            news: Notify::new(),
        };
        let words = split(&process.start.line());
        match words.first().map(|word| word.to_lowercase()) {
            Some(program) if process.is_ours(&program, &words) => process.powershell(&words),
            _ => process.command(),
        }
        Arc::new(process)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is our own bootstrap: PowerShell without a `cmd.exe` around it. What goes through `cmd.exe` is others'.
    fn is_ours(&self, program: &str, words: &[String]) -> bool {
        let powershell = program == "powershell" || program.ends_with("powershell.exe");
        let first = encoded(words).and_then(|script| script.lines().next().map(|line| line.trim().to_owned()));
        powershell && (self.start.skip_cmd_shell || first.as_deref() == Some(BOOTSTRAP))
    }

    /// `powershell.exe` as we start it: only the bootstrap is known.
    fn powershell(&self, words: &[String]) {
        let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let first = encoded(words)
            .as_deref()
            .and_then(|text| text.lines().next())
            .unwrap_or_default()
            .trim()
            .to_owned();
        let mut inner = self.lock();
        if first != BOOTSTRAP {
            self.guest.violation(format!(
                "powershell.exe was started with something else than the bootstrap: `{first}`"
            ));
            let text = b"The lab is no PowerShell: it only knows the bootstrap.\r\n".to_vec();
            inner.say(self.guest.now(), Said::Err(text));
            return inner.end(self.guest.now(), 1);
        }
        for needed in [
            "-noprofile",
            "-noninteractive",
            "-inputformat none",
            "-outputformat text",
            "-executionpolicy bypass",
        ] {
            if !lower.join(" ").contains(needed) {
                self.guest
                    .violation(format!("the bootstrap was started without {needed}"));
            }
        }
        if !self.start.skip_cmd_shell {
            self.guest
                .violation("the bootstrap was started through cmd.exe".to_owned());
        }
        inner.mode = Mode::Bootstrap;
        if self.guest.faults.armed("clixml-noise").is_some() {
            inner.say(self.guest.now(), Said::Err(NOISE.as_bytes().to_vec()));
        }
    }

    /// What others than Reseal run: a line of `cmd.exe`, which may start a PowerShell of its own.
    fn command(&self) {
        let line = self.start.line();
        let now = self.guest.now();
        let ran = {
            let mut state = self.guest.state();
            Shell::new(&self.guest, &mut state, now, &self.start.user, &self.start.sid).run(line.trim())
        };
        let done = after(now, ran.seconds);
        let mut inner = self.lock();
        if !ran.out.is_empty() {
            inner.say(done, Said::Out(ran.out.into_bytes()));
        }
        if !ran.err.is_empty() {
            inner.say(done, Said::Err(ran.err.into_bytes()));
        }
        if ran.silent {
            return inner.say(done, Said::Nothing);
        }
        inner.end(done, ran.code);
    }

    /// Takes every whole frame from the input.
    fn digest(&self) {
        let mut inner = self.lock();
        loop {
            let mode = std::mem::replace(&mut inner.mode, Mode::Over);
            let (mode, went_on) = match mode {
                Mode::Bootstrap => self.bootstrap(&mut inner),
                Mode::Runner { known } => self.runner(&mut inner, known),
                Mode::Receiver => self.receiver(&mut inner),
                Mode::Over => (Mode::Over, false),
            };
            inner.mode = mode;
            if !went_on {
                return;
            }
        }
    }

    fn bootstrap(&self, inner: &mut Inner) -> (Mode, bool) {
        let Some(script) = inner.frame() else {
            return (Mode::Bootstrap, false);
        };
        let text = String::from_utf8_lossy(&script).into_owned();
        let first = text.lines().next().unwrap_or_default().trim().to_owned();
        let start = self
            .guest
            .faults
            .armed("slow-powershell")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0.6);
        let at = after(self.guest.now().max(inner.busy_until), start);
        inner.busy_until = at;
        match first.as_str() {
            "# reseal:runner/1" => {
                inner.say(at, Said::Out(line("ready", &self.about("runner"))));
                (Mode::Runner { known: BTreeSet::new() }, true)
            }
            "# reseal:receiver/1" => {
                inner.say(
                    at,
                    Said::Out(line("ready", &json!({"process": "receiver", "version": 1}))),
                );
                (Mode::Receiver, true)
            }
            other => {
                self.guest.violation(format!(
                    "the bootstrap was given a script that the lab does not know: `{other}`"
                ));
                inner.end(at, 1);
                (Mode::Over, false)
            }
        }
    }

    fn about(&self, process: &str) -> Value {
        let state = self.guest.state();
        let mut about = ops::transfer::about(&state, &self.start.sid, &self.guest.faults);
        about["process"] = process.into();
        about["version"] = 1.into();
        about
    }

    fn runner(&self, inner: &mut Inner, mut known: BTreeSet<String>) -> (Mode, bool) {
        let Some((header, script, input)) = inner.request() else {
            return (Mode::Runner { known }, false);
        };
        let op = header["op"].as_str().unwrap_or_default().to_owned();
        let at = self.guest.now().max(inner.busy_until);
        if op == "exit" {
            inner.end(at, 0);
            return (Mode::Over, false);
        }
        if self.guest.faults.strike("runner-dies").is_some() {
            inner.end(at, -1_073_741_510);
            return (Mode::Over, false);
        }
        let sha256 = header["sha256"].as_str().unwrap_or_default().to_owned();
        let fine = if script.is_empty() {
            known.contains(&sha256)
        } else {
            hash(&script) == sha256
        };
        let outcome = if fine {
            known.insert(sha256);
            self.operate(&op, &input, at)
        } else {
            ops::Outcome::failure(
                "invalid_input",
                "the script's SHA-256 is not that of the request, or is unknown here",
            )
        };
        let end = format!("##reseal:end:{}\r\n", header["id"]);
        self.answer(inner, at, &outcome, &end);
        (Mode::Runner { known }, true)
    }

    fn operate(&self, op: &str, input: &[u8], at: Timestamp) -> ops::Outcome {
        let mut state = self.guest.state();
        let mut cx = Cx::new(&self.guest, &mut state, at, &self.start.sid, false);
        ops::run(&mut cx, op, input)
    }

    fn answer(&self, inner: &mut Inner, at: Timestamp, outcome: &ops::Outcome, end: &str) {
        let done = after(at, outcome.seconds);
        for text in &outcome.log {
            inner.say(at, Said::Out(self.encoded(text)));
        }
        inner.busy_until = done;
        if outcome.then == Then::Silence {
            return inner.say(done, Said::Nothing);
        }
        let mut bytes = line("result", &outcome.answer);
        bytes.extend_from_slice(end.as_bytes());
        inner.say(done, Said::Out(bytes));
    }

    /// A line of log in the code page of the process.
    fn encoded(&self, text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        if self.guest.faults.armed("codepage").is_some() {
            // "Done" in Korean, in code page 949: not UTF-8.
            bytes.extend_from_slice(&[b' ', 0xbf, 0xcf, 0xb7, 0xe1]);
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    fn receiver(&self, inner: &mut Inner) -> (Mode, bool) {
        let Some((header, used)) = inner.header() else {
            return (Mode::Receiver, false);
        };
        let at = self.guest.now().max(inner.busy_until);
        if header["op"] == "exit" {
            inner.end(at, 0);
            return (Mode::Over, false);
        }
        let Some(body) = inner.body(&header, used) else {
            return (Mode::Receiver, false);
        };
        let Ok(mut body) = body else {
            self.guest
                .violation("a receiver was given a frame that it cannot read".to_owned());
            inner.end(at, 1);
            return (Mode::Over, false);
        };
        let altered = self.guest.faults.armed("raw-stdin-altered").is_some() || self.start.console_input;
        if altered && header["mode"] != "base64" {
            body.retain(|byte| *byte != 0x1a && *byte != b'\r');
        }
        let answer = self.store(&header, &body);
        let mut bytes = line("result", &answer);
        bytes.extend_from_slice(format!("##reseal:end:{}\r\n", header["id"]).as_bytes());
        inner.say(at, Said::Out(bytes));
        (Mode::Receiver, true)
    }

    fn store(&self, header: &Value, body: &[u8]) -> Value {
        let written = if header["mode"] == "self_test" { 0 } else { body.len() };
        if written > 0 {
            let mut state = self.guest.state();
            if let Err(failure) = ops::transfer::receive(&mut state, header, body, self.guest.now(), &self.guest.faults)
            {
                return failure.answer();
            }
        }
        json!({"ok": true, "result": {"written": written, "sha256": hash(body)}})
    }
}

const NOISE: &str = "#< CLIXML\r\n<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><Obj \
                     S=\"progress\" RefId=\"0\"><TN RefId=\"0\"><T>System.Management.Automation.PSCustomObject</T><T>System.Object</T>\
                     </TN><MS><I64 N=\"SourceId\">1</I64><PR N=\"Record\"><AV>Preparing modules for first use.</AV><AI>0</AI><Nil />\
                     <PI>-1</PI><PC>-1</PC><T>Completed</T><SR>-1</SR><SD> </SD></PR></MS></Obj></Objs>";

/// The script on a command line of `powershell.exe`.
fn encoded(words: &[String]) -> Option<String> {
    let at = words
        .iter()
        .position(|word| word.eq_ignore_ascii_case("-encodedcommand"))?;
    let bytes = BASE64_STANDARD.decode(words.get(at + 1)?).ok()?;
    from_utf16le(&bytes)
}

fn line(kind: &str, value: &Value) -> Vec<u8> {
    format!("##reseal:{kind}:{}\r\n", BASE64_STANDARD.encode(value.to_string())).into_bytes()
}

impl Inner {
    fn say(&mut self, at: Timestamp, said: Said) {
        let at = self.queue.back().map_or(at, |(last, _)| at.max(*last));
        self.queue.push_back((at, said));
    }

    fn end(&mut self, at: Timestamp, code: i32) {
        self.say(at, Said::Exit(code));
        self.mode = Mode::Over;
    }

    /// The length in front and that many bytes, when they are all there; taken from the input.
    fn frame(&mut self) -> Option<Vec<u8>> {
        let mut cursor = Cursor::new(&self.input);
        let length = usize::try_from(cursor.u32()?).ok()?;
        let frame = cursor.take(length.min(LARGEST))?.to_vec();
        self.input.drain(..4 + frame.len());
        Some(frame)
    }

    /// The header that the input begins with, and how many bytes it takes; nothing is taken yet.
    fn header(&self) -> Option<(Value, usize)> {
        let mut cursor = Cursor::new(&self.input);
        let length = usize::try_from(cursor.u32()?).ok()?;
        let header = cursor.take(length.min(LARGEST))?;
        Some((serde_json::from_slice(header).unwrap_or(Value::Null), 4 + header.len()))
    }

    fn request(&mut self) -> Option<(Value, Vec<u8>, Vec<u8>)> {
        let (header, used) = self.header()?;
        let size = |name: &str| {
            header[name]
                .as_u64()
                .and_then(|size| usize::try_from(size).ok())
                .unwrap_or(0)
        };
        let mut cursor = Cursor::new(self.input.get(used..)?);
        let script = cursor.take(size("script").min(LARGEST))?.to_vec();
        let input = cursor.take(size("input").min(LARGEST))?.to_vec();
        self.input.drain(..used + script.len() + input.len());
        Some((header, script, input))
    }

    /// A receiver's body, when it is all there; `Err` when it is not what the header says.
    fn body(&mut self, header: &Value, used: usize) -> Option<Result<Vec<u8>, ()>> {
        let length = header["length"]
            .as_u64()
            .and_then(|length| usize::try_from(length).ok());
        let Some(length) = length.filter(|length| *length <= LARGEST) else {
            return Some(Err(()));
        };
        let rest = self.input.get(used..)?;
        if header["mode"] != "base64" {
            let body = rest.get(..length)?.to_vec();
            self.input.drain(..used + length);
            return Some(Ok(body));
        }
        let (text, end) = lines_to_the_empty_one(rest)?;
        self.input.drain(..used + end);
        let body = BASE64_STANDARD.decode(text).ok().filter(|body| body.len() == length);
        Some(body.ok_or(()))
    }

    fn due(&mut self, now: Timestamp, most: usize) -> Option<Output> {
        let mut output = Output::default();
        while let Some((at, said)) = self.queue.front_mut() {
            if *at > now {
                break;
            }
            let room = most.saturating_sub(output.out.len() + output.err.len());
            let (target, bytes) = match said {
                Said::Out(bytes) => (&mut output.out, bytes),
                Said::Err(bytes) => (&mut output.err, bytes),
                Said::Exit(code) => {
                    output.exit = Some(*code);
                    return Some(output);
                }
                Said::Nothing => break,
            };
            if room == 0 {
                break;
            }
            target.extend(bytes.drain(..bytes.len().min(room)));
            if bytes.is_empty() {
                self.queue.pop_front();
            }
        }
        (!output.out.is_empty() || !output.err.is_empty()).then_some(output)
    }

    fn next(&self) -> Option<Timestamp> {
        self.queue.front().map(|(at, _)| *at)
    }
}

/// The text of all lines up to an empty line, and where that line ends.
fn lines_to_the_empty_one(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut text, mut at) = (Vec::new(), 0);
    loop {
        let rest = bytes.get(at..)?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line = rest.get(..end)?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        at += end + 1;
        if line.is_empty() {
            return Some((text, at));
        }
        text.extend_from_slice(line);
    }
}

#[async_trait]
impl Process for SimProcess {
    fn input(&self, bytes: &[u8], end: bool) -> Result<(), Fault> {
        {
            let mut inner = self.lock();
            if matches!(inner.mode, Mode::Over) {
                return Err(Fault::windows(109, "The pipe has been ended."));
            }
            inner.input.extend_from_slice(bytes);
        }
        self.digest();
        if end {
            let mut inner = self.lock();
            if !matches!(inner.mode, Mode::Over) {
                let at = inner.busy_until.max(self.guest.now());
                inner.end(at, 0);
            }
        }
        self.news.notify_waiters();
        Ok(())
    }

    async fn output(&self, most: usize, limit: Duration) -> Waited {
        let began = self.guest.now();
        loop {
            let news = self.news.notified();
            let now = self.guest.now();
            self.guest.millis();
            if self.run.is_cancelled() {
                return Waited::Gone;
            }
            let due = self.lock().due(now, most);
            if let Some(output) = due {
                return Waited::Output(output);
            }
            let passed = Duration::try_from(now.duration_since(began)).unwrap_or(Duration::ZERO);
            let Some(left) = limit.checked_sub(passed).filter(|left| !left.is_zero()) else {
                return Waited::Nothing;
            };
            if let Some(moment) = self.next_moment(now) {
                let wait = Duration::try_from(moment.duration_since(now)).unwrap_or(Duration::ZERO);
                self.guest.clock.sleep(wait.min(left)).await;
                continue;
            }
            tokio::select! {
                () = news => {}
                () = self.run.cancelled() => return Waited::Gone,
                () = idle(left) => return Waited::Nothing,
            }
        }
    }

    fn terminate(&self) {
        let mut inner = self.lock();
        inner.mode = Mode::Over;
        inner.queue.clear();
        inner.end(self.guest.now(), -1_073_741_510);
        self.news.notify_waiters();
    }
}

impl SimProcess {
    /// When something will be said without further input; the machine's going down counts, when the process waits
    /// for nothing else.
    fn next_moment(&self, now: Timestamp) -> Option<Timestamp> {
        let next = self.lock().next()?;
        if next > now {
            return Some(next);
        }
        // The process is silent until the machine goes down.
        let doom = self.guest.state().live.next_event();
        let shortly = now.checked_add(SignedDuration::from_secs(1)).unwrap_or(now);
        Some(doom.unwrap_or(shortly).max(after(now, 0.001)))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a limit of a socket's wait: only a client's next request can end it"
)]
async fn idle(limit: Duration) {
    tokio::time::sleep(limit).await;
}
