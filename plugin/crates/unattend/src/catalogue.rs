//! Every setting that Windows Setup knows, and the time zones, languages, keyboards and public keys that go with them.
//!
//! The data stand in `data/` and are read once, when first asked for. Names are found without regard to case.

mod keys;
mod load;
mod locales;
mod values;
mod zones;

pub use keys::{KmsKey, kms_key, kms_keys, kms_owner};
pub use load::catalogue;
pub use locales::{Locale, TagFault, check_input, check_tag, locales};
pub use values::{ValueFault, Values, check_value};
pub(crate) use values::{is_true, number, short};
pub use zones::{Zone, ZoneName, find_zone, zones};
pub(crate) use zones::{guess_zone, zones_at_offset_of};

use crate::target::Pass;

/// A component.
#[derive(Debug)]
pub struct Component {
    /// Its name, e.g. `Microsoft-Windows-Shell-Setup`.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub purpose: &'static str,
    /// Whether it is still in Windows.
    pub status: Status,
    /// The passes in which any setting of it is read.
    pub passes: Passes,
    /// The settings right below it.
    pub settings: Vec<Setting>,
}

/// An element below a component.
#[derive(Debug)]
pub struct Setting {
    /// The element's name.
    pub name: &'static str,
    /// Elements from the component down, e.g. `OOBE/HideEULAPage`; `[]` ends a repeated one.
    pub path: &'static str,
    /// What it may contain.
    pub kind: Kind,
    /// The type of its text, for leaves and for items with text.
    pub value: Option<Type>,
    /// The texts that are allowed.
    pub values: Values,
    /// The documented default.
    pub default: &'static str,
    /// The passes in which it is read.
    pub passes: Passes,
    /// For items: the child, or `@wcm:keyValue`, that tells them apart.
    pub list_key: Option<&'static str>,
    /// Whether it must be there when its parent is.
    pub required: bool,
    /// Whether it may be empty, if anything is known about that.
    pub empty_ok: Option<bool>,
    /// A restriction to editions or builds.
    pub applies_to: &'static str,
    /// Whether it is still in Windows.
    pub status: Status,
    /// Whether its text is a secret.
    pub secret: bool,
    /// A note.
    pub note: &'static str,
    /// Where this is known from.
    pub source: &'static str,
    /// What may stand in it, in the documented order.
    pub children: Vec<Self>,
}

/// What an element may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Leaf,
    /// A fixed set of elements.
    Container,
    /// Items only.
    List,
    /// A repeated element.
    Item,
}

/// The type of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Any text.
    Text,
    /// A path or file name.
    Path,
    /// A whole number.
    Integer,
    /// A whole number from 0.
    Unsigned,
    /// `true` or `false`.
    Boolean,
    /// One of a few words or numbers.
    Enum,
    /// A GUID.
    Guid,
}

/// Whether something is still in Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Current,
    /// It is, but should not be used; since when.
    Deprecated(&'static str),
    /// It is not; since when.
    Removed(&'static str),
    /// It is, but only Microsoft should use it.
    Reserved,
}

/// A set of passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passes(u8);

impl Passes {
    /// Whether `pass` is among them.
    pub fn has(self, pass: Pass) -> bool {
        self.0 & bit(pass) != 0
    }

    /// With one more.
    #[must_use]
    pub fn with(self, pass: Pass) -> Self {
        Self(self.0 | bit(pass))
    }

    /// Both together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of these are among `other`.
    pub fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order in which Setup runs them.
    pub fn iter(self) -> impl Iterator<Item = Pass> {
        Pass::ALL.iter().copied().filter(move |pass| self.has(*pass))
    }
}

impl std::fmt::Display for Passes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<String> = self.iter().map(|pass| format!("`{pass}`")).collect();
        match words.split_last() {
            Some((last, [])) => f.write_str(last),
            Some((last, rest)) => write!(f, "{} or {last}", rest.join(", ")),
            None => f.write_str("no pass"),
        }
    }
}

fn bit(pass: Pass) -> u8 {
    match pass {
        Pass::WindowsPe => 1,
        Pass::OfflineServicing => 2,
        Pass::Generalize => 4,
        Pass::Specialize => 8,
        Pass::AuditSystem => 16,
        Pass::AuditUser => 32,
        Pass::OobeSystem => 64,
    }
}

/// All components.
#[derive(Debug)]
pub struct Catalogue {
    /// Sorted by name, case not regarded.
    components: Vec<Component>,
}

impl Catalogue {
    /// All components, sorted by name.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The component of this name.
    pub fn component(&self, name: &str) -> Option<&Component> {
        let lower = |text: &str| text.to_ascii_lowercase();
        let wanted = lower(name);
        let at = self.components.binary_search_by(|one| lower(one.name).cmp(&wanted));
        at.ok().and_then(|at| self.components.get(at))
    }

    /// The components that have a setting of this name right below them.
    pub fn owners(&self, setting: &str) -> impl Iterator<Item = &Component> {
        self.components
            .iter()
            .filter(move |component| find(&component.settings, setting).is_some())
    }
}

impl Component {
    /// The setting of this name right below the component.
    pub fn child(&self, name: &str) -> Option<&Setting> {
        find(&self.settings, name)
    }

    /// The setting at a path such as `OOBE/HideEULAPage`; `[]` may be left out.
    pub fn setting(&self, path: &str) -> Option<&Setting> {
        let mut names = path.split('/');
        let first = self.child(trim_item(names.next()?))?;
        names.try_fold(first, |setting, name| setting.child(trim_item(name)))
    }

    /// All settings, parents before children.
    pub fn all(&self) -> Vec<&Setting> {
        fn walk<'a>(settings: &'a [Setting], into: &mut Vec<&'a Setting>) {
            for setting in settings {
                into.push(setting);
                walk(&setting.children, into);
            }
        }
        let mut all = Vec::new();
        walk(&self.settings, &mut all);
        all
    }
}

impl Setting {
    /// The setting of this name right below this one.
    pub fn child(&self, name: &str) -> Option<&Self> {
        find(&self.children, name)
    }

    /// Whether items of it carry `wcm:keyValue`.
    pub fn has_key_attribute(&self) -> bool {
        self.list_key == Some("@wcm:keyValue")
    }
}

fn find<'a>(settings: &'a [Setting], name: &str) -> Option<&'a Setting> {
    settings.iter().find(|setting| setting.name.eq_ignore_ascii_case(name))
}

fn trim_item(name: &str) -> &str {
    name.strip_suffix("[]").unwrap_or(name)
}
