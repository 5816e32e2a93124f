//! The two readers agree, and every route has a place.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> (Option<Document>, Vec<Diagnostic>) {
    Document::read(&SourceText::new("t.yaml", text))
}

fn codes_of(text: &str) -> Vec<&'static str> {
    read(text).1.iter().map(|diagnostic| diagnostic.code).collect()
}

fn routes(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| routes(value, &route::member(at, key), out)),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(i, value)| routes(value, &route::item(at, i), out)),
        _ => {}
    }
}

/// Every route of the value has a place, every place is a route of the value, and all lie inside the text.
fn agree(document: &Document) {
    let mut written = Vec::new();
    routes(&document.value, "", &mut written);
    for route in &written {
        assert!(
            document.place(route).is_some(),
            "{route} has no place in {:?}",
            document.source.text()
        );
    }
    for (route, place) in document.places() {
        assert!(
            document.value.pointer(route).is_some(),
            "{route} is no value in {:?}",
            document.source.text()
        );
        for span in [Some(place.value), place.key].into_iter().flatten() {
            assert_eq!(document.source.clamp(span), span, "{route}");
        }
    }
}

#[test]
fn places_are_bytes_also_after_hangul() {
    let (document, diagnostics) = read("가나: 다 # 라\nlist:\n  - { x: '한글', y: 2 }\n");
    assert_eq!(diagnostics, []);
    let document = document.unwrap();
    agree(&document);
    let slice = |route: &str| document.source.slice(document.place(route).unwrap().value).to_owned();
    assert_eq!(slice("/가나"), "다");
    assert_eq!(slice("/list/0/x"), "'한글'");
    assert_eq!(slice("/list/0"), "{ x: '한글', y: 2 }");
    let key = document.place("/list/0/y").unwrap().key.unwrap();
    assert_eq!(document.source.slice(key), "y");
}

#[test]
fn a_byte_order_mark_moves_nothing() {
    let (document, _) = read("\u{feff}a: 1\n");
    let document = document.unwrap();
    assert_eq!(document.source.slice(document.place("/a").unwrap().value), "1");
}

#[test]
fn what_changes_meaning_unseen_is_refused() {
    assert_eq!(codes_of("a: &x 1\nb: *x\n"), [codes::ANCHOR, codes::ANCHOR]);
    assert_eq!(codes_of("a: !!str 1\n"), [codes::TAG]);
    assert_eq!(codes_of("a: 1\n---\nb: 2\n"), [codes::SEVERAL_DOCUMENTS]);
    assert_eq!(codes_of("a:\n  <<: { b: 1 }\n"), [codes::MERGE_KEY]);
    assert_eq!(codes_of("? [a, b]\n: 1\n"), [codes::COMPLEX_KEY]);
    assert_eq!(codes_of("a: 1\nb: 2\na: 3\n"), [codes::DUPLICATE_KEY]);
    assert!(codes_of("a:\n\tb: 1\n").contains(&codes::TAB));
    assert_eq!(codes_of("a: |\n  x\n  \ty\n"), Vec::<&str>::new());
    assert_eq!(codes_of("a: [1, 2\n"), [codes::YAML]);
    assert_eq!(codes_of("--- \na: 1\n...\n"), Vec::<&str>::new());
}

#[test]
fn duplicate_keys_are_found_in_every_mapping() {
    let text = "a: { b: 1, b: 2 }\nl:\n  - c: 1\n    c: 2\n";
    assert_eq!(codes_of(text), [codes::DUPLICATE_KEY, codes::DUPLICATE_KEY]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_never_panics(text in "[ \\t\\n\\-\\[\\]{}:,&*!|>'\"#%@`a-c0-9가-나\\PC]{0,80}") {
        let (document, _) = read(&text);
        drop(document);
    }

    #[test]
    fn both_readers_agree(value in values()) {
        let text = serde_yaml::to_string(&value).unwrap();
        let (document, diagnostics) = read(&text);
        prop_assert!(diagnostics.is_empty(), "{diagnostics:?} in {text}");
        let document = document.unwrap();
        prop_assert_eq!(&document.value, &value);
        agree(&document);
    }

    #[test]
    fn both_readers_agree_on_flow_style(value in values()) {
        let text = serde_json::to_string(&value).unwrap();
        let (document, diagnostics) = read(&text);
        prop_assert!(diagnostics.is_empty(), "{diagnostics:?} in {text}");
        agree(&document.unwrap());
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-zA-Z가-힣 :#\\-'\"/~${}\\\\.]{0,12}".prop_map(Value::from),
        "(a\nb|x\n|  y\n\n z)".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-z가-힣_~/ -]{1,8}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
