//! The older encoding of a data source's output: Go's `cty.Value`.

use serde_json::{Number, Value as Json};

use super::{Gob, basic, type_stream};
use crate::cty::Type;

const VALUE: i64 = 64;
const GOB_VALUE: i64 = 65;
const TYPE: i64 = 66;
const MAP: i64 = 67;
const LIST: i64 = 68;
const FLOAT: i64 = 69;

/// Bits of precision of a number: enough for any 64-bit integer and any `f64`.
const PRECISION: u32 = 64;
/// Rounding of a number to nearest even, and that it is exact.
const MODE: u8 = 0b0000_1000;

/// The bytes of a value, which must have its type.
pub(crate) fn cty_value(kind: &Type, value: &Json) -> Vec<u8> {
    let inner = inner(kind, value);
    let outer = Gob::default().int(VALUE).uint(0).bytes(&inner);
    Gob::default()
        .define_encoder(VALUE, "Value")
        .message(outer)
        .into_bytes()
}

/// `cty.Value` encodes itself as a stream of its own, with one structure: version (0), type, value.
fn inner(kind: &Type, value: &Json) -> Vec<u8> {
    let fields = [("Version", basic::INT), ("Ty", TYPE), ("V", basic::INTERFACE)];
    let content = Gob::default().int(GOB_VALUE).uint(2).bytes(&type_stream(kind));
    let content = match value {
        Json::Null => content,
        value => content.uint(1).raw(&interface(value).into_bytes()),
    };
    Gob::default()
        .define_struct(GOB_VALUE, "gobValue", &fields)
        .define_encoder(TYPE, "Type")
        .define_map(MAP, "", basic::STRING, basic::INTERFACE)
        .define_slice(LIST, basic::INTERFACE)
        .define_encoder(FLOAT, "Float")
        .message(content.uint(0))
        .into_bytes()
}

/// A value as Go's `interface{}`, the way cty keeps it in memory.
fn interface(value: &Json) -> Gob {
    let gob = Gob::default();
    let body = Gob::default().uint(0);
    match value {
        Json::Null => gob.string(""),
        Json::Bool(value) => gob.interface("bool", basic::BOOL, body.uint(u64::from(*value))),
        Json::String(text) => gob.interface("string", basic::STRING, body.string(text)),
        Json::Number(number) => gob.interface("math/big.Float", FLOAT, body.bytes(&big_float(number))),
        Json::Array(items) => {
            let body = body.length(items.len());
            let body = items
                .iter()
                .fold(body, |body, item| body.raw(&interface(item).into_bytes()));
            gob.interface("[]interface {}", LIST, body)
        }
        Json::Object(entries) => {
            let body = body.length(entries.len());
            let entry =
                |body: Gob, (key, value): (&String, &Json)| body.string(key).raw(&interface(value).into_bytes());
            gob.interface("map[string]interface {}", MAP, entries.iter().fold(body, entry))
        }
    }
}

/// Go's `big.Float`: version, a byte of rounding mode, accuracy, form and sign, precision, exponent, mantissa. The value
/// is `0.mantissa × 2^exponent`, with the mantissa's first bit set.
fn big_float(number: &Number) -> Vec<u8> {
    let (negative, mantissa, exponent) = parts(number);
    let form = if mantissa == 0 { 0 } else { 0b010 };
    let mut bytes = vec![1, MODE | form | u8::from(negative)];
    bytes.extend(PRECISION.to_be_bytes());
    if mantissa != 0 {
        let shift = mantissa.leading_zeros();
        let exponent = exponent + 64 - i32::try_from(shift).unwrap_or_default();
        bytes.extend(exponent.to_be_bytes());
        bytes.extend((mantissa << shift).to_be_bytes());
    }
    bytes
}

/// Sign, mantissa and exponent with `number = mantissa × 2^exponent`.
fn parts(number: &Number) -> (bool, u64, i32) {
    if let Some(number) = number.as_i64() {
        return (number < 0, number.unsigned_abs(), 0);
    }
    if let Some(number) = number.as_u64() {
        return (false, number, 0);
    }
    let bits = number.as_f64().unwrap_or_default().to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or_default();
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    };
    (bits >> 63 == 1, mantissa, exponent)
}
