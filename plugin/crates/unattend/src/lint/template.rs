//! Files that a template engine is still to fill in: what it puts between the elements is not Setup's business.

use roxmltree::Node;

use crate::placeholder::is_branch;

/// Marks whose inside may hold what XML does not allow where they stand.
const MARKS: &[(&str, &str)] = &[("<%", "%>"), ("{{", "}}"), ("{%", "%}"), ("${", "}")];

/// Whether the engine chooses among the elements right below, so that two of them may stand for one.
pub(super) fn chooses(node: Node<'_, '_>) -> bool {
    node.children()
        .filter(Node::is_text)
        .any(|child| child.text().is_some_and(is_branch))
}

/// A text of the same length in which the engine's marks harm no XML reader; `None` when that changes nothing.
pub(super) fn veil(text: &str) -> Option<String> {
    let mut veiled = without_preamble(text).unwrap_or_else(|| text.to_owned());
    for (open, close) in MARKS {
        veiled = veil_mark(&veiled, open, close);
    }
    (veiled != text).then_some(veiled)
}

/// Blanks out directives before the XML declaration, and the declaration, which may then not stand there.
fn without_preamble(text: &str) -> Option<String> {
    let at = text
        .find("<?xml ")
        .filter(|at| only_directives(text.get(..*at).unwrap_or("")))?;
    let end = at + text.get(at..)?.find("?>")? + 2;
    let blank = |c: char| {
        if c == '\n' {
            "\n".to_owned()
        } else {
            " ".repeat(c.len_utf8())
        }
    };
    let mut blanked: String = text.get(..end)?.chars().map(blank).collect();
    blanked.push_str(text.get(end..)?);
    Some(blanked)
}

fn only_directives(text: &str) -> bool {
    let starts = ["#", "{%", "{#", "{{", "<%", "%{"];
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    lines.peek().is_some() && lines.all(|line| starts.iter().any(|start| line.starts_with(start)))
}

/// A bare `&` stays, for it is a fault in most of these places.
fn veil_mark(text: &str, open: &str, close: &str) -> String {
    let mut veiled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        veiled.push_str(before);
        let inner = after.split_once(close).filter(|(inner, _)| !inner.contains('\n'));
        let Some((inner, tail)) = inner else {
            veiled.push_str(open);
            rest = after;
            continue;
        };
        let tag = open.starts_with('<');
        veiled.push_str(if tag { "@@" } else { open });
        veiled.push_str(&inner.replace(['<', '"', '\''], "_"));
        veiled.push_str(if tag { "@@" } else { close });
        rest = tail;
    }
    veiled.push_str(rest);
    veiled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_harmless_at_their_places() {
        let cases = [
            ("<a><%= b %></a>", Some("<a>@@= b @@</a>")),
            ("<a b=\"{{ c | d \"e\" }}\"/>", Some("<a b=\"{{ c | d _e_ }}\"/>")),
            ("<a>{% if b < 2 %}</a>", Some("<a>{% if b _ 2 %}</a>")),
            (
                "#if a\n<?xml version='1'?>\n<b/>",
                Some("     \n                   \n<b/>"),
            ),
            ("\n<?xml version='1'?><b/>", None),
            ("<!-- a -->\n<?xml version='1'?><b/>", None),
            ("<a>{{ b }}</a>", None),
            ("<a><%</a>", None),
        ];
        for (text, wanted) in cases {
            let veiled = veil(text);
            assert_eq!(veiled.as_deref(), wanted, "{text}");
            assert!(veiled.is_none_or(|veiled| veiled.len() == text.len()));
        }
    }
}
