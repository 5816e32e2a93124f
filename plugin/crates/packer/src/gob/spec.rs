//! The older encoding of a spec: Go's `hcldec.ObjectSpec` with its `cty.Type`s.

use std::collections::BTreeMap;

use super::{Gob, basic};
use crate::cty;
use crate::hcl::{ObjectSpec, Spec};

const GOB_TYPE: i64 = 65;
const PRIMITIVE: i64 = 66;
const LIST: i64 = 67;
const TYPE: i64 = 68;
const MAP: i64 = 69;
const OBJECT: i64 = 70;
const ATTRIBUTE: i64 = 71;
const BLOCKS: i64 = 72;
const BLOCK: i64 = 73;
const TYPE_OBJECT: i64 = 74;
const TYPES: i64 = 75;
const NAMES: i64 = 76;
const NOTHING: i64 = 77;

/// The bytes of a spec.
pub(crate) fn config_spec(spec: &ObjectSpec) -> Vec<u8> {
    let value = Gob::default().int(OBJECT).raw(&object(spec).into_bytes());
    prologue().message(value).into_bytes()
}

fn prologue() -> Gob {
    let nested = ("Nested", basic::INTERFACE);
    let named = ("TypeName", basic::STRING);
    let required = ("Required", basic::BOOL);
    let items = [named, nested, ("MinItems", basic::INT), ("MaxItems", basic::INT)];
    Gob::default()
        .define_map(OBJECT, "ObjectSpec", basic::STRING, basic::INTERFACE)
        .define_struct(
            ATTRIBUTE,
            "AttrSpec",
            &[("Name", basic::STRING), ("Type", TYPE), required],
        )
        .define_encoder(TYPE, "Type")
        .define_struct(BLOCKS, "BlockListSpec", &items)
        .define_struct(BLOCK, "BlockSpec", &[named, nested, required])
}

/// A body as a value that is no structure: a zero byte, the count, the entries.
fn object(spec: &ObjectSpec) -> Gob {
    let empty = Gob::default().uint(0).length(spec.iter().len());
    spec.iter()
        .fold(empty, |gob, (name, spec)| entry(gob.string(name), name, spec))
}

fn entry(gob: Gob, name: &str, spec: &Spec) -> Gob {
    let named = Gob::default().uint(1).string(name).uint(1);
    let required = |gob: Gob, required: bool| if required { gob.uint(1).uint(1) } else { gob };
    match spec {
        Spec::Attribute {
            kind, required: must, ..
        } => {
            let body = required(named.bytes(&type_stream(&kind.into())), *must);
            gob.interface("*hcldec.AttrSpec", ATTRIBUTE, body.uint(0))
        }
        Spec::Block { nested, required: must } => {
            let body = required(body(named, nested), *must);
            gob.interface("*hcldec.BlockSpec", BLOCK, body.uint(0))
        }
        Spec::Blocks { nested } => gob.interface("*hcldec.BlockListSpec", BLOCKS, body(named, nested).uint(0)),
    }
}

fn body(gob: Gob, nested: &ObjectSpec) -> Gob {
    gob.interface("github.com/hashicorp/hcl/v2/hcldec.ObjectSpec", OBJECT, object(nested))
}

/// A `cty.Type`, which encodes itself as a complete stream of its own.
pub(crate) fn type_stream(kind: &cty::Type) -> Vec<u8> {
    let stream = Gob::default().define_struct(
        GOB_TYPE,
        "gobType",
        &[("Version", basic::INT), ("Impl", basic::INTERFACE)],
    );
    let element = |kind: &cty::Type| Gob::default().uint(1).bytes(&type_stream(kind));
    let (stream, name, id, body) = match kind {
        cty::Type::String => primitive(stream, b'S'),
        cty::Type::Number => primitive(stream, b'N'),
        cty::Type::Bool => primitive(stream, b'B'),
        cty::Type::List(kind) => (collection(stream, LIST, "typeList"), "typeList", LIST, element(kind)),
        cty::Type::Map(kind) => (collection(stream, MAP, "typeMap"), "typeMap", MAP, element(kind)),
        cty::Type::Object(kinds) => object_type(stream, kinds),
    };
    let name = format!("github.com/zclconf/go-cty/cty.{name}");
    let value = Gob::default().int(GOB_TYPE).uint(2).interface(&name, id, body.uint(0));
    stream.message(value.uint(0)).into_bytes()
}

/// Definitions, the implementing type's name and number, its value.
type Implementation = (Gob, &'static str, i64, Gob);

fn primitive(stream: Gob, letter: u8) -> Implementation {
    let stream = stream.define_struct(PRIMITIVE, "primitiveType", &[("Kind", basic::UINT)]);
    let body = Gob::default().uint(1).uint(u64::from(letter));
    (stream, "primitiveType", PRIMITIVE, body)
}

fn collection(stream: Gob, id: i64, name: &str) -> Gob {
    let stream = stream.define_struct(id, name, &[("ElementTypeT", TYPE)]);
    stream.define_encoder(TYPE, "Type")
}

fn object_type(stream: Gob, kinds: &BTreeMap<String, cty::Type>) -> Implementation {
    let stream = stream
        .define_struct(
            TYPE_OBJECT,
            "typeObject",
            &[("AttrTypes", TYPES), ("AttrOptional", NAMES)],
        )
        .define_map(TYPES, "map[string]cty.Type", basic::STRING, TYPE)
        .define_encoder(TYPE, "Type")
        .define_map(NAMES, "map[string]struct {}", basic::STRING, NOTHING)
        .define_struct(NOTHING, "", &[]);
    let empty = Gob::default().uint(1).length(kinds.len());
    let body = kinds
        .iter()
        .fold(empty, |gob, (name, kind)| gob.string(name).bytes(&type_stream(kind)));
    (stream, "typeObject", TYPE_OBJECT, body)
}
