//! The newer encoding of a spec. The schema is six small messages, written here by hand.

use crate::hcl::{ObjectSpec, Spec, Type};

/// The bytes of `Spec { object: … }`.
pub(crate) fn config_spec(spec: &ObjectSpec) -> Vec<u8> {
    field(1, &object(spec))
}

/// `Object { attributes: map<string, Spec> = 1 }`
fn object(spec: &ObjectSpec) -> Vec<u8> {
    let entry = |(name, spec): (&str, &Spec)| {
        let pair = [field(1, name.as_bytes()), field(2, &block(name, spec))].concat();
        field(1, &pair)
    };
    spec.iter().flat_map(entry).collect()
}

/// `Spec { oneof: Object = 1, Attr = 2, Block = 3, BlockList = 4 }`
fn block(name: &str, spec: &Spec) -> Vec<u8> {
    let name = field(1, name.as_bytes());
    match spec {
        Spec::Attribute { kind, required, .. } => {
            field(2, &[name, field(2, &cty_type(kind)), flag(3, *required)].concat())
        }
        Spec::Block { nested, required } => {
            field(3, &[name, flag(2, *required), field(3, &config_spec(nested))].concat())
        }
        Spec::Blocks { nested } => field(4, &[name, field(2, &config_spec(nested))].concat()),
    }
}

/// `CtyType { oneof: CtyPrimitive = 1, CtyList = 2, CtyMap = 3 }`
fn cty_type(kind: &Type) -> Vec<u8> {
    match kind {
        Type::String | Type::Json => field(1, &field(1, b"cty.String")),
        Type::Number => field(1, &field(1, b"cty.Number")),
        Type::Bool => field(1, &field(1, b"cty.Bool")),
        Type::List(element) => field(2, &field(1, &cty_type(element))),
        Type::Map(element) => field(3, &field(1, &cty_type(element))),
    }
}

/// A field with a length: text or a message.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length > 0x7f {
        out.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap_or_default());
    out.extend(bytes);
    out
}

/// A truth value; false is left out.
fn flag(number: u8, value: bool) -> Vec<u8> {
    if value { vec![number << 3, 1] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spec: &ObjectSpec, expected: &str) {
        let expected = expected.replace("cty.String", &hex::encode("cty.String"));
        let expected = expected.replace("cty.Number", &hex::encode("cty.Number"));
        let expected = expected.replace("cty.Bool", &hex::encode("cty.Bool")).replace(' ', "");
        assert_eq!(hex::encode(config_spec(spec)), expected);
    }

    /// The expected bytes were captured from HashiCorp's own encoder.
    #[test]
    fn specs_are_encoded_as_go_encodes_them() {
        let flag = || ObjectSpec::new().optional("x", Type::Bool);
        check(&ObjectSpec::new(), "0a00");
        check(
            &ObjectSpec::new().required("s", Type::String),
            "0a1e 0a1c 0a0173 1217 1215 0a0173 120e 0a0c 0a0a cty.String 1801",
        );
        check(
            &ObjectSpec::new().optional("l", Type::list(Type::String)),
            "0a20 0a1e 0a016c 1219 1217 0a016c 1212 1210 0a0e 0a0c 0a0a cty.String",
        );
        check(
            &ObjectSpec::new().optional("m", Type::map(Type::Number)),
            "0a20 0a1e 0a016d 1219 1217 0a016d 1212 1a10 0a0e 0a0c 0a0a cty.Number",
        );
        let required = Spec::Block {
            nested: flag(),
            required: true,
        };
        check(
            &ObjectSpec::new().with("b", required),
            "0a2c 0a2a 0a0162 1225 1a23 0a0162 1001 1a1c 0a1a 0a18 0a0178 1213 1211 0a0178 120c 0a0a 0a08 cty.Bool",
        );
        check(
            &ObjectSpec::new().blocks("n", flag()),
            "0a2a 0a28 0a016e 1223 2221 0a016e 121c 0a1a 0a18 0a0178 1213 1211 0a0178 120c 0a0a 0a08 cty.Bool",
        );
    }

    #[test]
    fn long_lengths_take_several_bytes() {
        assert_eq!(field(1, &[0; 300]).get(..3), Some(&[0x0a, 0xac, 0x02][..]));
    }
}
