//! Processes that are real: a PowerShell engine behind the same endpoint.
//!
//! Tests use it to run the client's scripts on a real engine; nothing else in the lab does.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, mpsc};

use super::computer::{Output, Process, StartCommand, Waited};
use super::fault::Fault;

/// Starts engines in the place of `powershell.exe`.
#[derive(Debug, Clone)]
pub struct Engine {
    program: PathBuf,
}

impl Engine {
    /// The engine at `program`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
        }
    }

    /// Starts a command line that begins with `powershell.exe`.
    ///
    /// # Errors
    /// A fault for other programs, and when the engine does not start.
    pub fn start(&self, command: &StartCommand) -> Result<Arc<dyn Process>, Fault> {
        let mut words = split(&command.line()).into_iter();
        let program = words.next().unwrap_or_default().to_ascii_lowercase();
        if !(program == "powershell" || program.ends_with("powershell.exe")) {
            return Err(Fault::windows(2, "The system cannot find the file specified."));
        }
        let child = Command::new(&self.program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let child = child.map_err(|error| Fault::windows(1018, format!("the engine did not start: {error}")))?;
        Ok(Arc::new(Running::new(child)))
    }
}

#[derive(Default)]
struct Said {
    out: Vec<u8>,
    err: Vec<u8>,
    exit: Option<i32>,
}

struct Shared {
    said: Mutex<Said>,
    news: Notify,
}

struct Running {
    shared: Arc<Shared>,
    input: Mutex<Option<mpsc::UnboundedSender<Vec<u8>>>>,
    stop: Arc<Notify>,
}

impl Running {
    fn new(mut child: Child) -> Self {
        let shared = Arc::new(Shared {
            said: Mutex::default(),
            news: Notify::new(),
        });
        let stop = Arc::new(Notify::new());
        let (sender, mut receiver) = mpsc::unbounded_channel::<Vec<u8>>();
        if let Some(mut stdin) = child.stdin.take() {
            tokio::spawn(async move {
                while let Some(bytes) = receiver.recv().await {
                    if stdin.write_all(&bytes).await.is_err() || stdin.flush().await.is_err() {
                        break;
                    }
                }
            });
        }
        let out = pump(child.stdout.take(), Arc::clone(&shared), |said| &mut said.out);
        let err = pump(child.stderr.take(), Arc::clone(&shared), |said| &mut said.err);
        let (ended, stopped) = (Arc::clone(&shared), Arc::clone(&stop));
        tokio::spawn(async move {
            let status = tokio::select! {
                (status, (), ()) = async { tokio::join!(child.wait(), out, err) } => status,
                () = stopped.notified() => { drop(child.kill().await); child.wait().await }
            };
            ended.lock().exit = Some(status.ok().and_then(|status| status.code()).unwrap_or(-1));
            ended.news.notify_waiters();
        });
        Self {
            shared,
            input: Mutex::new(Some(sender)),
            stop,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, most: usize) -> Option<Output> {
        let mut said = self.lock();
        let out = said.out.len().min(most);
        let out: Vec<u8> = said.out.drain(..out).collect();
        let err = said.err.len().min(most.saturating_sub(out.len()));
        let err: Vec<u8> = said.err.drain(..err).collect();
        let exit = said.exit.filter(|_| said.out.is_empty() && said.err.is_empty());
        (exit.is_some() || !out.is_empty() || !err.is_empty()).then_some(Output { out, err, exit })
    }
}

async fn pump<R>(source: Option<R>, shared: Arc<Shared>, to: fn(&mut Said) -> &mut Vec<u8>)
where
    R: AsyncRead + Unpin,
{
    let Some(mut source) = source else { return };
    let mut buffer = vec![0; 65_536];
    while let Ok(count @ 1..) = source.read(&mut buffer).await {
        to(&mut shared.lock()).extend_from_slice(buffer.get(..count).unwrap_or_default());
        shared.news.notify_waiters();
    }
}

#[async_trait]
impl Process for Running {
    fn input(&self, bytes: &[u8], end: bool) -> Result<(), Fault> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = input.as_ref().is_some_and(|input| input.send(bytes.to_vec()).is_ok());
        if end {
            *input = None;
        }
        if sent {
            Ok(())
        } else {
            Err(Fault::windows(109, "The pipe has been ended."))
        }
    }

    async fn output(&self, most: usize, limit: Duration) -> Waited {
        let waiting = async {
            loop {
                let news = self.shared.news.notified();
                if let Some(output) = self.shared.take(most) {
                    return output;
                }
                news.await;
            }
        };
        match tokio::time::timeout(limit, waiting).await {
            Ok(output) => Waited::Output(output),
            Err(_) => Waited::Nothing,
        }
    }

    fn terminate(&self) {
        self.stop.notify_one();
    }
}

/// Splits a command line as Windows programs do: blanks separate, double quotes hold together, `\"` is a quote.
pub fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&'"') => word.extend(characters.next()),
            '"' => (quoted, begun) = (!quoted, true),
            ' ' | '\t' if !quoted => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            other => word.push(other),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_together() {
        assert_eq!(split(r#"a "b c"  d\"e "" "#), ["a", "b c", "d\"e", ""]);
    }
}
