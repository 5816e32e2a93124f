//! What a spec wants in the file, one thing at a time.

use super::{Problem, Reveal};
use crate::catalogue::{Component, Setting, catalogue};
use crate::password;
use crate::placeholder::{has_secret, masked};
use crate::target::{Architecture, Pass};
use reseal_diag::Diagnostic;

/// One thing that the file shall have, or not have.
#[derive(Debug, Clone)]
pub(super) struct Want {
    /// The option that says so, as a JSON pointer below `unattend`.
    pub(super) option: String,
    /// The pass.
    pub(super) pass: Pass,
    /// The component's name.
    pub(super) component: String,
    /// The component's architecture, if it is not that of the image.
    pub(super) architecture: Option<Architecture>,
    /// Element names from the component down; for an item, up to the element that holds the items.
    pub(super) path: Vec<String>,
    /// What shall be there.
    pub(super) content: Content,
}

/// What shall stand at a path.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A text.
    Text(Text),
    /// An item of a list, in the place of one with the same key or after the others.
    Item(Element),
    /// Nothing.
    Nothing,
}

/// An element to write.
#[derive(Debug, Clone)]
pub(super) struct Element {
    /// Its name.
    pub(super) name: String,
    /// `wcm:action`, for items.
    pub(super) action: Option<String>,
    /// `wcm:keyValue`, for some items.
    pub(super) key_value: Option<String>,
    /// What it holds.
    pub(super) body: Body,
}

/// What an element holds.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// A text.
    Text(Text),
    /// Elements.
    Elements(Vec<Element>),
    /// The number after the highest `Order` in the list.
    NextOrder,
}

/// A text, perhaps with placeholders, perhaps to be obscured.
#[derive(Clone)]
pub(super) struct Text {
    /// As the spec says it.
    pub(super) template: String,
    /// The password element that it is obscured for.
    pub(super) obscured: Option<&'static str>,
    /// Whether the text itself may be the secret.
    pub(super) secret: bool,
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.secret {
            masked(&self.template)
        } else {
            &self.template
        })
    }
}

/// Whose eyes the file is made for.
pub(super) enum Mode<'r> {
    /// Setup's: with the secrets.
    Reveal(&'r Reveal<'r>),
    /// A person's: without.
    Mask,
}

impl Text {
    /// A text that anybody may see.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self {
            template: text.into(),
            obscured: None,
            secret: false,
        }
    }

    /// A text that is, or may be, a secret.
    pub(super) fn secret(text: impl Into<String>) -> Self {
        Self {
            secret: true,
            ..Self::plain(text)
        }
    }

    /// The text as it goes into the file.
    pub(super) fn render(&self, option: &str, mode: &Mode<'_>) -> Result<String, Problem> {
        let Mode::Reveal(reveal) = mode else {
            return Ok(if self.secret {
                masked(&self.template)
            } else {
                &self.template
            }
            .to_owned());
        };
        let clear = if has_secret(&self.template) {
            reveal(&self.template).map_err(|error| {
                let message = format!("the value cannot be had: {error}");
                Problem::option(option, Diagnostic::error("U102", message))
            })?
        } else {
            self.template.clone()
        };
        if !password::fits_xml(&clear) {
            let diagnostic = Diagnostic::error("U102", "the value holds characters that XML does not allow");
            return Err(Problem::option(option, diagnostic));
        }
        Ok(match self.obscured {
            Some(element) => password::obscure(&clear, element),
            None => clear,
        })
    }
}

impl Element {
    /// A leaf.
    pub(super) fn leaf(name: &str, text: impl Into<String>) -> Self {
        Self::with(name, Body::Text(Text::plain(text)))
    }

    /// An element with this inside.
    pub(super) fn with(name: &str, body: Body) -> Self {
        Self {
            name: name.to_owned(),
            action: None,
            key_value: None,
            body,
        }
    }

    /// An item that is added to a list.
    pub(super) fn item(name: &str, children: Vec<Self>) -> Self {
        Self {
            action: Some("add".to_owned()),
            ..Self::with(name, Body::Elements(children))
        }
    }

    /// The child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        match &self.body {
            Body::Elements(children) => children.iter().find(|child| child.name.eq_ignore_ascii_case(name)),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.body {
            Body::Text(text) => Some(&text.template),
            _ => None,
        }
    }
}

impl Want {
    /// What the catalogue knows about the component.
    pub(super) fn known(&self) -> Option<&'static Component> {
        catalogue().component(&self.component)
    }

    /// What the catalogue knows about the place.
    pub(super) fn setting(&self) -> Option<&'static Setting> {
        self.known()?.setting(&self.path.join("/"))
    }

    /// Whether both speak of the same text.
    pub(super) fn same_place(&self, other: &Self) -> bool {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        self.pass == other.pass
            && self.architecture == other.architecture
            && same(&self.component, &other.component)
            && self.path.len() == other.path.len()
            && self.path.iter().zip(&other.path).all(|(a, b)| same(a, b))
    }
}
