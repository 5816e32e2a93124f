//! Writes elements as text, indented like what stands around them.

use super::Problem;
use super::want::{Body, Element, Mode};
use crate::xml::WCM;

/// How the file around is written.
#[derive(Debug, Clone)]
pub(super) struct Style {
    /// `\n` or `\r\n`.
    pub(super) line: &'static str,
    /// One step of indentation.
    pub(super) step: String,
    /// What stands before element names: empty, or a prefix with its colon.
    pub(super) prefix: String,
    /// The prefix of `wcm:action`, where it is declared.
    pub(super) wcm: Option<String>,
}

/// What is needed to render.
pub(super) struct Writer<'w> {
    pub(super) style: &'w Style,
    pub(super) option: &'w str,
    pub(super) mode: &'w Mode<'w>,
    /// What stands for [`Body::NextOrder`].
    pub(super) next_order: u64,
}

impl Writer<'_> {
    /// The element at a depth given by `indent`, without indentation before its first line.
    pub(super) fn element(&self, element: &Element, indent: &str) -> Result<String, Problem> {
        let name = format!("{}{}", self.style.prefix, element.name);
        let attributes = self.attributes(element);
        let body = match &element.body {
            Body::Text(text) => escape(&text.render(self.option, self.mode)?),
            Body::NextOrder => self.next_order.to_string(),
            Body::Elements(children) => self.children(children, indent)?,
        };
        Ok(format!("<{name}{attributes}>{body}</{name}>"))
    }

    fn children(&self, children: &[Element], indent: &str) -> Result<String, Problem> {
        let inner = format!("{indent}{}", self.style.step);
        let mut text = String::new();
        for child in children {
            let child = self.element(child, &inner)?;
            text.push_str(self.style.line);
            text.push_str(&inner);
            text.push_str(&child);
        }
        text.push_str(self.style.line);
        text.push_str(indent);
        Ok(text)
    }

    fn attributes(&self, element: &Element) -> String {
        let mut text = String::new();
        let pairs = [("action", &element.action), ("keyValue", &element.key_value)];
        let prefix = self.style.wcm.as_deref().unwrap_or("wcm");
        for (name, value) in pairs {
            if let Some(value) = value {
                let value = escape_attribute(value);
                text = format!("{text} {prefix}:{name}=\"{value}\"");
            }
        }
        if !text.is_empty() && self.style.wcm.is_none() {
            text = format!("{text} xmlns:wcm=\"{WCM}\"");
        }
        text
    }
}

/// A text as it stands between tags. A carriage return would be lost in reading if it were not written as a number.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A text as it stands between double quotes.
pub(super) fn escape_attribute(text: &str) -> String {
    escape(text)
        .replace('"', "&quot;")
        .replace('\n', "&#10;")
        .replace('\t', "&#9;")
}
