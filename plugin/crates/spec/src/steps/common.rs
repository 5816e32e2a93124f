//! The fields that every step has.

use reseal_diag::Diagnostic;
use reseal_guest::RESERVED_FIELDS;
use serde_json::{Map, Value};

use super::expand::Frame;
use crate::codes;
use crate::model::Policy;
use crate::route;
use crate::shape;
use crate::variables::{Filler, Form};

/// What the common fields of a step say.
#[derive(Debug, Default)]
pub(super) struct Common {
    pub name: Option<String>,
    /// The condition and its route.
    pub when: Option<(String, String)>,
    pub policy: Policy,
}

/// One of the two places that common fields may stand in.
struct Side<'a> {
    at: &'a str,
    fields: Map<String, Value>,
}

/// Whether a field inside an operation's options belongs to every step. `reboot` has a `when` of its own.
pub(super) fn is_common(operation: &str, field: &str) -> bool {
    RESERVED_FIELDS.contains(&field) && !(operation == "reboot" && field == "when")
}

/// Takes the common fields out of a step: `beside` the operation and inside its options, each with its route.
pub(super) fn gather(
    frame: &Frame<'_>,
    operation: &str,
    (beside_at, beside): (&str, &Map<String, Value>),
    (inside_at, inside): (&str, &mut Map<String, Value>),
    diagnostics: &mut Vec<Diagnostic>,
) -> Common {
    let mut outer = Side {
        at: beside_at,
        fields: Map::new(),
    };
    let mut inner = Side {
        at: inside_at,
        fields: Map::new(),
    };
    for field in RESERVED_FIELDS {
        if let Some(value) = beside.get(field) {
            outer.fields.insert(field.to_owned(), value.clone());
        }
        if is_common(operation, field)
            && let Some(value) = inside.shift_remove(field)
        {
            if outer.fields.contains_key(field) {
                diagnostics.push(given_twice(frame, field, outer.at, inner.at));
            }
            inner.fields.insert(field.to_owned(), value);
        }
    }
    let name = text(frame, "name", [&outer, &inner], diagnostics).map(|(name, _)| name);
    let when = condition(frame, [&outer, &inner], diagnostics);
    let policy = policy(frame, [&outer, &inner], diagnostics);
    Common { name, when, policy }
}

fn given_twice(frame: &Frame<'_>, field: &str, outer: &str, inner: &str) -> Diagnostic {
    let source = &frame.document.source;
    let place = |at: &str| frame.document.key_span(&route::member(at, field));
    Diagnostic::error(
        codes::GIVEN_TWICE,
        format!("`{field}` is given beside the operation and inside it"),
    )
    .at(source, place(inner), "and here")
    .related(source, place(outer), "here")
    .help("keep one of them")
}

fn text(
    frame: &Frame<'_>,
    field: &str,
    sides: [&Side<'_>; 2],
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<(String, String)> {
    let (side, value) = sides
        .iter()
        .find_map(|side| side.fields.get(field).map(|value| (side, value)))?;
    let at = route::member(side.at, field);
    let mut filler = Filler {
        document: &frame.document,
        scope: frame.scope,
        form: Form::Final,
        diagnostics,
    };
    let (text, complaints) = shape::read::<String>(&filler.value(value, &at), &at);
    diagnostics.extend(
        complaints
            .iter()
            .map(|complaint| shape::report(&frame.document, complaint)),
    );
    text.map(|text| (text, at))
}

/// `when` is not filled in: it names variables without `${}`.
fn condition(frame: &Frame<'_>, sides: [&Side<'_>; 2], diagnostics: &mut Vec<Diagnostic>) -> Option<(String, String)> {
    let (side, value) = sides
        .iter()
        .find_map(|side| side.fields.get("when").map(|value| (side, value)))?;
    let at = route::member(side.at, "when");
    if let Value::Bool(value) = value {
        return Some((value.to_string(), at));
    }
    let (text, complaints) = shape::read::<String>(value, &at);
    diagnostics.extend(
        complaints
            .iter()
            .map(|complaint| shape::report(&frame.document, complaint)),
    );
    text.map(|text| (text, at))
}

fn policy(frame: &Frame<'_>, sides: [&Side<'_>; 2], diagnostics: &mut Vec<Diagnostic>) -> Policy {
    let mut policy = Policy::default();
    for side in sides.into_iter().rev() {
        let mut fields = Map::new();
        for (field, value) in side
            .fields
            .iter()
            .filter(|(field, _)| !matches!(field.as_str(), "name" | "when"))
        {
            let at = route::member(side.at, field);
            let mut filler = Filler {
                document: &frame.document,
                scope: frame.scope,
                form: Form::Template,
                diagnostics,
            };
            fields.insert(field.clone(), filler.value(value, &at));
        }
        let (read, complaints) = shape::read::<Policy>(&Value::Object(fields.clone()), side.at);
        diagnostics.extend(
            complaints
                .iter()
                .map(|complaint| shape::report(&frame.document, complaint)),
        );
        merge(&mut policy, read.unwrap_or_default(), &fields);
    }
    if policy.retries > 20 {
        let at = sides
            .iter()
            .find(|side| side.fields.contains_key("retries"))
            .map_or("", |side| side.at);
        let span = frame.document.value_span(&route::member(at, "retries"));
        let message = "a step can be tried again 20 times at the most";
        diagnostics.push(Diagnostic::error(codes::BAD_VALUE, message).at(&frame.document.source, span, ""));
    }
    policy
}

fn merge(policy: &mut Policy, read: Policy, fields: &Map<String, Value>) {
    if fields.contains_key("timeout") {
        policy.timeout = read.timeout;
    }
    if fields.contains_key("retries") {
        policy.retries = read.retries;
    }
    if fields.contains_key("on_failure") {
        policy.on_failure = read.on_failure;
    }
    if fields.contains_key("only_if") {
        policy.only_if = read.only_if;
    }
}
