//! What a component's options look like, so that Packer can check a template and show errors at its lines.
//!
//! Only what both protocol generations can say: attributes of simple types, lists and maps, and blocks. Packer itself
//! complains about missing, unknown and ill-typed options; defaults are the component's business.

use std::collections::BTreeMap;

/// A type of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Text.
    String,
    /// A number.
    Number,
    /// A truth value.
    Bool,
    /// A list of one type.
    List(Box<Self>),
    /// A map from text to one type.
    Map(Box<Self>),
    /// Anything: in HCL as text, written with `jsonencode(…)`, in JSON templates as it is. Text that is no map or list
    /// stays text.
    Json,
}

impl Type {
    /// A list of `element`.
    pub fn list(element: Self) -> Self {
        Self::List(Box::new(element))
    }

    /// A map from text to `element`.
    pub fn map(element: Self) -> Self {
        Self::Map(Box::new(element))
    }
}

/// What `{{` means in the texts of an attribute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Braces {
    /// It begins a template of Packer's engine, which is rendered before the component sees the text. So it is in all
    /// plugins of HashiCorp's.
    #[default]
    Template,
    /// The same, and what is wrong with it is not shown.
    Secret,
    /// Nothing: the text is a program, or a template of somebody else's.
    Literal,
}

/// One name within a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spec {
    /// `name = value`
    Attribute {
        /// The value's type.
        kind: Type,
        /// Whether it must be given.
        required: bool,
        /// What `{{` means in it.
        braces: Braces,
    },
    /// At most one `name { … }`.
    Block {
        /// The block's body.
        nested: ObjectSpec,
        /// Whether it must be given.
        required: bool,
    },
    /// Any number of `name { … }`.
    Blocks {
        /// The body of each.
        nested: ObjectSpec,
    },
}

impl Spec {
    /// An attribute whose texts are templates.
    pub fn attribute(kind: Type, required: bool) -> Self {
        Self::Attribute {
            kind,
            required,
            braces: Braces::Template,
        }
    }

    /// The same attribute with another meaning of `{{`. Blocks have none.
    #[must_use]
    pub fn with_braces(mut self, meaning: Braces) -> Self {
        if let Self::Attribute { braces, .. } = &mut self {
            *braces = meaning;
        }
        self
    }
}

/// The names within a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectSpec {
    names: BTreeMap<String, Spec>,
    shorthand: Option<String>,
}

impl ObjectSpec {
    /// No names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an attribute that must be given.
    #[must_use]
    pub fn required(self, name: impl Into<String>, kind: Type) -> Self {
        self.with(name, Spec::attribute(kind, true))
    }

    /// Adds an attribute that may be given.
    #[must_use]
    pub fn optional(self, name: impl Into<String>, kind: Type) -> Self {
        self.with(name, Spec::attribute(kind, false))
    }

    /// Adds an attribute that may be given, and that nobody may see.
    #[must_use]
    pub fn secret(self, name: impl Into<String>, kind: Type) -> Self {
        self.with(name, Spec::attribute(kind, false).with_braces(Braces::Secret))
    }

    /// Adds an attribute that may be given, and in which braces are braces.
    #[must_use]
    pub fn literal(self, name: impl Into<String>, kind: Type) -> Self {
        self.with(name, Spec::attribute(kind, false).with_braces(Braces::Literal))
    }

    /// Adds a block that may be given once.
    #[must_use]
    pub fn block(self, name: impl Into<String>, nested: Self) -> Self {
        let required = false;
        self.with(name, Spec::Block { nested, required })
    }

    /// Adds a block that may be given any number of times.
    #[must_use]
    pub fn blocks(self, name: impl Into<String>, nested: Self) -> Self {
        self.with(name, Spec::Blocks { nested })
    }

    /// Adds a name; a later one replaces an earlier one.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, spec: Spec) -> Self {
        self.names.insert(name.into(), spec);
        self
    }

    /// Lets a JSON template write this attribute's value alone in place of the block.
    #[must_use]
    pub fn shorthand(mut self, name: impl Into<String>) -> Self {
        self.shorthand = Some(name.into());
        self
    }

    /// The attribute whose value may stand for the block.
    pub(crate) fn short(&self) -> Option<&str> {
        self.shorthand.as_deref()
    }

    /// The names, sorted.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Spec)> {
        self.names.iter().map(|(name, spec)| (name.as_str(), spec))
    }
}

impl<N: Into<String>> FromIterator<(N, Spec)> for ObjectSpec {
    fn from_iter<I: IntoIterator<Item = (N, Spec)>>(specs: I) -> Self {
        Self {
            names: specs.into_iter().map(|(name, spec)| (name.into(), spec)).collect(),
            shorthand: None,
        }
    }
}

/// The two generations of Packer's protocol, which differ in how specs and values are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// Packer before 1.12, and any Packer that has an old plugin installed.
    Gob,
    /// Packer 1.12 and later.
    Protobuf,
}

impl Generation {
    /// The bytes of a spec.
    pub(crate) fn encode(self, spec: &ObjectSpec) -> Vec<u8> {
        match self {
            Self::Gob => crate::gob::config_spec(spec),
            Self::Protobuf => crate::protobuf::config_spec(spec),
        }
    }
}
