//! Reads the embedded table of settings.

use std::sync::OnceLock;

use super::values::Values;
use super::{Catalogue, Component, Kind, Passes, Setting, Status, Type};
use crate::target::Pass;

static SETTINGS: &str = include_str!("../../data/settings.tsv");

/// The catalogue.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| read(SETTINGS))
}

/// The lines of an embedded table, without comments, as cells.
pub(super) fn rows(table: &'static str) -> impl Iterator<Item = Cells> {
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| Cells(line.split('\t').collect()))
}

/// A line of an embedded table.
pub(super) struct Cells(Vec<&'static str>);

impl Cells {
    /// A cell; empty when the line is too short.
    pub(super) fn get(&self, column: usize) -> &'static str {
        self.0.get(column).copied().unwrap_or("")
    }
}

fn read(table: &'static str) -> Catalogue {
    let mut components: Vec<Component> = Vec::new();
    for cells in rows(table) {
        if cells.get(0) == "@" {
            components.push(component(&cells));
        } else if let Some(component) = components.last_mut() {
            let setting = setting(&cells);
            component.passes = component.passes.union(setting.passes);
            hang(&mut component.settings, setting);
        }
    }
    components.sort_by_cached_key(|component| component.name.to_ascii_lowercase());
    Catalogue { components }
}

fn component(cells: &Cells) -> Component {
    Component {
        name: cells.get(1),
        purpose: cells.get(2),
        status: status(cells.get(3)),
        passes: Passes::default(),
        settings: Vec::new(),
    }
}

fn setting(cells: &Cells) -> Setting {
    let path = cells.get(0);
    let name = path.rsplit('/').next().unwrap_or(path);
    Setting {
        name: name.strip_suffix("[]").unwrap_or(name),
        path,
        kind: kind(cells.get(1)),
        value: value_type(cells.get(2)),
        values: Values::read(cells.get(3)),
        default: cells.get(4),
        passes: passes(cells.get(5)),
        list_key: Some(cells.get(6)).filter(|key| !key.is_empty()),
        required: cells.get(7) == "yes",
        empty_ok: match cells.get(8) {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        applies_to: cells.get(9),
        status: status(cells.get(10)),
        secret: cells.get(11) == "yes",
        note: cells.get(12),
        source: cells.get(13),
        children: Vec::new(),
    }
}

/// Puts a setting below its parent. The table names parents before children; a test holds that none is lost.
fn hang(settings: &mut Vec<Setting>, setting: Setting) {
    let mut level = settings;
    loop {
        // INVARIANT: sibling paths are never prefixes of each other up to a slash.
        let parent = level.iter().position(|one| {
            setting
                .path
                .strip_prefix(one.path)
                .is_some_and(|rest| rest.starts_with('/'))
        });
        match parent {
            Some(at) => level = &mut level[at].children,
            None => break level.push(setting),
        }
    }
}

fn kind(word: &str) -> Kind {
    match word {
        "container" => Kind::Container,
        "list" => Kind::List,
        "item" => Kind::Item,
        _ => Kind::Leaf,
    }
}

fn value_type(word: &str) -> Option<Type> {
    match word {
        "string" => Some(Type::Text),
        "path" => Some(Type::Path),
        "integer" => Some(Type::Integer),
        "unsignedInt" => Some(Type::Unsigned),
        "boolean" => Some(Type::Boolean),
        "enum" => Some(Type::Enum),
        "GUID" => Some(Type::Guid),
        _ => None,
    }
}

fn passes(letters: &str) -> Passes {
    letters
        .chars()
        .filter_map(|letter| {
            Some(match letter {
                'w' => Pass::WindowsPe,
                'f' => Pass::OfflineServicing,
                'g' => Pass::Generalize,
                's' => Pass::Specialize,
                'a' => Pass::AuditSystem,
                'u' => Pass::AuditUser,
                'o' => Pass::OobeSystem,
                _ => return None,
            })
        })
        .fold(Passes::default(), Passes::with)
}

fn status(text: &'static str) -> Status {
    let since = text
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or("");
    match text.split(' ').next() {
        Some("deprecated") => Status::Deprecated(since),
        Some("removed") => Status::Removed(since),
        Some("reserved") => Status::Reserved,
        _ => Status::Current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_reachable_by_its_path() {
        let mut found = 0;
        for component in catalogue().components() {
            for setting in component.all() {
                assert!(
                    std::ptr::eq(component.setting(setting.path).unwrap(), setting),
                    "{}",
                    setting.path
                );
                found += 1;
            }
        }
        let rows = rows(SETTINGS).filter(|cells| cells.get(0) != "@").count();
        assert_eq!(found, rows);
        assert!(found > 1100 && catalogue().components().len() > 90);
    }

    #[test]
    fn depth_is_that_of_the_path() {
        fn walk(settings: &[Setting], depth: usize) {
            for setting in settings {
                assert_eq!(setting.path.matches('/').count(), depth, "{}", setting.path);
                walk(&setting.children, depth + 1);
            }
        }
        for component in catalogue().components() {
            walk(&component.settings, 0);
        }
    }

    #[test]
    fn cells_are_known_words() {
        for cells in rows(SETTINGS) {
            if cells.get(0) == "@" {
                continue;
            }
            let path = cells.get(0);
            assert!(
                ["leaf", "container", "list", "item"].contains(&cells.get(1)),
                "{path}: kind"
            );
            assert!(
                cells.get(2).is_empty() || value_type(cells.get(2)).is_some(),
                "{path}: type"
            );
            assert!(cells.get(5).chars().all(|c| "wfgsauo".contains(c)), "{path}: passes");
            assert!(["", "yes", "no"].contains(&cells.get(7)), "{path}: required");
            assert!(["", "yes", "no"].contains(&cells.get(8)), "{path}: empty");
            assert!(["", "yes"].contains(&cells.get(11)), "{path}: secret");
            assert!(!cells.get(13).is_empty(), "{path}: source");
            assert_eq!(cells.0.len(), 14, "{path}: columns");
        }
    }

    #[test]
    fn children_are_read_where_their_parents_are() {
        fn walk(component: &Component, setting: &Setting) {
            for child in &setting.children {
                let fits = child.passes.within(setting.passes) || setting.passes.is_empty();
                assert!(fits, "{} {}", component.name, child.path);
                walk(component, child);
            }
        }
        for component in catalogue().components() {
            for setting in &component.settings {
                walk(component, setting);
            }
        }
    }

    #[test]
    fn list_keys_exist() {
        for component in catalogue().components() {
            for setting in component.all() {
                if let Some(key) = setting.list_key {
                    assert!(
                        setting.child(key).is_some(),
                        "{} {} {key}",
                        component.name,
                        setting.path
                    );
                    assert_eq!(setting.kind, Kind::Item, "{}", setting.path);
                }
            }
        }
    }

    #[test]
    fn names_are_found_in_any_case() {
        let shell = catalogue().component("microsoft-windows-SHELL-setup").unwrap();
        assert_eq!(shell.setting("oobe/hideeulapage").unwrap().path, "OOBE/HideEULAPage");
        assert!(catalogue().component("Microsoft-Windows-Shell").is_none());
        assert!(
            catalogue()
                .owners("RunSynchronous")
                .any(|one| one.name == "Microsoft-Windows-Deployment")
        );
    }
}
