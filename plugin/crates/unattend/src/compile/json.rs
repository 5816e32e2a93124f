//! `set:` of a spec: settings as nested maps and lists.

use std::str::FromStr as _;

use reseal_diag::Diagnostic;
use serde_json::{Map, Value};

use super::Problem;
use super::want::{Body, Content, Element, Text, Want};
use crate::catalogue::{Kind, Setting, catalogue};
use crate::target::{Architecture, Pass};

/// How deep settings are nested at most; the catalogue knows no more than seven levels.
const DEPTH: usize = 16;

/// Reads the settings of one component.
pub(super) fn read(pass: Pass, key: &str, value: &Value, wants: &mut Vec<Want>, problems: &mut Vec<Problem>) {
    let option = format!("/set/{pass}/{}", escape(key));
    let (name, architecture) = match key.split_once('@') {
        Some((name, word)) => match Architecture::from_str(word) {
            Ok(architecture) => (name, Some(architecture)),
            Err(message) => {
                problems.push(Problem::option(&option, Diagnostic::error("U004", message)));
                return;
            }
        },
        None => (key, None),
    };
    let known = catalogue().component(name);
    let mut reader = Reader {
        pass,
        component: known.map_or(name, |known| known.name).to_owned(),
        architecture,
        wants,
        problems,
    };
    match value {
        Value::Object(settings) => {
            for (name, value) in settings {
                let setting = known.and_then(|known| known.child(name));
                reader.setting(&format!("{option}/{}", escape(name)), &[], name, setting, value);
            }
        }
        _ => reader.complain(&option, "a component takes a map of settings"),
    }
}

struct Reader<'r> {
    pass: Pass,
    component: String,
    architecture: Option<Architecture>,
    wants: &'r mut Vec<Want>,
    problems: &'r mut Vec<Problem>,
}

impl Reader<'_> {
    fn complain(&mut self, option: &str, message: impl Into<String>) {
        self.problems
            .push(Problem::option(option, Diagnostic::error("U021", message)));
    }

    fn want(&mut self, option: &str, path: Vec<String>, content: Content) {
        self.wants.push(Want {
            option: option.to_owned(),
            pass: self.pass,
            component: self.component.clone(),
            architecture: self.architecture,
            path,
            content,
        });
    }

    fn setting(
        &mut self,
        option: &str,
        above: &[String],
        name: &str,
        setting: Option<&'static Setting>,
        value: &Value,
    ) {
        if above.len() > DEPTH {
            return self.complain(option, "settings are not nested that deep");
        }
        if name.starts_with(['@', '#']) {
            return self.complain(option, "attributes and texts of their own belong to the items of lists");
        }
        let mut path = above.to_vec();
        path.push(setting.map_or(name, |setting| setting.name).to_owned());
        match value {
            Value::Null => self.want(option, path, Content::Nothing),
            Value::Object(children) => {
                for (name, value) in children {
                    let child = setting.and_then(|setting| setting.child(name));
                    self.setting(&format!("{option}/{}", escape(name)), &path, name, child, value);
                }
            }
            Value::Array(items) => self.items(option, path, setting, items),
            scalar => {
                let secret = setting.is_some_and(|setting| setting.secret);
                let text = Text {
                    secret,
                    ..Text::plain(scalar_text(scalar))
                };
                self.want(option, path, Content::Text(text));
            }
        }
    }

    fn items(&mut self, option: &str, mut path: Vec<String>, setting: Option<&'static Setting>, items: &[Value]) {
        let (item, name) = match item_of(setting) {
            Some(item) => (Some(item), item.name.to_owned()),
            None => (None, path.last().cloned().unwrap_or_default()),
        };
        if setting.is_none_or(|setting| setting.kind == Kind::Item) {
            path.pop();
        }
        for (index, value) in items.iter().enumerate() {
            let option = format!("{option}/{index}");
            match element(&name, item, value, index, 0) {
                Ok(element) => self.want(&option, path.clone(), Content::Item(element)),
                Err(message) => self.complain(&option, message),
            }
        }
    }
}

/// The item that a list holds, or the item itself.
fn item_of(setting: Option<&'static Setting>) -> Option<&'static Setting> {
    let setting = setting?;
    if setting.kind == Kind::Item {
        return Some(setting);
    }
    setting.children.iter().find(|child| child.kind == Kind::Item)
}

/// An item with everything in it.
fn element(
    name: &str,
    setting: Option<&'static Setting>,
    value: &Value,
    index: usize,
    depth: usize,
) -> Result<Element, String> {
    if depth > DEPTH {
        return Err("settings are not nested that deep".to_owned());
    }
    let is_item = setting.is_none_or(|setting| setting.kind == Kind::Item);
    let mut element = match value {
        Value::Object(map) => from_map(name, setting, map, depth)?,
        Value::Array(_) | Value::Null => return Err(format!("`{name}` takes a text or a map")),
        scalar => {
            let secret = setting.is_some_and(|setting| setting.secret);
            Element::with(
                name,
                Body::Text(Text {
                    secret,
                    ..Text::plain(scalar_text(scalar))
                }),
            )
        }
    };
    if is_item && element.action.is_none() {
        element.action = Some("add".to_owned());
    }
    if setting.is_some_and(Setting::has_key_attribute) && element.key_value.is_none() {
        element.key_value = Some((index + 1).to_string());
    }
    Ok(element)
}

fn from_map(
    name: &str,
    setting: Option<&'static Setting>,
    map: &Map<String, Value>,
    depth: usize,
) -> Result<Element, String> {
    let mut element = Element::with(name, Body::Elements(Vec::new()));
    let mut children = Vec::new();
    let mut text = None;
    for (key, value) in map {
        match key.as_str() {
            "@wcm:action" => element.action = Some(scalar_text(value)),
            "@wcm:keyValue" => element.key_value = Some(scalar_text(value)),
            "#text" => text = Some(Text::plain(scalar_text(value))),
            other if other.starts_with(['@', '#']) => return Err(format!("there is no `{other}`")),
            other => children.extend(inner(other, setting, value, depth + 1)?),
        }
    }
    element.body = match text {
        Some(_) if !children.is_empty() => return Err(format!("`{name}` has both a text and elements")),
        Some(text) => Body::Text(text),
        None => Body::Elements(children),
    };
    Ok(element)
}

/// The elements that one key inside an item stands for.
fn inner(name: &str, parent: Option<&'static Setting>, value: &Value, depth: usize) -> Result<Vec<Element>, String> {
    let setting = parent.and_then(|parent| parent.child(name));
    let name = setting.map_or(name, |setting| setting.name);
    let Value::Array(items) = value else {
        let plain = setting.filter(|setting| setting.kind == Kind::Item);
        let mut element = element(name, setting, value, 0, depth)?;
        if plain.is_none() && setting.is_none() {
            element.action = None;
        }
        return Ok(vec![element]);
    };
    let item = item_of(setting);
    let item_name = item.map_or(name, |item| item.name);
    let items: Vec<Element> = items
        .iter()
        .enumerate()
        .map(|(index, value)| element(item_name, item, value, index, depth))
        .collect::<Result<_, _>>()?;
    Ok(match setting.filter(|setting| setting.kind != Kind::Item) {
        Some(list) => vec![Element::with(list.name, Body::Elements(items))],
        None => items,
    })
}

fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A step of a JSON pointer.
fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}
