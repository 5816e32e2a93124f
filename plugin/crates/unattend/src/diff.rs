//! Two answer files compared by setting, not by line.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};
use serde::Serialize;

use crate::catalogue::{Setting, catalogue, number};
use crate::placeholder::masked;
use crate::secrets;
use crate::target::Pass;
use crate::xml;

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The pass.
    pub pass: Pass,
    /// The component, with its architecture.
    pub component: String,
    /// The setting, e.g. `OOBE/HideEULAPage`; items are named by their key: `SynchronousCommand[Order=1]/CommandLine`.
    pub path: String,
    /// The text before; `None` when it was not there. Secrets are masked.
    pub before: Option<String>,
    /// The text after; `None` when it is gone. Secrets are masked.
    pub after: Option<String>,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match (&self.before, &self.after) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        };
        write!(f, "{sign} {} {} {}", self.pass, self.component, self.path)?;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, ": {before} -> {after}"),
            (Some(text), None) | (None, Some(text)) => write!(f, ": {text}"),
            (None, None) => Ok(()),
        }
    }
}

/// A file that cannot be compared.
#[derive(Debug)]
pub struct IllFormed {
    /// Which one.
    pub side: Side,
    error: roxmltree::Error,
}

/// One of two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first.
    Before,
    /// The second.
    After,
}

impl std::fmt::Display for IllFormed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it is not well-formed XML: {}", self.error)
    }
}

impl std::error::Error for IllFormed {}

type Place = (Pass, String, String);

#[derive(PartialEq, Eq)]
struct Value {
    text: String,
    secret: bool,
}

impl Value {
    fn shown(&self) -> String {
        let shown = if self.secret { masked(&self.text) } else { &self.text };
        shown.to_owned()
    }
}

/// The settings that differ between two files, sorted by pass, component and path. Order of elements, white space,
/// comments and the case of names do not count.
///
/// # Errors
///
/// When one of them is not well-formed; run the linter over it to see where.
pub fn diff(base: &str, other: &str) -> Result<Vec<Change>, IllFormed> {
    let read = |text, side| Document::parse(text).map_err(|error| IllFormed { side, error });
    let before = settings(&read(base, Side::Before)?);
    let mut after = settings(&read(other, Side::After)?);
    let mut changes = Vec::new();
    for (place, value) in before {
        let now = after.remove(&place);
        if now.as_ref() != Some(&value) {
            changes.push(change(place, Some(&value), now.as_ref()));
        }
    }
    changes.extend(
        after
            .into_iter()
            .map(|(place, value)| change(place, None, Some(&value))),
    );
    changes.sort_by(|a, b| (a.pass, &a.component, &a.path).cmp(&(b.pass, &b.component, &b.path)));
    Ok(changes)
}

fn change((pass, component, path): Place, before: Option<&Value>, after: Option<&Value>) -> Change {
    Change {
        pass,
        component,
        path,
        before: before.map(Value::shown),
        after: after.map(Value::shown),
    }
}

/// All texts of a file by their place.
fn settings(document: &Document<'_>) -> BTreeMap<Place, Value> {
    let mut found = BTreeMap::new();
    let root = document.root_element();
    for section in xml::elements(root).filter(|node| node.tag_name().name() == "settings") {
        let Some(pass) = section.attribute("pass").and_then(|pass| Pass::from_word(pass.trim())) else {
            continue;
        };
        for node in xml::elements(section).filter(|node| node.tag_name().name() == "component") {
            let name = node.attribute("name").unwrap_or("").trim();
            let known = catalogue().component(name);
            let architecture = node
                .attribute("processorArchitecture")
                .unwrap_or("")
                .trim()
                .to_ascii_lowercase();
            let component = format!("{}@{architecture}", known.map_or(name, |known| known.name));
            let level = known.map(|known| known.settings.as_slice());
            let mut collector = Collector {
                pass,
                component,
                found: &mut found,
            };
            collector.walk(node, level, "", 0);
        }
    }
    found
}

struct Collector<'c> {
    pass: Pass,
    component: String,
    found: &'c mut BTreeMap<Place, Value>,
}

/// The names from the component downwards.
fn names<'d>(node: Node<'d, '_>) -> impl Iterator<Item = &'d str> {
    let mut names: Vec<&str> = node
        .ancestors()
        .filter(Node::is_element)
        .map(|node| node.tag_name().name())
        .take_while(|name| *name != "component")
        .collect();
    names.reverse();
    names.into_iter()
}

/// Deeper elements than this are taken as one text.
const DEPTH: usize = 32;

impl Collector<'_> {
    fn walk(&mut self, node: Node<'_, '_>, level: Option<&'static [Setting]>, path: &str, depth: usize) {
        for child in xml::elements(node) {
            let written = child.tag_name().name();
            let setting = level.and_then(|level| level.iter().find(|one| one.name.eq_ignore_ascii_case(written)));
            let name = setting.map_or(written, |setting| setting.name);
            let step = format!("{name}{}", key(child, setting));
            let path = if path.is_empty() {
                step
            } else {
                format!("{path}/{step}")
            };
            if depth < DEPTH && xml::elements(child).next().is_some() {
                self.walk(
                    child,
                    setting.map(|setting| setting.children.as_slice()),
                    &path,
                    depth + 1,
                );
            } else {
                self.add(
                    path,
                    child,
                    setting.is_some_and(|setting| setting.secret) || secrets::is_secret_path(names(child)),
                );
            }
        }
    }

    fn add(&mut self, path: String, node: Node<'_, '_>, secret: bool) {
        let text = xml::text(node);
        let value = Value {
            text: text.trim().to_owned(),
            secret,
        };
        let mut place = (self.pass, self.component.clone(), path);
        let first = place.2.clone();
        let mut count = 1;
        // What stands twice is kept apart by a number.
        while self.found.contains_key(&place) {
            count += 1;
            place.2 = format!("{first}#{count}");
        }
        self.found.insert(place, value);
    }
}

/// `[Order=1]` for an item of a list.
fn key(node: Node<'_, '_>, setting: Option<&'static Setting>) -> String {
    let Some(name) = setting.and_then(|setting| setting.list_key) else {
        return String::new();
    };
    let value = match name {
        "@wcm:keyValue" => xml::wcm(node, "keyValue").map(|one| one.value().trim().to_owned()),
        name => xml::text_at(node, name),
    };
    let value = value.unwrap_or_default();
    let plain = number(&value).map_or(value, |number| number.to_string());
    format!("[{}={plain}]", name.trim_start_matches("@wcm:"))
}
