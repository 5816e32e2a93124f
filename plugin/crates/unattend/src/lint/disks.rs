//! U024: where Windows is to be installed.

use roxmltree::Node;

use super::template;
use crate::catalogue::{is_true, number};
use crate::document::AnswerFile;
use crate::finding::Finding;
use crate::placeholder::is_template;
use crate::xml::{self, text_span};

const SETUP: &str = "Microsoft-Windows-Setup";

/// Checks the target partition against the disks as they are laid out.
pub(super) fn check(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    for disk in file.everywhere(SETUP, "DiskConfiguration/Disk[]") {
        check_changes(disk.node, findings);
        check_room(disk.node, findings);
        check_system(disk.node, findings);
    }
    for entry in file.everywhere(SETUP, "ImageInstall/OSImage/InstallFrom/MetaData[]") {
        findings.extend(check_index(entry.node));
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

/// A partition that extends leaves nothing for those made after it; only an extended one holds others.
fn check_room(disk: Node<'_, '_>, findings: &mut Vec<Finding>) {
    let created = created(disk).unwrap_or_default();
    let takes_all = |one: Node<'_, '_>| {
        let extends = xml::text_at(one, "Extend").is_some_and(|text| is_true(&text));
        let holds = xml::text_at(one, "Type").is_some_and(|kind| kind.eq_ignore_ascii_case("Extended"));
        extends && !holds
    };
    let first = created.iter().position(|(_, one)| takes_all(*one));
    let Some((index, (_, greedy))) = first.and_then(|index| Some((index, created.get(index)?))) else {
        return;
    };
    if index + 1 < created.len()
        && let Some(extend) = xml::child(*greedy, "Extend")
    {
        findings.push(
            Finding::warning(
                "U024",
                xml::name_span(extend),
                "this partition takes the rest of the disk, and more are to follow",
            )
            .help("only the last one in the order of creation may extend; give the others a `Size`"),
        );
    }
}

/// The firmware reads the EFI system partition, and knows nothing but FAT.
fn check_system(disk: Node<'_, '_>, findings: &mut Vec<Finding>) {
    let (Some(created), Some(list)) = (created(disk), xml::child(disk, "ModifyPartitions")) else {
        return;
    };
    for change in xml::elements(list) {
        let index = numeric(change, "PartitionID").and_then(|id| usize::try_from(id - 1).ok());
        let kind = index
            .and_then(|index| created.get(index))
            .and_then(|(_, one)| xml::text_at(*one, "Type"));
        let Some(format) =
            xml::child(change, "Format").filter(|one| xml::text(*one).trim().eq_ignore_ascii_case("NTFS"))
        else {
            continue;
        };
        if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("EFI")) {
            findings.push(
                Finding::error("U024", text_span(format), "the EFI system partition cannot be NTFS")
                    .help("firmware starts from FAT32 only")
                    .suggest(text_span(format), "FAT32", "write `FAT32`"),
            );
        }
    }
}

/// `/IMAGE/INDEX` with something that is no number.
fn check_index(item: Node<'_, '_>) -> Option<Finding> {
    let value = xml::child(item, "Value")?;
    let text = xml::text(value);
    let text = text.trim();
    let index = xml::text_at(item, "Key").is_some_and(|key| key.eq_ignore_ascii_case("/IMAGE/INDEX"));
    let wrong = index && !text.is_empty() && number(text).is_none() && !is_template(text);
    wrong.then(|| {
        Finding::error("U008", text_span(value), "`/IMAGE/INDEX` is a number")
            .help("`dism /get-imageinfo` lists them; a name goes with `/IMAGE/NAME`")
    })
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
