//! The bytes of the wire, and bytes that are none.

use proptest::prelude::*;

use super::read::MessageReader;
use super::{Limits, MsgpackError, Text, Value, parse};

fn check(value: &Value, expected: &str) {
    let bytes = value.to_bytes();
    assert_eq!(hex::encode(&bytes), expected.replace(' ', ""));
    assert_eq!(&parse(&bytes, Limits::default()).unwrap(), value);
}

#[test]
fn numbers_take_the_formats_that_go_takes() {
    check(&Value::Int(0), "00");
    check(&Value::Int(127), "7f");
    check(&Value::Int(128), "d1 0080");
    check(&Value::Int(5986), "d1 1762");
    check(&Value::Int(-1), "ff");
    check(&Value::Int(-33), "d0 df");
    check(&Value::Int(-40_000), "d2 ffff63c0");
    check(&Value::Int(1 << 40), "d3 0000010000000000");
    check(&Value::Uint(200), "cc c8");
    check(&Value::Uint(300), "cd 012c");
    check(&Value::Float(1.5), "cb 3ff8000000000000");
}

#[test]
fn strings_and_containers_take_the_shortest_form() {
    check(&"hello".into(), "a5 68656c6c6f");
    check(&Value::Str(Text::from_bytes([0xc8, 0xa3])), "a2 c8a3");
    check(&Value::Bin(vec![]), "c4 00");
    check(&Value::texts(["a", "b"]), "92 a161 a162");
    check(
        &Value::record([("Message", "bad".into())]),
        "81 a74d657373616765 a3626164",
    );
    check(&Value::Ext(-1, vec![0, 1, 2, 3, 4, 5, 6, 7]), "d7 ff 0001020304050607");
    check(&Value::Ext(0, vec![0, 1, 2]), "c7 03 00 000102");
    let long = "x".repeat(40);
    check(&long.as_str().into(), &format!("d928{}", "78".repeat(40)));
    let long = "x".repeat(300);
    check(&long.as_str().into(), &format!("da012c{}", "78".repeat(300)));
    let many = Value::List(vec![Value::Nil; 16]);
    check(&many, &format!("dc0010{}", "c0".repeat(16)));
}

#[test]
fn lengths_that_lie_cost_nothing() {
    let limits = Limits::default();
    for bytes in ["ddffffffff", "dfffffffff", "c6ffffffff", "dbffffffff", "c9ffffffff05"] {
        let bytes = hex::decode(bytes).unwrap();
        assert!(
            matches!(parse(&bytes, limits), Err(MsgpackError::TooLarge(_))),
            "{bytes:x?}"
        );
    }
    assert!(matches!(parse(&[0xc1], limits), Err(MsgpackError::Marker(0xc1))));
    assert!(matches!(parse(&[0xa5, 0x41], limits), Err(MsgpackError::Truncated)));
    let deep = [vec![0x91; 100], vec![0xc0]].concat();
    assert!(matches!(parse(&deep, limits), Err(MsgpackError::TooLarge(_))));
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let value = Value::record([("Seq", Value::Int(1)), ("Seq", Value::Int(2))]);
    assert_eq!(value.field("Seq").and_then(Value::as_u64), Some(2));
    assert_eq!(value.field("seq"), None);
}

#[test]
fn debug_keeps_texts_to_itself() {
    assert_eq!(format!("{:?}", Value::from("secret")), "Text(6 bytes)");
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (128_u64..).prop_map(Value::Uint),
        proptest::collection::vec(any::<u8>(), 0..400).prop_map(|bytes| Value::Str(Text::from_bytes(bytes))),
        proptest::collection::vec(any::<u8>(), 0..400).prop_map(Value::Bin),
        (any::<i8>(), proptest::collection::vec(any::<u8>(), 0..20)).prop_map(|(kind, body)| Value::Ext(kind, body)),
    ];
    leaf.prop_recursive(4, 40, 20, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..20).prop_map(Value::List),
            proptest::collection::vec((inner.clone(), inner), 0..20).prop_map(Value::Map),
        ]
    })
}

fn read_all(bytes: &[u8]) -> Result<Vec<Value>, MsgpackError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut reader = MessageReader::new(bytes);
        let mut all = Vec::new();
        while let Some(value) = reader.next().await? {
            all.push(value);
        }
        Ok(all)
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(values in proptest::collection::vec(any_value(), 0..4)) {
        let bytes: Vec<u8> = values.iter().flat_map(Value::to_bytes).collect();
        prop_assert_eq!(read_all(&bytes).unwrap(), values);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&bytes, Limits::default());
        let _ = read_all(&bytes);
    }

    #[test]
    fn json_is_made_of_anything(value in any_value()) {
        let _ = value.to_json().to_string();
    }
}
