//! U020 and U025: accounts and automatic log-on.

use super::template;
use crate::catalogue::is_true;
use crate::document::{AnswerFile, Entry};
use crate::finding::Finding;
use crate::password;
use crate::placeholder::is_template;
use crate::target::Pass;
use crate::xml::{self, name_span, text_span};
use roxmltree::Node;

const SHELL: &str = "Microsoft-Windows-Shell-Setup";

/// Checks accounts.
pub(super) fn check(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    for entry in file.everywhere(SHELL, "UserAccounts/LocalAccounts/LocalAccount[]") {
        check_account(file, &entry, findings);
    }
    for entry in file.everywhere(SHELL, "AutoLogon") {
        check_logon(file, &entry, findings);
    }
}

fn check_account(file: &AnswerFile<'_, '_>, entry: &Entry<'_, '_>, findings: &mut Vec<Finding>) {
    let Some(node) = xml::child(entry.node, "Name") else {
        return;
    };
    let name = xml::text(node).trim().to_owned();
    if name.is_empty() || is_template(&name) {
        return;
    }
    let place = text_span(node);
    if let Some(fault) = account_fault(&name) {
        findings.push(
            Finding::error(
                "U025",
                place,
                format!("`{name}` cannot be the name of an account: {fault}"),
            )
            .help("the account cannot be made, and Setup stops in the oobeSystem pass"),
        );
    }
    findings.extend(check_groups(entry.node));
    let computer = file.text(Pass::Specialize, SHELL, "ComputerName");
    if computer.is_some_and(|computer| computer.eq_ignore_ascii_case(&name)) {
        findings.push(
            Finding::warning("U025", place, "account and computer have the same name")
                .help("Windows refuses an account that is named like its computer"),
        );
    }
}

/// No group has a comma in its name, and semicolons separate them.
fn check_groups(account: Node<'_, '_>) -> Option<Finding> {
    let node = xml::child(account, "Group")?;
    let text = xml::text(node);
    let place = text_span(node);
    (text.contains(',') && !is_template(&text)).then(|| {
        let groups: Vec<&str> = text.split([',', ';']).map(str::trim).collect();
        Finding::warning("U025", place, "groups are separated by semicolons, not by commas")
            .help("with a comma the whole is taken for the name of one group")
            .suggest(place, groups.join(";"), "separate them so")
    })
}

/// What Windows has against the name of an account.
pub(crate) fn account_fault(name: &str) -> Option<String> {
    const REFUSED: &str = "\"/\\[]:;|=,+*?<>@%";
    if let Some(bad) = name.chars().find(|c| REFUSED.contains(*c) || c.is_control()) {
        return Some(format!("`{bad}` is not allowed"));
    }
    let length = name.encode_utf16().count();
    if length > 20 {
        return Some(format!("it has {length} characters, and 20 are allowed"));
    }
    if name.chars().all(|c| c == '.' || c == ' ') {
        return Some("it has nothing but dots and blanks".to_owned());
    }
    name.eq_ignore_ascii_case("NONE")
        .then(|| "Windows keeps it for itself".to_owned())
}

fn check_logon(file: &AnswerFile<'_, '_>, entry: &Entry<'_, '_>, findings: &mut Vec<Finding>) {
    let enabled = xml::text_at(entry.node, "Enabled").is_none_or(|text| is_true(&text) || is_template(&text));
    if !enabled {
        return;
    }
    if xml::child(entry.node, "LogonCount").is_none() {
        findings.push(
            Finding::hint("U020", name_span(entry.node), "`AutoLogon` without `LogonCount`")
                .help("Windows logs on again and again; give a count unless that is wanted"),
        );
    }
    if xml::child(entry.node, "Username").is_none() && !template::chooses(entry.node) {
        findings.push(
            Finding::warning("U028", name_span(entry.node), "`AutoLogon` has no `Username`")
                .help("Windows does not know whom to log on"),
        );
    }
    let Some(user) = xml::text_at(entry.node, "Username").filter(|user| !is_template(user)) else {
        return;
    };
    let Some(account) = owner(file, entry.pass, &user) else {
        findings.extend(check_exists(file, entry, &user));
        return;
    };
    check_same_password(entry, account, &user, findings);
}

/// The element below which the password of an account is set.
fn owner<'a, 'i>(file: &AnswerFile<'a, 'i>, pass: Pass, user: &str) -> Option<Node<'a, 'i>> {
    let same = |node: &Node<'_, '_>| xml::text_at(*node, "Name").is_some_and(|name| name.eq_ignore_ascii_case(user));
    let mut accounts = file
        .at(pass, SHELL, "UserAccounts/LocalAccounts/LocalAccount[]")
        .map(|entry| entry.node);
    if let Some(account) = accounts.find(same) {
        return xml::child(account, "Password");
    }
    if !user.eq_ignore_ascii_case("Administrator") {
        return None;
    }
    file.at(pass, SHELL, "UserAccounts/AdministratorPassword")
        .map(|entry| entry.node)
        .next()
}

/// On a machine installed from media there is nobody yet but those whom the file makes.
fn check_exists(file: &AnswerFile<'_, '_>, entry: &Entry<'_, '_>, user: &str) -> Option<Finding> {
    let mut made = file
        .at(entry.pass, SHELL, "UserAccounts/LocalAccounts/LocalAccount[]")
        .filter_map(|account| xml::text_at(account.node, "Name"))
        .peekable();
    made.peek()?;
    let lower = user.to_lowercase();
    let of_a_domain = lower.contains(['\\', '@']) || xml::text_at(entry.node, "Domain").is_some();
    // The built-in account has other names in other languages.
    let elsewhere = of_a_domain || lower.starts_with("admin") || !lower.is_ascii();
    let known = made.any(|name| name.to_lowercase() == lower || is_template(&name));
    let installs = file.has_pass(Pass::WindowsPe) && entry.pass == Pass::OobeSystem;
    if elsewhere || known || !installs || stands_in_a_command(file, &lower) {
        return None;
    }
    let place = xml::child(entry.node, "Username").map_or(name_span(entry.node), text_span);
    Some(
        Finding::warning("U025", place, format!("the file makes no account `{user}`"))
            .help("the automatic log-on fails unless the image has it already"),
    )
}

/// Whether a command may make the account.
fn stands_in_a_command(file: &AnswerFile<'_, '_>, user: &str) -> bool {
    file.entries
        .iter()
        .filter(|entry| ["Path", "CommandLine"].contains(&entry.setting.name))
        .any(|entry| xml::text(entry.node).to_lowercase().contains(user))
}

fn check_same_password(entry: &Entry<'_, '_>, account: Node<'_, '_>, user: &str, findings: &mut Vec<Finding>) {
    let Some(own) = xml::child(entry.node, "Password") else {
        return;
    };
    let (Some(here), Some(there)) = (clear(own), clear(account)) else {
        return;
    };
    if here != there {
        let place = xml::child(own, "Value").map_or(name_span(own), text_span);
        let other = xml::child(account, "Value").map_or(name_span(account), text_span);
        findings.push(
            Finding::warning(
                "U025",
                place,
                format!("`{user}` gets another password than the automatic log-on uses"),
            )
            .related(other, "the account's password"),
        );
    }
}

/// The password itself, if it can be told.
fn clear(node: Node<'_, '_>) -> Option<String> {
    let value = xml::text(xml::child(node, "Value")?).trim().to_owned();
    if is_template(&value) {
        return None;
    }
    if xml::text_at(node, "PlainText").is_none_or(|text| is_true(&text)) {
        return Some(value);
    }
    let suffix = password::suffix(node.tag_name().name());
    password::decode(&value)?.strip_suffix(suffix).map(str::to_owned)
}
