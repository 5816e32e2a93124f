//! An answer file as passes, components and settings, with the catalogue beside it. Reading never complains.

use std::str::FromStr as _;

use roxmltree::{Document, Node};

use crate::catalogue::{Component, Setting, catalogue};
use crate::target::{Architecture, Pass};
use crate::xml;

/// An answer file.
pub(crate) struct AnswerFile<'a, 'i> {
    /// The root element.
    pub(crate) root: Node<'a, 'i>,
    /// The `component` elements in known passes.
    pub(crate) parts: Vec<Part<'a, 'i>>,
    /// Every element that the catalogue knows, parents before children.
    pub(crate) entries: Vec<Entry<'a, 'i>>,
}

/// A `component` element.
pub(crate) struct Part<'a, 'i> {
    /// The pass that it stands in.
    pub(crate) pass: Pass,
    /// The element.
    pub(crate) node: Node<'a, 'i>,
    /// Its name as written.
    pub(crate) name: &'a str,
    /// What the catalogue knows about it.
    pub(crate) known: Option<&'static Component>,
    /// Its architecture, if it is one.
    pub(crate) architecture: Option<Architecture>,
}

/// An element that the catalogue knows.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a, 'i> {
    /// The index of its component among the parts.
    pub(crate) part: usize,
    /// The pass that it stands in.
    pub(crate) pass: Pass,
    /// Its component.
    pub(crate) component: &'static Component,
    /// What is known about it.
    pub(crate) setting: &'static Setting,
    /// The element.
    pub(crate) node: Node<'a, 'i>,
}

impl<'a, 'i> AnswerFile<'a, 'i> {
    /// Reads a parsed document.
    pub(crate) fn read(document: &'a Document<'i>) -> Self {
        let root = document.root_element();
        let parts = read_parts(root);
        let entries = read_entries(&parts);
        Self { root, parts, entries }
    }

    /// The elements at a path of a component, in a pass.
    pub(crate) fn at<'s>(
        &'s self,
        pass: Pass,
        component: &'s str,
        path: &'s str,
    ) -> impl Iterator<Item = Entry<'a, 'i>> + 's {
        self.everywhere(component, path).filter(move |entry| entry.pass == pass)
    }

    /// The elements at a path of a component, in any pass.
    pub(crate) fn everywhere<'s>(
        &'s self,
        component: &'s str,
        path: &'s str,
    ) -> impl Iterator<Item = Entry<'a, 'i>> + 's {
        self.entries
            .iter()
            .copied()
            .filter(move |entry| entry.setting.path == path && entry.component.name == component)
    }

    /// The trimmed text at a path of a component, in a pass, if it is there and not empty.
    pub(crate) fn text(&self, pass: Pass, component: &str, path: &str) -> Option<String> {
        self.at(pass, component, path)
            .map(|entry| xml::text(entry.node).trim().to_owned())
            .find(|text| !text.is_empty())
    }

    /// Whether a pass has any component.
    pub(crate) fn has_pass(&self, pass: Pass) -> bool {
        self.parts.iter().any(|part| part.pass == pass)
    }

    /// The component that holds a setting of this path in a pass.
    pub(crate) fn part(&self, pass: Pass, component: &str) -> Option<&Part<'a, 'i>> {
        self.parts
            .iter()
            .find(|part| part.pass == pass && part.known.is_some_and(|known| known.name == component))
    }
}

fn read_parts<'a, 'i>(root: Node<'a, 'i>) -> Vec<Part<'a, 'i>> {
    let mut parts = Vec::new();
    for settings in xml::elements(root).filter(|node| node.tag_name().name() == "settings") {
        let Some(pass) = settings
            .attribute("pass")
            .and_then(|pass| Pass::from_str(pass.trim()).ok())
        else {
            continue;
        };
        for node in xml::elements(settings).filter(|node| node.tag_name().name() == "component") {
            let name = node.attribute("name").unwrap_or("").trim();
            let architecture = node.attribute("processorArchitecture").map(str::trim);
            parts.push(Part {
                pass,
                node,
                name,
                known: catalogue().component(name),
                architecture: architecture.and_then(Architecture::from_word),
            });
        }
    }
    parts
}

fn read_entries<'a, 'i>(parts: &[Part<'a, 'i>]) -> Vec<Entry<'a, 'i>> {
    let mut entries = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let Some(component) = part.known else { continue };
        let top = Place {
            part: index,
            pass: part.pass,
            component,
        };
        walk(&top, part.node, &component.settings, &mut entries);
    }
    entries
}

struct Place {
    part: usize,
    pass: Pass,
    component: &'static Component,
}

/// Goes down as far as the catalogue does, which bounds the depth.
fn walk<'a, 'i>(place: &Place, node: Node<'a, 'i>, settings: &'static [Setting], into: &mut Vec<Entry<'a, 'i>>) {
    for child in xml::elements(node) {
        let name = child.tag_name().name();
        let Some(setting) = settings.iter().find(|one| one.name.eq_ignore_ascii_case(name)) else {
            continue;
        };
        into.push(Entry {
            part: place.part,
            pass: place.pass,
            component: place.component,
            setting,
            node: child,
        });
        walk(place, child, &setting.children, into);
    }
}
