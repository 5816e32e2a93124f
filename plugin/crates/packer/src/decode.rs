//! What a template says, as a component wants it: rendered, converted, complete.
//!
//! Templates in HCL arrive converted, and Packer has refused what is unknown or missing. Those in JSON arrive as they were
//! written, and the plugin does what Packer does for HCL, with the conversions of Go's plugins: numbers and truth values may
//! be text and the other way round, a list may be text with commas or its only element, names may differ in case. Texts of
//! both are rendered by the template engine ([`interpolate`](crate::interpolate)) before they are converted.

mod later;
mod weak;

use serde_json::{Map, Value as Json};

pub(crate) use later::filled;

use crate::hcl::{Braces, ObjectSpec, Spec, Type};
use crate::interpolate::{Context, render};

/// What is said of a secret that is no template, without a word of it.
const NO_TEMPLATE: &str = "the secret has `{{` in it, which begins a template, and is none; `{{`{{`}}` makes two braces (in HCL: \
                           replace(var.name, \"{{\", \"{{`{{`}}\"))";

/// Options deeper than this are refused.
const DEPTH: usize = 64;

/// Where a template was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Packer has checked it.
    Hcl,
    /// Nobody has.
    Json,
}

/// Decodes options, of which later ones go on top of earlier ones. Says everything that is wrong.
pub(crate) fn decode(
    spec: &ObjectSpec,
    language: Language,
    sources: Vec<Map<String, Json>>,
    context: &Context,
) -> Result<Map<String, Json>, Vec<String>> {
    let mut all = Json::Object(Map::new());
    for source in sources {
        put_on_top(&mut all, Json::Object(source), DEPTH);
    }
    let mut decoder = Decoder {
        context,
        language,
        faults: vec![],
        wrong: vec![],
        unknown: vec![],
        missing: vec![],
    };
    let empty = Map::new();
    let options = decoder.body(spec, all.as_object().unwrap_or(&empty), "");
    match decoder.complaints() {
        wrong if wrong.is_empty() => Ok(options),
        wrong => Err(wrong),
    }
}

/// Maps grow together, everything else is replaced.
fn put_on_top(below: &mut Json, above: Json, depth: usize) {
    match (below, above) {
        (Json::Object(below), Json::Object(above)) if depth > 0 => {
            for (name, value) in above {
                put_on_top(below.entry(name).or_insert(Json::Null), value, depth - 1);
            }
        }
        (below, above) => *below = above,
    }
}

struct Decoder<'a> {
    context: &'a Context,
    language: Language,
    /// Templates that make no text.
    faults: Vec<String>,
    /// Values that cannot be converted.
    wrong: Vec<String>,
    /// Names that nobody knows.
    unknown: Vec<String>,
    /// What must be there and is not.
    missing: Vec<String>,
}

impl Decoder<'_> {
    /// As Go's plugins say it: each kind of complaint only when there is none of the kinds before.
    fn complaints(mut self) -> Vec<String> {
        self.wrong.sort();
        self.unknown.sort();
        if !self.faults.is_empty() {
            return self.faults;
        }
        if !self.wrong.is_empty() {
            let count = self.wrong.len();
            return vec![format!("{count} error(s) decoding:\n\n* {}", self.wrong.join("\n* "))];
        }
        if !self.unknown.is_empty() {
            let (count, plural) = (self.unknown.len(), if self.unknown.len() == 1 { "" } else { "s" });
            let list = self.unknown.join("\n\t* ");
            return vec![format!("{count} error{plural} occurred:\n\t* {list}\n\n")];
        }
        self.missing
    }

    /// A body: every name that it has, with null or nothing for what was left out.
    fn body(&mut self, spec: &ObjectSpec, given: &Map<String, Json>, path: &str) -> Map<String, Json> {
        let names: Vec<&str> = spec.iter().map(|(name, _)| name).collect();
        let mut used = Vec::new();
        let mut options = Map::new();
        for (name, spec) in spec.iter() {
            let found = given.get_key_value(name).or_else(|| {
                let other_case =
                    |(key, _): &(&String, &Json)| key.eq_ignore_ascii_case(name) && !names.contains(&key.as_str());
                given.iter().find(other_case)
            });
            used.extend(found.map(|(key, _)| key.as_str()));
            let value = found.map_or(&Json::Null, |(_, value)| value);
            let path = joined(path, name);
            let value = self.option(spec, value, &path);
            self.require(spec, &value, &path);
            options.insert(name.to_owned(), value);
        }
        for key in given.keys().filter(|key| !used.contains(&key.as_str())) {
            let packers = path.is_empty() && (key == "type" || key.starts_with("packer_"));
            if !packers {
                self.unknown.push(unknown(&joined(path, key), key, &names));
            }
        }
        options
    }

    fn require(&mut self, spec: &Spec, value: &Json, path: &str) {
        let required = match spec {
            Spec::Attribute { required, .. } | Spec::Block { required, .. } => *required,
            Spec::Blocks { .. } => false,
        };
        if required && value.is_null() && self.language == Language::Json {
            let why = format!("The argument {path:?} is required, but no definition was found.");
            self.missing.push(why);
        }
    }

    fn option(&mut self, spec: &Spec, value: &Json, path: &str) -> Json {
        match (spec, value) {
            (Spec::Attribute { .. } | Spec::Block { .. }, Json::Null) => Json::Null,
            (Spec::Attribute { kind, braces, .. }, value) => self.value(kind, *braces, value, path),
            (Spec::Block { nested, .. }, Json::Object(given)) => Json::Object(self.body(nested, given, path)),
            (Spec::Block { nested, .. }, other) => self.short(nested, other, path),
            (Spec::Blocks { nested }, Json::Array(items)) => {
                let item = |(at, item): (usize, &Json)| self.item(nested, item, &format!("{path}[{at}]"));
                Json::Array(items.iter().enumerate().map(item).collect())
            }
            (Spec::Blocks { .. }, Json::Null) => Json::Array(vec![]),
            (Spec::Blocks { .. }, Json::Object(given)) if given.is_empty() => Json::Array(vec![]),
            (Spec::Blocks { .. }, Json::String(text)) if text.is_empty() => Json::Array(vec![]),
            (Spec::Blocks { nested }, one) => Json::Array(vec![self.item(nested, one, &format!("{path}[0]"))]),
        }
    }

    fn item(&mut self, nested: &ObjectSpec, item: &Json, path: &str) -> Json {
        match item {
            Json::Object(given) => Json::Object(self.body(nested, given, path)),
            Json::Null => Json::Object(self.body(nested, &Map::new(), path)),
            other => self.short(nested, other, path),
        }
    }

    /// A simple value where a block is wanted.
    fn short(&mut self, nested: &ObjectSpec, value: &Json, path: &str) -> Json {
        match nested.short().filter(|_| !value.is_array()) {
            Some(name) => {
                let given = Map::from_iter([(name.to_owned(), value.clone())]);
                Json::Object(self.body(nested, &given, path))
            }
            None => self.refuse(format!("'{path}' expected a map, got '{}'", weak::sort(value))),
        }
    }

    fn value(&mut self, kind: &Type, braces: Braces, value: &Json, path: &str) -> Json {
        let rendered;
        let value = match value {
            // JSON in text is taken apart before its texts are rendered: quotes are escaped in it.
            Json::String(text) if *kind != Type::Json || weak::compound(text).is_none() => {
                rendered = Json::String(self.render(text, braces, path));
                &rendered
            }
            value => value,
        };
        match kind {
            Type::List(element) => self.list(element, braces, value, path),
            Type::Map(element) => self.map(element, braces, value, path),
            Type::Json => match value.as_str().and_then(weak::compound) {
                Some(value) => self.deep(&value, braces, path, DEPTH),
                None if value.is_string() => value.clone(),
                None => self.deep(value, braces, path, DEPTH),
            },
            Type::String | Type::Number | Type::Bool => {
                let converted = weak::scalar(kind, value, path);
                converted.unwrap_or_else(|why| self.refuse(why))
            }
        }
    }

    fn list(&mut self, element: &Type, braces: Braces, value: &Json, path: &str) -> Json {
        let items = match value {
            Json::Array(items) => {
                let item = |(at, item): (usize, &Json)| match item {
                    Json::Null => weak::zero(element),
                    item => self.value(element, braces, item, &format!("{path}[{at}]")),
                };
                items.iter().enumerate().map(item).collect()
            }
            Json::String(text) if text.is_empty() => vec![],
            Json::String(text) => {
                let part = |(at, part): (usize, &str)| {
                    let converted = weak::scalar(element, &part.into(), &format!("{path}[{at}]"));
                    converted.unwrap_or_else(|why| self.refuse(why))
                };
                text.split(',').enumerate().map(part).collect()
            }
            Json::Object(entries) if entries.is_empty() => vec![],
            one => vec![self.value(element, braces, one, &format!("{path}[0]"))],
        };
        Json::Array(items)
    }

    fn map(&mut self, element: &Type, braces: Braces, value: &Json, path: &str) -> Json {
        let entries: Vec<(&String, &Json)> = match value {
            Json::Object(entries) => entries.iter().collect(),
            Json::Array(maps) if maps.iter().all(Json::is_object) => {
                maps.iter().filter_map(Json::as_object).flatten().collect()
            }
            other => return self.refuse(format!("'{path}' expected a map, got '{}'", weak::sort(other))),
        };
        let entry = |(key, value): (&String, &Json)| {
            let path = format!("{path}[{key}]");
            let value = match value {
                Json::Null if self.language == Language::Json => weak::zero(element),
                Json::Null => Json::Null,
                value => self.value(element, braces, value, &path),
            };
            (self.render(key, braces, &path), value)
        };
        Json::Object(entries.into_iter().map(entry).collect())
    }

    /// Values of any shape.
    fn deep(&mut self, value: &Json, braces: Braces, path: &str, depth: usize) -> Json {
        let Some(depth) = depth.checked_sub(1) else {
            return self.refuse(format!("'{path}' is nested too deeply"));
        };
        match value {
            Json::String(text) => Json::String(self.render(text, braces, path)),
            Json::Array(items) => items.iter().map(|item| self.deep(item, braces, path, depth)).collect(),
            Json::Object(entries) => {
                let entry = |(key, value): (&String, &Json)| {
                    (self.render(key, braces, path), self.deep(value, braces, path, depth))
                };
                Json::Object(entries.iter().map(entry).collect())
            }
            Json::Number(number) => weak::whole(number),
            other => other.clone(),
        }
    }

    fn render(&mut self, text: &str, braces: Braces, path: &str) -> String {
        if braces == Braces::Literal {
            return text.to_owned();
        }
        match render(text, self.context) {
            Ok(text) => text,
            Err(_) if braces == Braces::Secret => {
                let why = format!("invalid '{path}': {NO_TEMPLATE}");
                self.faults.push(why);
                String::new()
            }
            Err(fault) => {
                self.faults
                    .push(format!("{} '{path}': {fault} in:\n\n{text}", fault.verb()));
                String::new()
            }
        }
    }

    fn refuse(&mut self, why: String) -> Json {
        self.wrong.push(why);
        Json::Null
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// In the words of Go's plugins, and with what may have been meant.
fn unknown(path: &str, key: &str, names: &[&str]) -> String {
    let likeness = |name: &&str| strsim::normalized_damerau_levenshtein(&key.to_lowercase(), name);
    let near = names.iter().copied().filter(|name| likeness(name) > 0.6);
    let meant = near.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let hint = meant.map_or(String::new(), |meant| format!(", did you mean {meant:?}?"));
    format!("unknown configuration key: '{path:?}'{hint}")
}

#[cfg(test)]
mod tests;
