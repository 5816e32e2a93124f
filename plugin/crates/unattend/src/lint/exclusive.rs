//! U014: settings that shut each other out.

use roxmltree::Node;

use crate::catalogue::is_true;
use crate::document::AnswerFile;
use crate::finding::Finding;
use crate::xml::{self, name_span};

/// Checks all pairs.
pub(super) fn check(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    for entry in &file.entries {
        match (entry.component.name, entry.setting.path) {
            ("Microsoft-Windows-Deployment", "ExtendOSPartition") => extend_partition(entry.node, findings),
            ("Microsoft-Windows-UnattendedJoin", "Identification") => join(entry.node, findings),
            ("Microsoft-Windows-Setup", path) if path.ends_with("CreatePartition[]") => create(entry.node, findings),
            ("Microsoft-Windows-Setup", "ImageInstall/OSImage") => install_to(entry.node, findings),
            _ => {}
        }
    }
}

fn says_true(node: Node<'_, '_>, name: &str) -> bool {
    xml::text_at(node, name).is_some_and(|text| is_true(&text))
}

fn both<'a, 'i>(node: Node<'a, 'i>, one: &str, other: &str) -> Option<(Node<'a, 'i>, Node<'a, 'i>)> {
    let filled = |name| xml::child(node, name).filter(|_| xml::text_at(node, name).is_some());
    filled(one).zip(filled(other))
}

fn clash(first: Node<'_, '_>, second: Node<'_, '_>) -> Finding {
    let (early, late) = if first.range().start < second.range().start {
        (first, second)
    } else {
        (second, first)
    };
    let said = format!(
        "`{}` and `{}` exclude each other",
        early.tag_name().name(),
        late.tag_name().name()
    );
    Finding::error("U014", name_span(late), said).related(name_span(early), "the other one")
}

fn extend_partition(node: Node<'_, '_>, findings: &mut Vec<Finding>) {
    if let Some((extend, size)) = both(node, "Extend", "Size") {
        findings.push(clash(extend, size).help("keep one of them; with both Setup ends"));
    }
}

fn join(node: Node<'_, '_>, findings: &mut Vec<Finding>) {
    if let Some((domain, workgroup)) = both(node, "JoinDomain", "JoinWorkgroup") {
        findings.push(clash(domain, workgroup).help("a machine is in a domain or in a workgroup"));
    }
    if says_true(node, "UnsecureJoin")
        && let Some(unsecure) = xml::child(node, "UnsecureJoin")
        && let Some(credentials) =
            xml::child(node, "Credentials").filter(|one| xml::text_at(*one, "Password").is_some())
    {
        findings.push(clash(unsecure, credentials).help("an unsecure join goes without credentials"));
    }
    let data = xml::at(node, "Provisioning/AccountData").filter(|one| !xml::text(*one).trim().is_empty());
    if let (Some(data), Some(domain)) = (
        data,
        xml::child(node, "JoinDomain").filter(|_| xml::text_at(node, "JoinDomain").is_some()),
    ) {
        findings.push(clash(data, domain).help("the provisioning data already name the domain"));
    }
}

fn create(node: Node<'_, '_>, findings: &mut Vec<Finding>) {
    if let Some((extend, size)) = both(node, "Extend", "Size").filter(|_| says_true(node, "Extend")) {
        findings.push(clash(extend, size).help("a partition has a size, or takes what is left"));
    }
}

fn install_to(node: Node<'_, '_>, findings: &mut Vec<Finding>) {
    let place = xml::child(node, "InstallTo").filter(|one| xml::elements(*one).next().is_some());
    let any =
        xml::child(node, "InstallToAvailablePartition").filter(|_| says_true(node, "InstallToAvailablePartition"));
    if let (Some(place), Some(any)) = (place, any) {
        findings.push(clash(place, any).help("say which partition, or let Setup choose"));
    }
}
