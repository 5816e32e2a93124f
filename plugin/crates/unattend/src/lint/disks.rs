//! U024: where Windows is to be installed.

use roxmltree::Node;

use super::template;
use crate::catalogue::{is_true, number};
use crate::document::AnswerFile;
use crate::finding::Finding;
use crate::xml::{self, text_span};

const SETUP: &str = "Microsoft-Windows-Setup";

/// Checks the target partition against the disks as they are laid out.
pub(super) fn check(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    for disk in file.everywhere(SETUP, "DiskConfiguration/Disk[]") {
        check_changes(disk.node, findings);
    }
    for entry in file.everywhere(SETUP, "ImageInstall/OSImage/InstallTo") {
        let (Some(disk), Some(node)) = (numeric(entry.node, "DiskID"), xml::child(entry.node, "PartitionID")) else {
            continue;
        };
        let part = file.parts.get(entry.part).map(|part| part.node.id());
        let layout = file
            .everywhere(SETUP, "DiskConfiguration/Disk[]")
            .filter(|one| file.parts.get(one.part).map(|part| part.node.id()) == part)
            .find(|one| numeric(one.node, "DiskID") == Some(disk));
        if let (Some(layout), Some(partition)) = (layout, number(&xml::text(node))) {
            findings.extend(check_target(layout.node, partition, node));
        }
    }
}

fn numeric(node: Node<'_, '_>, path: &str) -> Option<i64> {
    number(&xml::text_at(node, path)?)
}

/// What is made of an emptied disk, in the order of creation: partitions are numbered so, from 1.
fn created<'a, 'i>(disk: Node<'a, 'i>) -> Option<Vec<(i64, Node<'a, 'i>)>> {
    let list = xml::child(disk, "CreatePartitions").filter(|list| !template::chooses(*list))?;
    let wiped = xml::text_at(disk, "WillWipeDisk").is_some_and(|text| is_true(&text));
    let mut created: Vec<(i64, Node<'_, '_>)> = xml::elements(list)
        .map(|one| numeric(one, "Order").map(|order| (order, one)))
        .collect::<Option<_>>()?;
    created.sort_by_key(|(order, _)| *order);
    (wiped && !created.is_empty()).then_some(created)
}

fn no_partition(place: Node<'_, '_>, partition: i64, count: usize) -> Finding {
    let said = format!("there is no partition {partition} on the disk");
    Finding::warning("U024", text_span(place), said)
        .help(format!("the file creates {count} of them, and numbers begin at 1"))
}

/// Partitions that are changed must have been made.
fn check_changes(disk: Node<'_, '_>, findings: &mut Vec<Finding>) {
    let (Some(created), Some(list)) = (created(disk), xml::child(disk, "ModifyPartitions")) else {
        return;
    };
    let count = created.len();
    for node in xml::elements(list).filter_map(|change| xml::child(change, "PartitionID")) {
        let Some(partition) = number(&xml::text(node)) else {
            continue;
        };
        if !usize::try_from(partition).is_ok_and(|partition| (1..=count).contains(&partition)) {
            findings.push(no_partition(node, partition, count));
        }
    }
}

fn check_target(disk: Node<'_, '_>, partition: i64, place: Node<'_, '_>) -> Option<Finding> {
    let created = created(disk)?;
    let index = usize::try_from(partition - 1).ok();
    let span = text_span(place);
    let Some((_, target)) = index.and_then(|index| created.get(index)) else {
        return Some(no_partition(place, partition, created.len()));
    };
    let kind = xml::text_at(*target, "Type")?;
    let wrong = ["EFI", "MSR", "Extended"]
        .iter()
        .any(|one| one.eq_ignore_ascii_case(&kind));
    let related = xml::child(*target, "Type").map_or(span, text_span);
    wrong.then(|| {
        Finding::error(
            "U024",
            span,
            format!("Windows cannot be installed on the {kind} partition"),
        )
        .related(related, format!("partition {partition}"))
        .help("partitions are numbered in the order of their creation; name the large primary one")
    })
}
