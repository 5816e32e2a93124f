//! Puts elements into a text and takes them out, touching nothing else.

use roxmltree::Node;

use super::element::Style;
use crate::xml::{self, UNATTEND, WCM, inner_span, name_span};

/// A change to a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: std::ops::Range<usize>,
    pub(super) with: String,
}

impl Edit {
    /// The changed text. Ranges come from the parser and lie on character borders.
    pub(super) fn apply(&self, text: &str) -> String {
        let before = text.get(..self.range.start).unwrap_or("");
        let after = text.get(self.range.end..).unwrap_or("");
        format!("{before}{}{after}", self.with)
    }
}

/// How the text around `node` is written.
pub(super) fn style(node: Node<'_, '_>) -> Style {
    let text = node.document().input_text();
    let prefix = match node.lookup_namespace_uri(None) {
        Some(UNATTEND) => None,
        _ => node.lookup_prefix(UNATTEND),
    };
    Style {
        line: if text.contains("\r\n") { "\r\n" } else { "\n" },
        step: step(node.document().root_element()),
        prefix: prefix.map_or_else(String::new, |prefix| format!("{prefix}:")),
        wcm: node.lookup_prefix(WCM).map(str::to_owned),
    }
}

/// One step of indentation, as the first indented element shows it.
fn step(root: Node<'_, '_>) -> String {
    let own = indent(root);
    let deeper = xml::elements(root).next().map(indent);
    deeper
        .and_then(|deeper| deeper.strip_prefix(own.as_str()).map(str::to_owned))
        .filter(|step| !step.is_empty())
        .unwrap_or_else(|| "  ".to_owned())
}

/// The white space before an element on its line; empty when something else stands there.
pub(super) fn indent(node: Node<'_, '_>) -> String {
    let before = node.document().input_text().get(..node.range().start).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or("");
    if line.chars().all(char::is_whitespace) {
        line.trim_start_matches('\u{feff}').to_owned()
    } else {
        String::new()
    }
}

/// The indentation that children of `parent` have or should have.
pub(super) fn child_indent(parent: Node<'_, '_>, style: &Style) -> String {
    xml::elements(parent)
        .next()
        .map(indent)
        .filter(|indent| !indent.is_empty())
        .unwrap_or_else(|| format!("{}{}", indent(parent), style.step))
}

/// Puts `rendered` into `parent`, after `after` or, without one, as its first child.
pub(super) fn insert(parent: Node<'_, '_>, after: Option<Node<'_, '_>>, rendered: &str, style: &Style) -> Edit {
    let child = child_indent(parent, style);
    if let Some(after) = after {
        let end = after.range().end;
        return Edit {
            range: end..end,
            with: format!("{}{child}{rendered}", style.line),
        };
    }
    let outer = indent(parent);
    let Some(inner) = inner_span(parent) else {
        return open_up(parent, &format!("{}{child}{rendered}{}{outer}", style.line, style.line));
    };
    let blank = parent
        .document()
        .input_text()
        .get(inner.range())
        .is_none_or(|text| text.trim().is_empty());
    if blank {
        let with = format!("{}{child}{rendered}{}{outer}", style.line, style.line);
        return Edit {
            range: inner.range(),
            with,
        };
    }
    Edit {
        range: inner.start..inner.start,
        with: format!("{}{child}{rendered}", style.line),
    }
}

/// Turns `<a b="c"/>` into `<a b="c">…</a>`.
fn open_up(node: Node<'_, '_>, inner: &str) -> Edit {
    let range = node.range();
    let text = node.document().input_text();
    let name = text.get(name_span(node).range()).unwrap_or("");
    let whole = text.get(range.clone()).unwrap_or("");
    let start = whole.trim_end_matches("/>").trim_end();
    Edit {
        range,
        with: format!("{start}>{inner}</{name}>"),
    }
}

/// Replaces the text of a leaf by an escaped one.
pub(super) fn set_text(node: Node<'_, '_>, escaped: &str) -> Edit {
    match inner_span(node) {
        Some(inner) => Edit {
            range: inner.range(),
            with: escaped.to_owned(),
        },
        None => open_up(node, escaped),
    }
}

/// Takes an element out, with the white space before it and every parent that would be left empty.
pub(super) fn remove(node: Node<'_, '_>) -> Edit {
    let mut victim = node;
    while let Some(parent) = victim.parent_element() {
        let alone = parent
            .children()
            .all(|child| child == victim || child.is_text() && child.text().is_none_or(|text| text.trim().is_empty()));
        if !alone || parent.parent_element().is_none() {
            break;
        }
        victim = parent;
    }
    let range = victim.range();
    let before = node.document().input_text().get(..range.start).unwrap_or("");
    Edit {
        range: before.trim_end_matches([' ', '\t', '\r', '\n']).len()..range.end,
        with: String::new(),
    }
}
