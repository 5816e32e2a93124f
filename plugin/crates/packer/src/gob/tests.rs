//! Against bytes that Go wrote.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::cty::Type;
use crate::hcl::{ObjectSpec, Type as Attribute};

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.replace([' ', '\n'], "")).unwrap()
}

#[test]
fn exit_statuses_are_as_go_writes_them() {
    let definition = "2b7f0301010f436f6d6d616e6446696e697368656401ff80000101010a4578697453746174757301040000 00";
    let cases: [(i64, &str); 14] = [
        (0, "03ff8000"),
        (1, "05ff80010200"),
        (7, "05ff80010e00"),
        (63, "05ff80017e00"),
        (64, "06ff8001ff8000"),
        (123, "06ff8001fff600"),
        (128, "07ff8001fe010000"),
        (259, "07ff8001fe020600"),
        (1603, "07ff8001fe0c8600"),
        (65_535, "08ff8001fd01fffe00"),
        (2_300_218, "08ff8001fd46327400"),
        (-1, "05ff80010100"),
        (-1_073_741_510, "09ff8001fc7ffffd8b00"),
        (4_294_967_295, "0aff8001fb01fffffffe00"),
    ];
    for (exit_status, value) in cases {
        let finished = CommandFinished { exit_status };
        assert_eq!(
            finished.to_bytes(),
            bytes(&format!("{definition}{value}")),
            "{exit_status}"
        );
        assert_eq!(CommandFinished::parse(&finished.to_bytes()).unwrap(), finished);
    }
}

#[test]
fn types_are_as_go_writes_them() {
    let string = type_stream(&Type::String);
    let expected = "
        2a ff81 03 01 01 07 676f6254797065 01 ff82 00 01 02 01 07 56657273696f6e 01 04 00 01 04 496d706c 01 10 00 00 00
        24 ff83 03 01 01 0d 7072696d697469766554797065 01 ff84 00 01 01 01 04 4b696e64 01 06 00 00 00
        36 ff82 02 2b 6769746875622e636f6d2f7a636c636f6e662f676f2d6374792f6374792e7072696d697469766554797065
        ff84 03 01 53 00 00";
    assert_eq!(string, bytes(expected));
    assert_eq!(string.len(), 135);
    assert_eq!(type_stream(&Type::List(Box::new(Type::String))).len(), 289);
}

#[test]
fn a_spec_is_five_definitions_and_a_value() {
    let empty = config_spec(&ObjectSpec::new());
    let prologue = empty.strip_suffix(&bytes("04 ff8c 00 00")[..]).unwrap();
    let definitions = "
        1a ff 8b 04 01 01 0a 4f 62 6a 65 63 74 53 70 65 63 01 ff 8c 00 01 0c 01 10 00 00
        36 ff 8d 03 01 01 08 41 74 74 72 53 70 65 63 01 ff 8e 00 01 03 01 04 4e 61 6d 65 01 0c 00 01 04 54 79 70 65
        01 ff 88 00 01 08 52 65 71 75 69 72 65 64 01 02 00 00 00
        10 ff 87 05 01 01 04 54 79 70 65 01 ff 88 00 00 00
        4d ff 8f 03 01 01 0d 42 6c 6f 63 6b 4c 69 73 74 53 70 65 63 01 ff 90 00 01 04 01 08 54 79 70 65 4e 61 6d 65
        01 0c 00 01 06 4e 65 73 74 65 64 01 10 00 01 08 4d 69 6e 49 74 65 6d 73 01 04 00 01 08 4d 61 78 49 74 65 6d
        73 01 04 00 00 00
        3c ff 91 03 01 01 09 42 6c 6f 63 6b 53 70 65 63 01 ff 92 00 01 03 01 08 54 79 70 65 4e 61 6d 65 01 0c 00 01
        06 4e 65 73 74 65 64 01 10 00 01 08 52 65 71 75 69 72 65 64 01 02 00 00 00";
    assert_eq!(hex::encode(prologue), hex::encode(bytes(definitions)));
    let spec = config_spec(&ObjectSpec::new().required("region", Attribute::String));
    let value = spec.strip_prefix(prologue).unwrap();
    let expected =
        "ffb5 ff8c0001 06 726567696f6e 10 2a68636c646563 2e4174747253706563 ff8e ff95 01 06 726567696f6e 01 ff87";
    assert!(value.starts_with(&bytes(expected)));
    assert!(value.ends_with(&[1, 1, 0]));
    assert_eq!(value.len(), 183);
}

#[test]
fn values_end_as_go_ends_them() {
    let kind = |name: &str, kind: Type| Type::Object([(name.to_owned(), kind)].into());
    let value = cty_value(&kind("id", Type::String), &json!({"id": "abc"}));
    assert!(value.ends_with(&bytes("13 00 01 02 6964 06 737472696e67 0c 05 00 03 616263 00")));
    let value = cty_value(&kind("n", Type::Number), &json!({"n": 5}));
    assert!(value.ends_with(&bytes("17 00 12 01 0a 00000040 00000003 a000000000000000 00").split_off(3)));
    let value = cty_value(&kind("b", Type::Bool), &json!({"b": null}));
    assert!(value.ends_with(&bytes("05 00 01 01 62 00 00").split_off(1)));
}

proptest! {
    #[test]
    fn exit_statuses_survive(exit_status: i64) {
        let finished = CommandFinished { exit_status };
        prop_assert_eq!(CommandFinished::parse(&finished.to_bytes()).unwrap(), finished);
    }

    #[test]
    fn nonsense_is_refused(bytes: Vec<u8>) {
        let _ = CommandFinished::parse(&bytes);
    }
}
