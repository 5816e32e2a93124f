//! `preflight`: whether sysprep would succeed on any guest that WinRM reaches, outside of a build.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::PossibleValuesParser;
use reseal_guest::preflight::{Finding, Options, Remedy, Severity, judge};
use reseal_guest::system::{FixResult, Fixes, Preflight as Facts, PreflightFix, PreflightUndo, Query, UndoneChange};
use reseal_machine::communicator::{Script, Silent};
use reseal_machine::{Clock, CommError, Communicator};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::console::Console;
use crate::console::text::{pad, plural, tame};
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::wiring::{self, Guest, GuestTrust};

/// The variable that the password is taken from.
const PASSWORD: &str = "RESEAL_GUEST_PASSWORD";

/// `preflight`. The password comes from `RESEAL_GUEST_PASSWORD`, from standard input, or from a question; never from the
/// command line.
#[derive(Debug, Args)]
pub struct Preflight {
    /// The guest: a name or an address.
    pub host: String,
    /// WinRM's port; 5986, or 5985 with `-http`.
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// The account: an administrator; its password comes from `RESEAL_GUEST_PASSWORD`, standard input, or a question.
    #[arg(
        long,
        value_name = "NAME",
        env = "RESEAL_GUEST_USER",
        default_value = "Administrator"
    )]
    pub user: String,
    /// Basic instead of Negotiate; only over TLS.
    #[arg(long, conflicts_with = "http")]
    pub basic: bool,
    /// How far to trust the guest.
    #[command(flatten)]
    pub trust: TrustArgs,
    /// Cure what can be cured safely (with commas); nothing else is changed.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = PossibleValuesParser::new(NAMES))]
    pub fix: Vec<String>,
    /// Take back what `-fix` has changed for a while; nothing else is asked or done.
    #[arg(long, conflicts_with_all = ["fix", "accept"])]
    pub undo: bool,
    /// Take findings with these codes as they are (with commas).
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub accept: Vec<String>,
}

/// How far to trust the guest.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct TrustArgs {
    /// Plain HTTP; every message is sealed by the log-in.
    #[arg(long)]
    pub http: bool,
    /// Believe exactly the certificate with this SHA-256.
    #[arg(long, value_name = "SHA256")]
    pub pin: Option<String>,
    /// Believe certificates that an authority in this PEM file has signed.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Believe any certificate: whoever sits in between can read the password.
    #[arg(long)]
    pub insecure: bool,
}

/// The cures by name, as in a spec's `generalize: { fix: […] }`.
const NAMES: [&str; 7] = [
    "appx",
    "bitlocker",
    "services",
    "store",
    "answer_files",
    "reserved_storage",
    "providers",
];

const FIXES: [Fixes; 7] = [
    Fixes::Appx,
    Fixes::Bitlocker,
    Fixes::Services,
    Fixes::Store,
    Fixes::AnswerFiles,
    Fixes::ReservedStorage,
    Fixes::Providers,
];

/// Why there is nothing to show.
enum Unasked {
    /// The guest cannot be asked.
    Guest(CommError),
    /// It says no.
    Refused(String),
}

/// What was done and found.
struct Report {
    computer: String,
    findings: Vec<Finding>,
    fixed: Vec<FixResult>,
}

/// Asks a guest everything that would make sysprep fail, cures what was asked for, and shows what is left.
pub(super) async fn preflight(command: &Preflight, env: &Env, console: &Console) -> Exit {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(1));
    let password = match password(command, env, console) {
        Ok(password) => password,
        Err(error) => {
            console.error(&format!("no password: {error}"), &[format!("set {PASSWORD}")]);
            return Exit::Input;
        }
    };
    let guest = match wiring::guest(guest(command, password), Arc::clone(&clock), &console.scrubber) {
        Ok(guest) => guest,
        Err(why) => {
            console.error(&why, &[]);
            return Exit::Input;
        }
    };
    let asked = if command.undo {
        undo(guest.as_ref(), console).await
    } else {
        let asked = ask(guest.as_ref(), clock.as_ref(), command).await;
        asked.map(|report| show(&report, console))
    };
    guest.disconnect().await;
    match asked {
        Ok(exit) => exit,
        Err(Unasked::Guest(error)) => {
            console.error(&format!("{}: {error}", command.host), &hints(&error));
            Exit::Unreachable
        }
        Err(Unasked::Refused(why)) => {
            console.error(
                &format!("{}: the guest does not answer the question: {why}", command.host),
                &[],
            );
            Exit::Unreachable
        }
    }
}

fn password(command: &Preflight, env: &Env, console: &Console) -> std::io::Result<SecretString> {
    match env.get(PASSWORD) {
        Some(password) => Ok(SecretString::from(password)),
        None => console.secret(&format!("Password of {} on {}: ", command.user, command.host)),
    }
}

fn guest(command: &Preflight, password: SecretString) -> Guest {
    let trust = &command.trust;
    let judged = match (&trust.pin, &trust.ca) {
        (Some(pin), _) => GuestTrust::Pinned(pin.clone()),
        (_, Some(file)) => GuestTrust::Ca(file.clone()),
        _ if trust.http => GuestTrust::Http,
        _ if trust.insecure => GuestTrust::Insecure,
        _ => GuestTrust::System,
    };
    Guest {
        host: command.host.clone(),
        port: command.port.unwrap_or(if trust.http { 5985 } else { 5986 }),
        trust: judged,
        basic: command.basic,
        username: command.user.clone(),
        password,
    }
}

async fn ask(guest: &dyn Communicator, clock: &dyn Clock, command: &Preflight) -> Result<Report, Unasked> {
    let probe = guest.probe().await.map_err(Unasked::Guest)?;
    let mut findings = look(guest, clock, command).await?;
    let wanted: Vec<Fixes> = NAMES
        .into_iter()
        .zip(FIXES)
        .filter(|(name, fix)| {
            command.fix.iter().any(|wanted| wanted == name) && findings.iter().any(|one| cure(one) == Some(*fix))
        })
        .map(|(_, fix)| fix)
        .collect();
    let mut fixed = Vec::new();
    if !wanted.is_empty() {
        fixed = one(guest, &PreflightFix::new(wanted)).await?.fixes;
        findings = look(guest, clock, command).await?;
    }
    Ok(Report {
        computer: probe.computer_name,
        findings,
        fixed,
    })
}

/// Takes back what an earlier `-fix` has changed for a while.
async fn undo(guest: &dyn Communicator, console: &Console) -> Result<Exit, Unasked> {
    let computer = guest.probe().await.map_err(Unasked::Guest)?.computer_name;
    let changes = one(guest, &PreflightUndo::default()).await?.changes;
    let left = changes.iter().filter(|change| !change.done).count();
    if console.is_json() {
        let fields = json!({"ok": left == 0, "computer": computer, "undone": changes});
        console.document("preflight", fields);
    } else {
        for line in undone(&computer, &changes) {
            console.line(&line);
        }
    }
    Ok(if left == 0 { Exit::Ok } else { Exit::Leftovers })
}

fn undone(computer: &str, changes: &[UndoneChange]) -> Vec<String> {
    if changes.is_empty() {
        return vec![format!("{computer}: there is nothing to take back")];
    }
    let line = |change: &UndoneChange| {
        let done = if change.done { "taken back" } else { "not taken back" };
        let (fix, path, name) = (change.fix.as_str(), tame(&change.path), tame(&change.name));
        format!("{done}: {fix}: {name} under {path}: {}", tame(&change.detail))
    };
    changes.iter().map(line).collect()
}

async fn look(guest: &dyn Communicator, clock: &dyn Clock, command: &Preflight) -> Result<Vec<Finding>, Unasked> {
    let facts = one(guest, &Facts::default()).await?;
    let options = Options {
        now_epoch: Some(clock.now().as_second()),
        accept: command.accept.clone(),
        ..Options::default()
    };
    Ok(judge(&facts, &options))
}

async fn one<Q: Query>(guest: &dyn Communicator, query: &Q) -> Result<Q::Answer, Unasked> {
    let script = Script {
        name: Q::SCRIPT.name,
        text: Q::SCRIPT.text,
    };
    let input = SecretString::from(query.input().to_string());
    let answer = guest.invoke(script, &input, &Silent, &CancellationToken::new()).await;
    Q::read(&answer.map_err(Unasked::Guest)?).map_err(|failure| Unasked::Refused(failure.message))
}

/// The cure that can be asked for.
fn cure(finding: &Finding) -> Option<Fixes> {
    match finding.remedy {
        Some(Remedy::Fix(fix)) => Some(fix),
        _ => None,
    }
}

/// Sysprep would fail now: also what only has to be waited for is in its way.
fn blocks(finding: &Finding) -> bool {
    finding.severity >= Severity::Wait
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Wait => "wait",
        Severity::Error => "error",
    }
}

fn show(report: &Report, console: &Console) -> Exit {
    let blockers = report.findings.iter().filter(|finding| blocks(finding)).count();
    if console.is_json() {
        console.document("preflight", document(report, blockers));
    } else {
        for line in lines(report, blockers) {
            console.line(&line);
        }
    }
    if blockers == 0 { Exit::Ok } else { Exit::Sysprep }
}

/// What was changed for a while only, which nobody but the user takes back: this is no build.
fn stays(report: &Report) -> Vec<&'static str> {
    let changed = report.fixed.iter().filter(|result| result.changed);
    changed.filter_map(|result| result.fix.leaves()).collect()
}

fn document(report: &Report, blockers: usize) -> Value {
    let findings = report.findings.iter().map(|finding| {
        json!({
            "code": finding.code, "severity": word(finding.severity), "blocks": blocks(finding),
            "message": finding.message, "cure": finding.cure, "fix": cure(finding).map(Fixes::as_str),
        })
    });
    json!({
        "ok": blockers == 0, "computer": report.computer, "blockers": blockers,
        "findings": findings.collect::<Vec<_>>(), "fixed": report.fixed, "stays": stays(report),
    })
}

fn lines(report: &Report, blockers: usize) -> Vec<String> {
    let mut lines: Vec<String> = report.fixed.iter().map(fixed).collect();
    for finding in &report.findings {
        lines.push(format!(
            "{}  {}  {}",
            pad(word(finding.severity), 7),
            finding.code,
            tame(&finding.message)
        ));
        if finding.severity > Severity::Info {
            lines.push(format!("{}  cure: {}", pad("", 7), finding.cure));
        }
        if let Some(fix) = cure(finding).filter(|_| finding.severity > Severity::Info) {
            lines.push(format!("{}  `-fix {}` does it", pad("", 7), fix.as_str()));
        }
    }
    for what in stays(report) {
        lines.push(format!(
            "left in the guest: {what}; `-undo` instead of `-fix` takes that back"
        ));
    }
    lines.push(match blockers {
        0 => format!("{}: sysprep can succeed", report.computer),
        count => format!("{}: sysprep would fail: {}", report.computer, plural(count, "blocker")),
    });
    lines
}

fn fixed(result: &FixResult) -> String {
    let done = if result.done { "cured" } else { "not cured" };
    format!("{done}: {}: {}", result.fix.as_str(), tame(&result.detail))
}

fn hints(error: &CommError) -> Vec<String> {
    let hint = match error {
        CommError::Tls(_) => {
            "`-pin SHA256` believes exactly one certificate, `-ca FILE` an authority, `-insecure` any of them"
        }
        CommError::Auth(_) => {
            "an account other than the built-in Administrator needs LocalAccountTokenFilterPolicy = 1"
        }
        CommError::Unreachable(_) => {
            "WinRM listens at 5986 (https) or 5985 (`-http`); firewalls and security groups may be between"
        }
        _ => return vec![],
    };
    vec![hint.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    use crate::cli::{Arguments, Command};

    #[test]
    fn names_and_fixes_are_the_same_list() {
        let named: Vec<&str> = FIXES.into_iter().map(Fixes::as_str).collect();
        assert_eq!(named, NAMES);
    }

    #[test]
    fn trust_is_one_of_its_kinds() {
        let parse = |words: &str| {
            let words = words.split(' ').map(std::ffi::OsString::from).collect();
            Arguments::try_parse_from(crate::cli::args::with_two_dashes(words))
        };
        let parsed = parse("reseal preflight 10.0.0.1 -http -fix appx,store").unwrap();
        let Command::Preflight(command) = parsed.command else {
            panic!("another command")
        };
        let guest = guest(&command, SecretString::from("x"));
        assert_eq!((guest.port, guest.username.as_str()), (5985, "Administrator"));
        assert_eq!(command.fix, ["appx", "store"]);
        assert!(parse("reseal preflight h -http -insecure").is_err());
        assert!(parse("reseal preflight h -undo -fix store").is_err());
        assert!(parse("reseal preflight h -fix everything").is_err());
        assert!(parse("reseal preflight h -password x").is_err());
    }
}
