//! The options of one operation, with all mistakes at their places.

use reseal_diag::Diagnostic;
use reseal_guest::{Step, StepError, StepErrorKind, parse_step};
use serde_json::Value;

use crate::codes;
use crate::route;
use crate::shape;
use crate::yaml::Document;

/// More mistakes than this in one step are not told one by one.
const MOST: usize = 30;

/// The typed step. `options` are filled in and without the common fields; `at` is their route.
pub(super) fn options(
    document: &Document,
    operation: &str,
    options: Value,
    at: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Step> {
    let mut options = options;
    let mut removed: Vec<Vec<String>> = Vec::new();
    for _ in 0..MOST {
        let error = match parse_step(operation, options.clone()) {
            Ok(step) => return removed.is_empty().then_some(step),
            Err(error) => error,
        };
        let path = keys(&options, &error.path);
        // What is wrong around a piece that was taken out may be wrong because of that.
        if removed.iter().any(|removed| removed.starts_with(&path)) {
            return None;
        }
        diagnostics.push(diagnostic(document, at, &path, &error));
        // A list cannot lose an item without moving the others, and a missing field cannot be made up.
        let in_list = path.iter().any(|key| key.parse::<usize>().is_ok());
        if error.kind == StepErrorKind::Missing || in_list || !remove(&mut options, &path) {
            return None;
        }
        removed.push(path);
    }
    None
}

/// The parts of a path such as `source.sha256` or `names[1]`. Keys may themselves hold dots: the longest key that is
/// there counts.
fn keys(options: &Value, path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut here = Some(options);
    let mut rest = path;
    while !rest.is_empty() {
        let (key, after) = next_key(here, rest);
        here = here.and_then(|value| match value {
            Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(&key),
        });
        keys.push(key);
        rest = after;
    }
    keys
}

fn next_key<'a>(here: Option<&Value>, rest: &'a str) -> (String, &'a str) {
    if let Some((index, after)) = rest.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
        return (index.to_owned(), after.strip_prefix('.').unwrap_or(after));
    }
    let map = here.and_then(Value::as_object);
    let known = map
        .into_iter()
        .flat_map(|map| map.keys())
        .filter(|key| !key.is_empty())
        .filter(|key| {
            rest.strip_prefix(key.as_str())
                .is_some_and(|after| after.is_empty() || after.starts_with(['.', '[']))
        })
        .max_by_key(|key| key.len());
    let end = known.map_or_else(|| rest.find(['.', '[']).unwrap_or(rest.len()).max(1), String::len);
    let (key, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    (key.to_owned(), after.strip_prefix('.').unwrap_or(after))
}

fn remove(options: &mut Value, path: &[String]) -> bool {
    let Some((last, around)) = path.split_last() else {
        return false;
    };
    let mut here = options;
    for key in around {
        match here.get_mut(key.as_str()) {
            Some(next) => here = next,
            None => return false,
        }
    }
    here.as_object_mut().is_some_and(|map| map.shift_remove(last).is_some())
}

fn diagnostic(document: &Document, at: &str, path: &[String], error: &StepError) -> Diagnostic {
    let allowed = || error.allowed.iter().map(String::as_str);
    let here = path.iter().fold(at.to_owned(), |at, key| route::member(&at, key));
    match error.kind {
        StepErrorKind::UnknownField => {
            let around = route::parent(&here).unwrap_or(at).to_owned();
            shape::unknown_field(document, &around, &route::last(&here), allowed())
        }
        StepErrorKind::Missing => missing(document, &here, error),
        StepErrorKind::WrongType => shape::wrong_type(document, &here, &error.message, wanted(&error.message)),
        StepErrorKind::Invalid | StepErrorKind::UnknownStep => {
            let hash = path.last().is_some_and(|key| key == "sha256");
            let code = if hash { codes::BAD_HASH } else { codes::BAD_VALUE };
            let name = path.last().map(|name| format!("`{name}`: ")).unwrap_or_default();
            let diagnostic = Diagnostic::error(code, format!("{name}{}", error.message));
            if error.allowed.is_empty() {
                return diagnostic.at(&document.source, document.value_span(&here), "");
            }
            let word = error.message.split('`').nth(1).unwrap_or("").to_owned();
            shape::choice(document, &here, &word, allowed(), diagnostic)
        }
    }
}

fn missing(document: &Document, here: &str, error: &StepError) -> Diagnostic {
    match error.allowed.as_slice() {
        [field] => shape::missing_field(document, here, field),
        _ => Diagnostic::error(codes::MISSING_FIELD, error.message.clone()).at(
            &document.source,
            document.key_span(here),
            "",
        ),
    }
}

/// What serde's sentence wanted, in our words.
fn wanted(message: &str) -> &str {
    match message.rsplit_once("expected ") {
        Some((_, "a string")) => "text",
        Some((_, wanted)) => wanted,
        None => "another type",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_taken_apart_along_the_value() {
        let options = json!({"values": {"My.Value": {"dword": "x"}, "My": 1}, "names": ["a", "b"]});
        assert_eq!(keys(&options, "values.My.Value.dword"), ["values", "My.Value", "dword"]);
        assert_eq!(keys(&options, "names[1]"), ["names", "1"]);
        assert_eq!(keys(&options, "a.b[2].c"), ["a", "b", "2", "c"]);
        assert_eq!(keys(&options, ""), Vec::<String>::new());
        assert_eq!(keys(&options, "[x"), ["[", "x"]);
    }
}
