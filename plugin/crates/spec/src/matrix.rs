//! The combinations of a matrix.

use std::collections::BTreeMap;

use reseal_diag::Diagnostic;
use serde_json::Value;

use crate::codes;
use crate::route;
use crate::yaml::Document;

/// More builds than this from one spec are a mistake.
const MOST: usize = 256;

/// One combination: the values in the order of the lists, and by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Combination(Vec<(String, String)>);

impl Combination {
    /// The values by the list's name.
    pub(crate) fn values(&self) -> BTreeMap<String, String> {
        self.0.iter().cloned().collect()
    }

    /// The build's name: the spec's, and the values with hyphens between.
    pub(crate) fn build_name(&self, name: &str) -> String {
        if self.0.is_empty() {
            return name.to_owned();
        }
        let values: Vec<&str> = self.0.iter().map(|(_, value)| value.as_str()).collect();
        format!("{name}.{}", values.join("-"))
    }
}

/// All combinations of `/matrix`, the last list turning fastest. Exactly one, and empty, without a matrix.
pub(crate) fn combinations(document: &Document, diagnostics: &mut Vec<Diagnostic>) -> Vec<Combination> {
    let mut all = vec![Combination::default()];
    let Some(matrix) = document.value.get("matrix") else {
        return all;
    };
    let Some(lists) = matrix.as_object() else {
        diagnostics.push(wrong(
            document,
            "/matrix",
            "a matrix is a mapping of lists, as in `os: [2019, 2022]`",
        ));
        return all;
    };
    for (name, list) in lists {
        let values = values(document, name, list, diagnostics);
        if values.is_empty() {
            continue;
        }
        all = all
            .iter()
            .flat_map(|one| values.iter().map(move |value| with(one, name, value)))
            .collect();
        if all.len() > MOST {
            let message = format!("this matrix makes more than {MOST} builds");
            diagnostics.push(wrong(document, "/matrix", &message));
            all.truncate(1);
            return all;
        }
    }
    all
}

fn with(one: &Combination, name: &str, value: &str) -> Combination {
    let mut one = one.clone();
    one.0.push((name.to_owned(), value.to_owned()));
    one
}

fn values(document: &Document, name: &str, list: &Value, diagnostics: &mut Vec<Diagnostic>) -> Vec<String> {
    let at = route::member("/matrix", name);
    if !crate::variables::is_name(name) {
        diagnostics.push(crate::variables::bad_name(document, &at, name));
        return Vec::new();
    }
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        diagnostics.push(wrong(document, &at, "a list of the matrix needs at least one value"));
    }
    let mut values = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = route::item(&at, index);
        match text(item) {
            None => diagnostics.push(wrong(
                document,
                &at,
                "a value of the matrix is a word made of letters, digits, `.` and `_`",
            )),
            Some(value) if values.contains(&value) => {
                diagnostics.push(wrong(document, &at, &format!("`{value}` is in this list twice")));
            }
            Some(value) => values.push(value),
        }
    }
    values
}

/// A value as it stands in the build's name.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        _ => return None,
    };
    let fits = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
    fits.then_some(text)
}

fn wrong(document: &Document, at: &str, message: &str) -> Diagnostic {
    Diagnostic::error(codes::MATRIX, message).at(&document.source, document.value_span(at), "")
}
