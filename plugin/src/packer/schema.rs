//! A spec's sections as HCL blocks: derived from the same types as the YAML's schema, so that both say the same.
//!
//! HCL plugins know attributes of simple types, lists and maps of them, and blocks. So:
//!
//! - a mapping of known fields is a block, a list of mappings is a block that may be repeated;
//! - text, numbers, truth values, and lists and maps of them are attributes;
//! - a mapping that may also be a word (`root_volume: none`) is a block, and the word is its attribute [`WORD`]; in JSON
//!   templates the word stands alone;
//! - a step is a block `software` with one block in it that names the operation;
//! - what is left (maps of mixed values) is text, written with `jsonencode(…)`; in JSON templates it stands as it is.
//!
//! Packer's template engine renders every text, but not those that the schema calls programs or documents
//! (`contentMediaType`): braces may mean something else there.

use std::collections::BTreeMap;

use reseal_packer::{Braces, ObjectSpec, Spec, Type};
use serde_json::{Map, Value};

/// The attribute for the word that may stand for a block.
pub(super) const WORD: &str = "is";
/// Schemas are nested less deep than this; deeper ones would be recursive.
const DEPTH: usize = 16;

/// What may stand under one name.
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    /// An attribute.
    Plain(Type, Braces),
    /// At most one block.
    One(Body),
    /// Any number of blocks.
    Many(Body),
}

/// The names in a block.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Body {
    fields: BTreeMap<String, (Shape, bool)>,
    word: bool,
}

impl Body {
    /// The named sections of a spec, none of which must be there.
    pub(super) fn sections(names: &[&str]) -> Self {
        let root = reseal_spec::schema::schema();
        let body = Self::of(&root, &root, DEPTH);
        let wanted = body
            .fields
            .into_iter()
            .filter(|(name, _)| names.contains(&name.as_str()));
        Self {
            fields: wanted.map(|(name, (shape, _))| (name, (shape, false))).collect(),
            word: false,
        }
    }

    fn of(schema: &Value, root: &Value, depth: usize) -> Self {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        let field = |(name, schema): (&String, &Value)| {
            let shape = shape(schema, root, depth.saturating_sub(1));
            (name.clone(), (shape, is_required(name)))
        };
        Self {
            fields: properties.map(field).collect(),
            word: false,
        }
    }

    /// The names of both; what one of them lacks, nobody must give.
    fn or(mut self, other: Self) -> Self {
        for (name, (_, required)) in &mut self.fields {
            *required &= other.fields.contains_key(name);
        }
        for (name, (shape, required)) in other.fields {
            let known = self.fields.contains_key(&name);
            self.fields.entry(name).or_insert((shape, required && known));
        }
        self
    }

    /// As Packer wants to know it.
    pub(super) fn spec(&self) -> ObjectSpec {
        let word = self
            .word
            .then(|| (WORD.to_owned(), Spec::attribute(Type::String, false)));
        let fields = self.fields.iter().map(|(name, (shape, required))| {
            let required = *required && !self.word;
            (name.clone(), shape.spec(required))
        });
        let spec: ObjectSpec = fields.chain(word).collect();
        if self.word { spec.shorthand(WORD) } else { spec }
    }

    /// What the user wrote, as a spec has it: without what was left out.
    pub(super) fn value(&self, options: &Map<String, Value>) -> Value {
        if let Some(word) = options.get(WORD).filter(|word| self.word && !word.is_null()) {
            return word.clone();
        }
        let field = |(name, (shape, _)): (&String, &(Shape, bool))| {
            let value = shape.value(options.get(name)?)?;
            Some((name.clone(), value))
        };
        Value::Object(self.fields.iter().filter_map(field).collect())
    }
}

impl Shape {
    fn spec(&self, required: bool) -> Spec {
        match self {
            Self::Plain(kind, braces) => Spec::attribute(kind.clone(), required).with_braces(*braces),
            Self::One(body) => Spec::Block {
                nested: body.spec(),
                required,
            },
            Self::Many(body) => Spec::Blocks { nested: body.spec() },
        }
    }

    fn value(&self, option: &Value) -> Option<Value> {
        match (self, option) {
            (_, Value::Null) => None,
            (Self::One(body), Value::Object(options)) => Some(body.value(options)),
            (Self::Many(_), Value::Array(blocks)) if blocks.is_empty() => None,
            (Self::Many(body), Value::Array(blocks)) => {
                let blocks = blocks.iter().filter_map(Value::as_object);
                Some(blocks.map(|options| body.value(options)).collect())
            }
            (_, other) => Some(other.clone()),
        }
    }
}

fn shape(schema: &Value, root: &Value, depth: usize) -> Shape {
    let schema = resolved(schema, root);
    let braces = match schema.get("contentMediaType") {
        Some(_) => Braces::Literal,
        None => Braces::Template,
    };
    let plain = |kind| Shape::Plain(kind, braces);
    if depth == 0 {
        return plain(Type::Json);
    }
    let forms = ["anyOf", "oneOf"]
        .into_iter()
        .find_map(|key| schema.get(key)?.as_array());
    if let Some(forms) = forms {
        let forms = forms
            .iter()
            .filter(|form| form.get("type").is_none_or(|kind| kind != "null"));
        return either(forms.map(|form| shape(form, root, depth - 1)).collect());
    }
    match kind(schema) {
        Kind::Text => plain(Type::String),
        Kind::Number => plain(Type::Number),
        Kind::Bool => plain(Type::Bool),
        Kind::List => match schema.get("items").map(|items| shape(items, root, depth - 1)) {
            Some(Shape::Plain(element, _)) if element != Type::Json => plain(Type::list(element)),
            Some(Shape::One(body)) => Shape::Many(body),
            _ => plain(Type::Json),
        },
        Kind::Mapping if schema.get("properties").is_some() => Shape::One(Body::of(schema, root, depth)),
        Kind::Mapping => match schema.get("additionalProperties").filter(|inner| inner.is_object()) {
            Some(inner) => match shape(inner, root, depth - 1) {
                Shape::Plain(element @ (Type::String | Type::Number | Type::Bool), _) => plain(Type::map(element)),
                _ => plain(Type::Json),
            },
            None => plain(Type::Json),
        },
        Kind::Mixed => plain(Type::Json),
    }
}

/// What may be anything.
const MIXED: Shape = Shape::Plain(Type::Json, Braces::Template);

/// One of several shapes: the same one, a block with all names, or text.
fn either(shapes: Vec<Shape>) -> Shape {
    let same = |shapes: &[Shape]| shapes.windows(2).all(|pair| pair.first() == pair.last());
    if same(&shapes) {
        return shapes.into_iter().next().unwrap_or(MIXED);
    }
    let words = shapes.iter().any(|shape| !matches!(shape, Shape::One(_)));
    let simple = |shape: &Shape| {
        matches!(
            shape,
            Shape::One(_) | Shape::Plain(Type::String | Type::Number | Type::Bool, _)
        )
    };
    if !shapes.iter().all(simple) {
        return MIXED;
    }
    let bodies = shapes.into_iter().filter_map(|shape| match shape {
        Shape::One(body) => Some(body),
        _ => None,
    });
    match bodies.reduce(Body::or) {
        Some(body) => Shape::One(Body {
            word: body.word || words,
            ..body
        }),
        None => Shape::Plain(Type::String, Braces::Template),
    }
}

/// The schema behind references.
fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..DEPTH {
        let all = schema.get("allOf").and_then(Value::as_array);
        if let Some([one]) = all.map(Vec::as_slice) {
            schema = one;
        }
        let target = schema.get("$ref").and_then(Value::as_str);
        match target.and_then(|target| root.pointer(target.strip_prefix('#')?)) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

enum Kind {
    Text,
    Number,
    Bool,
    List,
    Mapping,
    Mixed,
}

/// The one type of a schema. Where a variable may stand for a value that is not text, the other type counts: HCL has
/// variables of its own.
fn kind(schema: &Value) -> Kind {
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(some)) => some
            .iter()
            .filter_map(Value::as_str)
            .filter(|kind| *kind != "null")
            .collect(),
        _ => vec![],
    };
    let constant = schema.get("const").or_else(|| schema.get("enum")?.as_array()?.first());
    match (kinds.as_slice(), constant) {
        ([], Some(Value::String(_))) | (["string"], _) => Kind::Text,
        ([], Some(Value::Number(_))) | (["integer" | "number"], _) => Kind::Number,
        (["boolean"], _) => Kind::Bool,
        (["array", ..], _) => Kind::List,
        (["object"], _) => Kind::Mapping,
        ([kind, "string"], _) if schema.get("pattern").is_some() => match *kind {
            "boolean" => Kind::Bool,
            _ => Kind::Number,
        },
        // Numbers and truth values become text by themselves in HCL.
        ([_, ..], _)
            if kinds
                .iter()
                .all(|kind| ["string", "integer", "number", "boolean"].contains(kind)) =>
        {
            Kind::Text
        }
        _ => Kind::Mixed,
    }
}

#[cfg(test)]
mod tests;
