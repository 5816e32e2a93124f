//! From facts to findings: what the wrapper takes back by itself is no finding.

use super::facts::{Facts, Sum};
use super::rules::RULES;
use crate::rule::{Finding, Findings, Severity};

/// What the build will still remove by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The account that the wrapper removes with its profile.
    pub build_account: Option<String>,
    /// How the names of the build's own tasks begin, which go before the machine does.
    pub own_tasks: String,
}

/// All findings, the worst first.
pub fn judge(facts: &Facts, options: &Options) -> Vec<Finding> {
    let mut found = Findings::new(RULES);
    for row in [
        accounts, way_in, policies, tasks, secrets, traces, identity, ballast, unknown,
    ] {
        row(facts, options, &mut found);
    }
    found.sorted()
}

fn undone(facts: &Facts, kind: &str, name: &str) -> bool {
    let undo = facts.undo.as_deref().unwrap_or_default();
    undo.iter()
        .any(|entry| entry.kind == kind && entry.name.eq_ignore_ascii_case(name))
}

fn listed(names: &[String]) -> String {
    match names {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        all => all.join(", "),
    }
}

/// Adds one finding for all names, if there are any.
fn add_all(found: &mut Findings, code: &'static str, severity: Severity, what: &str, names: Option<&[String]>) {
    let names = names.unwrap_or_default();
    if !names.is_empty() {
        found.add(code, severity, format!("{what}: {}", listed(names)));
    }
}

fn accounts(facts: &Facts, options: &Options, found: &mut Findings) {
    let own = options.build_account.as_deref().unwrap_or_default();
    let other = |name: &&String| !name.eq_ignore_ascii_case(own);
    let accounts: Vec<String> = facts.accounts.iter().flatten().filter(other).cloned().collect();
    let what = "accounts of a build stay in the image";
    add_all(found, "H001", Severity::Warning, what, Some(&accounts));
    let leaf = |path: &String| path.rsplit(['\\', '/']).next().unwrap_or_default().to_owned();
    let not_own = |path: &&String| !leaf(path).eq_ignore_ascii_case(own);
    let profiles: Vec<String> = facts.profiles.iter().flatten().filter(not_own).cloned().collect();
    let what = "profiles of a build's accounts stay in the image";
    add_all(found, "H002", Severity::Warning, what, Some(&profiles));
}

fn way_in(facts: &Facts, _: &Options, found: &mut Findings) {
    let certificates = facts.certificates.iter().flatten();
    for certificate in certificates.filter(|one| !undone(facts, "certificate", &one.thumbprint)) {
        let message = format!(
            "every machine made of the image has the private key of {} ({})",
            certificate.subject, certificate.thumbprint
        );
        found.add("H003", Severity::Warning, message);
    }
    let recorded = facts.undo.iter().flatten().any(|entry| entry.kind == "listener");
    let https = facts.listeners.iter().flatten();
    for listener in https.filter(|one| one.transport.eq_ignore_ascii_case("HTTPS") && !recorded) {
        let message = format!("WinRM listens over HTTPS at port {}", listener.port);
        found.add("H004", Severity::Warning, message);
    }
    let rules: Vec<String> = facts.firewall_rules.iter().flatten().cloned().collect();
    let left: Vec<String> = rules
        .into_iter()
        .filter(|name| !undone(facts, "firewall", name))
        .collect();
    let what = "firewall rules of a build stay in the image";
    add_all(found, "H005", Severity::Warning, what, Some(&left));
}

fn policies(facts: &Facts, _: &Options, found: &mut Findings) {
    let winrm = facts.winrm.unwrap_or_default();
    if winrm.basic {
        found.add("H006", Severity::Warning, "WinRM accepts Basic authentication");
    }
    if winrm.unencrypted {
        found.add("H006", Severity::Warning, "WinRM accepts unencrypted requests");
    }
    if facts.token_filter == Some(true) && !undone(facts, "value", "LocalAccountTokenFilterPolicy") {
        let message = "local administrators keep their full token over the network (LocalAccountTokenFilterPolicy)";
        found.add("H007", Severity::Warning, message);
    }
}

fn tasks(facts: &Facts, options: &Options, found: &mut Findings) {
    let own = |name: &String| !options.own_tasks.is_empty() && name.starts_with(&options.own_tasks);
    let tasks = facts.tasks.iter().flatten();
    let left: Vec<String> = tasks
        .filter(|name| !own(name) && !undone(facts, "task", name))
        .cloned()
        .collect();
    let what = "scheduled tasks of a build stay in the image";
    add_all(found, "H008", Severity::Warning, what, Some(&left));
    let what = "commands run at the next logon";
    add_all(found, "H009", Severity::Warning, what, facts.first_boot.as_deref());
}

fn secrets(facts: &Facts, _: &Options, found: &mut Findings) {
    for file in facts.answer_files.iter().flatten() {
        if file.secret {
            found.add("H010", Severity::Error, format!("{} has a password", file.path));
        } else {
            found.add(
                "H011",
                Severity::Warning,
                format!("{} is an old answer file", file.path),
            );
        }
    }
    let (passwords, rest): (Vec<String>, Vec<String>) = facts
        .winlogon
        .iter()
        .flatten()
        .cloned()
        .partition(|name| name.eq_ignore_ascii_case("DefaultPassword"));
    let what = "the password of the automatic logon is in the registry";
    add_all(found, "H012", Severity::Error, what, Some(&passwords));
    add_all(found, "H013", Severity::Warning, "automatic logon is on", Some(&rest));
    let what = "every machine made of the image has the same SSH host keys";
    add_all(found, "H014", Severity::Warning, what, facts.ssh_host_keys.as_deref());
}

fn traces(facts: &Facts, _: &Options, found: &mut Findings) {
    let what = "PowerShell's history tells what was typed";
    add_all(found, "H015", Severity::Warning, what, facts.histories.as_deref());
    let what = "transcripts tell what scripts did";
    add_all(found, "H016", Severity::Warning, what, facts.transcripts.as_deref());
    if let Some(count) = facts.script_events.filter(|count| *count > 0) {
        let message = format!("PowerShell's event log has {count} events, which may hold whole scripts");
        found.add("H017", Severity::Info, message);
    }
    for files in facts.user_files.iter().flatten() {
        let message = format!(
            "{} files of a user are in {} ({})",
            files.files,
            files.folder,
            size(files.bytes)
        );
        found.add("H018", Severity::Info, message);
    }
    let what = "the hosts file was changed";
    add_all(found, "H019", Severity::Info, what, facts.hosts.as_deref());
}

fn identity(facts: &Facts, _: &Options, found: &mut Findings) {
    let what = "Cloudbase-Init remembers machines and would leave clones alone";
    add_all(found, "H020", Severity::Warning, what, facts.cloudbase_state.as_deref());
    let what = "WSUS would take all clones for one machine";
    add_all(found, "H021", Severity::Warning, what, facts.wsus.as_deref());
    for agent in facts.agents.iter().flatten() {
        let message = format!("{} keeps this machine's identity ({})", agent.name, agent.path);
        found.add("H022", Severity::Warning, message);
    }
}

/// Less than this is not worth a word.
const WORTH: u64 = 64 << 20;

fn ballast(facts: &Facts, _: &Options, found: &mut Findings) {
    let worth = |sum: Option<Sum>| sum.filter(|sum| sum.bytes >= WORTH);
    if let Some(sum) = worth(facts.temp) {
        let message = format!("{} temporary files take {}", sum.files, size(sum.bytes));
        found.add("H023", Severity::Info, message);
    }
    let what = "memory dumps may hold secrets";
    add_all(found, "H024", Severity::Warning, what, facts.dumps.as_deref());
    if let Some(sum) = worth(facts.update_cache) {
        let message = format!("downloads of Windows Update take {}", size(sum.bytes));
        found.add("H025", Severity::Info, message);
    }
    if let Some(sum) = worth(facts.logs) {
        found.add("H026", Severity::Info, format!("old logs take {}", size(sum.bytes)));
    }
    let what = "an older Windows is on the disk";
    add_all(found, "H027", Severity::Warning, what, facts.upgrade_folders.as_deref());
    if facts.hibernation == Some(true) {
        found.add("H028", Severity::Info, "the hibernation file is in the image");
    }
}

fn size(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

fn unknown(facts: &Facts, _: &Options, found: &mut Findings) {
    for problem in &facts.problems {
        let message = format!("`{}` could not be read: {}", problem.fact, problem.message);
        found.add("H029", Severity::Info, message);
    }
}
