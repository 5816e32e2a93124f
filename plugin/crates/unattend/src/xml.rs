//! Small questions to an XML tree, answered with places in its text.

use reseal_diag::Span;
use roxmltree::{Attribute, Node};

/// The namespace of answer files.
pub(crate) const UNATTEND: &str = "urn:schemas-microsoft-com:unattend";
/// The namespace of `wcm:action` and `wcm:keyValue`.
pub(crate) const WCM: &str = "http://schemas.microsoft.com/WMIConfig/2002/State";

/// A range as a span.
pub(crate) fn span(range: std::ops::Range<usize>) -> Span {
    Span::new(range.start, range.end)
}

/// The element's name in its start tag, with its prefix.
pub(crate) fn name_span(node: Node<'_, '_>) -> Span {
    let start = node.range().start + 1;
    let rest = node.document().input_text().get(start..).unwrap_or("");
    let length = rest
        .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
        .unwrap_or(rest.len());
    Span::new(start, start + length)
}

/// What stands between the tags; `None` for `<a/>`.
pub(crate) fn inner_span(node: Node<'_, '_>) -> Option<Span> {
    let range = node.range();
    let text = node.document().input_text();
    if let (Some(first), Some(last)) = (node.first_child(), node.last_child()) {
        // A text node's range may stop short of its end when it holds entities; the end tag tells.
        let end = text.get(last.range().start..range.end)?.rfind("</")? + last.range().start;
        return Some(Span::new(first.range().start, end));
    }
    let whole = text.get(range.clone())?;
    if whole.ends_with("/>") {
        return None;
    }
    let at = whole.rfind("</")? + range.start;
    Some(Span::new(at, at))
}

/// The text of an element, comments left out.
pub(crate) fn text(node: Node<'_, '_>) -> String {
    node.children()
        .filter_map(|child| child.is_text().then(|| child.text()).flatten())
        .collect()
}

/// Where the text of an element stands; its name when it has none.
pub(crate) fn text_span(node: Node<'_, '_>) -> Span {
    let Some(inner) = inner_span(node).filter(|inner| inner.end > inner.start) else {
        return name_span(node);
    };
    let raw = node.document().input_text().get(inner.range()).unwrap_or("");
    let lead = raw.len() - raw.trim_start().len();
    let tail = raw.len() - raw.trim_end().len();
    if lead == raw.len() {
        return name_span(node);
    }
    Span::new(inner.start + lead, inner.end - tail)
}

/// The element with another name in both of its tags, and where it stands.
pub(crate) fn renamed(node: Node<'_, '_>, name: &str) -> (Span, String) {
    let own = name_span(node);
    let whole = span(node.range());
    let input = node.document().input_text();
    let piece = |start, end| input.get(start..end).unwrap_or("");
    let prefix = piece(own.start, own.end)
        .split_once(':')
        .map_or("", |(prefix, _)| prefix);
    let name = if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}:{name}")
    };
    let end_tag = piece(own.end, whole.end)
        .rfind("</")
        .filter(|_| !piece(own.end, whole.end).ends_with("/>"));
    match end_tag {
        Some(at) => {
            let body = piece(own.end, own.end + at);
            (Span::new(own.start, whole.end), format!("{name}{body}</{name}>"))
        }
        None => (own, name),
    }
}

/// The elements right below.
pub(crate) fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

/// The first element of this name right below, case not regarded.
pub(crate) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    elements(node).find(|one| one.tag_name().name().eq_ignore_ascii_case(name))
}

/// The element at a path such as `Password/Value`.
pub(crate) fn at<'a, 'i>(node: Node<'a, 'i>, path: &str) -> Option<Node<'a, 'i>> {
    path.split('/').try_fold(node, child)
}

/// The trimmed text at a path, if it is not empty.
pub(crate) fn text_at(node: Node<'_, '_>, path: &str) -> Option<String> {
    at(node, path)
        .map(|one| text(one).trim().to_owned())
        .filter(|text| !text.is_empty())
}

/// An attribute in no namespace, by its exact name.
pub(crate) fn attribute<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Attribute<'a, 'i>> {
    node.attributes()
        .find(|one| one.namespace().is_none() && one.name() == name)
}

/// `wcm:NAME`. A wrong namespace of that prefix is complained about where it is declared.
pub(crate) fn wcm<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Attribute<'a, 'i>> {
    let input = node.document().input_text();
    let prefixed = |one: &Attribute<'a, 'i>| {
        input
            .get(one.range_qname())
            .is_some_and(|written| written.starts_with("wcm:"))
    };
    node.attributes()
        .find(|one| one.name() == name && (one.namespace() == Some(WCM) || prefixed(one)))
}
