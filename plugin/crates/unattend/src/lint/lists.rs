//! U009: items of lists, their action and what tells them apart.

use std::collections::{HashMap, HashSet};

use reseal_diag::{Span, nearest};
use roxmltree::NodeId;

use super::template;
use crate::catalogue::{Kind, Setting};
use crate::document::{AnswerFile, Entry};
use crate::finding::Finding;
use crate::placeholder::is_template;
use crate::xml::{self, WCM, name_span, span, text_span};

/// Checks all items.
pub(super) fn check(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    let mut seen: HashMap<(NodeId, &'static str, String), Span> = HashMap::new();
    let items = || file.entries.iter().filter(|entry| entry.setting.kind == Kind::Item);
    let with_action: HashSet<&str> = items()
        .filter(|entry| xml::wcm(entry.node, "action").is_some())
        .map(|entry| entry.setting.name)
        .collect();
    for entry in items() {
        check_action(entry, &with_action, findings);
        check_key(entry, &mut seen, findings);
    }
}

fn check_action(entry: &Entry<'_, '_>, with_action: &HashSet<&str>, findings: &mut Vec<Finding>) {
    let Some(action) = xml::wcm(entry.node, "action") else {
        findings.push(missing_action(entry, with_action.contains(entry.setting.name)));
        return;
    };
    let known = ["add", "modify", "remove"];
    if known.contains(&action.value()) || is_template(action.value()) {
        return;
    }
    let place = span(action.range_value());
    let finding = Finding::error("U009", place, format!("there is no action `{}`", action.value()));
    findings.push(match nearest(action.value(), known) {
        Some(near) => finding.fix(place, near, format!("write `{near}`")),
        None => finding.help("actions are `add`, `modify` and `remove`"),
    });
}

/// `odd` says that other items of its name have an action.
fn missing_action(entry: &Entry<'_, '_>, odd: bool) -> Finding {
    let (node, setting) = (entry.node, entry.setting);
    let place = name_span(node);
    let bare = node.attributes().find(|one| one.name().eq_ignore_ascii_case("action"));
    let prefix = node.lookup_prefix(WCM);
    if let (Some(bare), Some(prefix)) = (bare, prefix) {
        let place = span(bare.range_qname());
        return Finding::warning("U009", place, format!("`{}` is not `wcm:action`", bare.name())).fix(
            place,
            format!("{prefix}:action"),
            "put it into its namespace",
        );
    }
    let said = format!("`{}` has no `wcm:action`", setting.name);
    let finding = if works_bare(entry, odd) {
        Finding::hint("U009", place, said)
    } else {
        Finding::warning("U009", place, said)
    };
    let finding = finding.help("write `wcm:action=\"add\"`; without it Setup may not take it for an item of the list");
    match prefix {
        Some(prefix) => {
            let end = Span::new(place.end, place.end);
            finding.fix(end, format!(" {prefix}:action=\"add\""), "add it")
        }
        None => finding.help(format!("declare the prefix on the root element: `xmlns:wcm=\"{WCM}\"`")),
    }
}

/// Lists that work without it. Disks and images are in daily use so, from Windows 7 to Server 2016 at least; commands, of
/// which none has it, in the files of two hypervisors' installers; offline accounts in the reference's own example.
fn works_bare(entry: &Entry<'_, '_>, odd: bool) -> bool {
    let path = entry.setting.path;
    if path.starts_with("Run") {
        return !odd;
    }
    entry.component.name == "Microsoft-Windows-Setup" || path.starts_with("OfflineUserAccounts/")
}

fn check_key(
    entry: &Entry<'_, '_>,
    seen: &mut HashMap<(NodeId, &'static str, String), Span>,
    findings: &mut Vec<Finding>,
) {
    let Some(key_name) = entry.setting.list_key else { return };
    let Some((value, place)) = key(entry, key_name) else {
        findings.extend(missing_key(entry, key_name));
        return;
    };
    let adds = xml::wcm(entry.node, "action").is_none_or(|action| action.value() == "add");
    let parent = entry.node.parent().filter(|parent| !template::chooses(*parent));
    let Some(parent) = parent
        .map(|parent| parent.id())
        .filter(|_| adds && !value.is_empty() && !is_template(&value))
    else {
        return;
    };
    let plain = crate::catalogue::number(&value).map_or_else(|| value.to_lowercase(), |number| number.to_string());
    match seen.get(&(parent, entry.setting.path, plain.clone())) {
        Some(first) => findings.push(double(entry.setting, key_name, &value, place).related(*first, "the first one")),
        None => {
            seen.insert((parent, entry.setting.path, plain), place);
        }
    }
}

fn double(setting: &'static Setting, key: &str, value: &str, place: Span) -> Finding {
    let said = format!(
        "two items `{}` have the {} `{value}`",
        setting.name,
        key.trim_start_matches('@')
    );
    if is_certain(key) {
        Finding::error("U009", place, said).help("give each its own; Setup takes them for one and the same")
    } else {
        Finding::hint("U009", place, said)
    }
}

/// The reference says so of these; of other keys it is inferred.
fn is_certain(key: &str) -> bool {
    ["@wcm:keyValue", "Order", "Name"].contains(&key)
}

fn key(entry: &Entry<'_, '_>, key_name: &str) -> Option<(String, Span)> {
    if entry.setting.has_key_attribute() {
        let attribute = xml::wcm(entry.node, "keyValue")?;
        return Some((attribute.value().trim().to_owned(), span(attribute.range_value())));
    }
    let child = xml::child(entry.node, key_name)?;
    Some((xml::text(child).trim().to_owned(), text_span(child)))
}

fn missing_key(entry: &Entry<'_, '_>, key_name: &str) -> Option<Finding> {
    let removes = xml::wcm(entry.node, "action").is_some_and(|action| action.value() != "add");
    let inferred = ["DiskID", "Identifier"].contains(&key_name);
    if removes || template::chooses(entry.node) || !(is_certain(key_name) || key_name == "Key" || inferred) {
        return None;
    }
    let said = format!("`{}` has no `{}`", entry.setting.name, key_name.trim_start_matches('@'));
    let place = name_span(entry.node);
    Some(match key_name {
        "@wcm:keyValue" => Finding::warning("U009", place, said)
            .help("write `wcm:keyValue=\"…\"` with a value of its own for each item"),
        "Order" => Finding::error("U009", place, said).help("number the items from 1"),
        "DiskID" => Finding::warning("U009", place, said).help("say which disk is meant; the first is 0"),
        "Identifier" if entry.setting.name == "Interface" => Finding::warning("U009", place, said)
            .help("say which interface is meant: its name, or its MAC address with hyphens"),
        "Identifier" => Finding::hint("U009", place, said).help("number the items"),
        _ => Finding::error("U009", place, said).help("it is what tells the items apart"),
    })
}
