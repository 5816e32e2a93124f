//! What users of JSON templates write, and what components get.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn spec() -> ObjectSpec {
    let disk = ObjectSpec::new()
        .required("size", Type::Number)
        .optional("fast", Type::Bool);
    ObjectSpec::new()
        .optional("name", Type::String)
        .optional("count", Type::Number)
        .optional("on", Type::Bool)
        .optional("tags", Type::list(Type::String))
        .optional("ports", Type::list(Type::Number))
        .optional("labels", Type::map(Type::String))
        .optional("any", Type::Json)
        .literal("script", Type::String)
        .secret("password", Type::String)
        .block("network", ObjectSpec::new().optional("id", Type::String))
        .block("volume", ObjectSpec::new().optional("is", Type::String).shorthand("is"))
        .blocks("disk", disk)
}

fn decoded(language: Language, sources: &[Json]) -> Result<Json, Vec<String>> {
    let sources = sources.iter().filter_map(Json::as_object).cloned().collect();
    let context = Context {
        build_name: "w".to_owned(),
        user_variables: Some([("n".to_owned(), "5".to_owned())].into()),
        ..Context::default()
    };
    decode(&spec(), language, sources, &context).map(Json::Object)
}

/// One option of a JSON template.
fn option(name: &str, value: &Json) -> Result<Json, String> {
    let mut options = decoded(Language::Json, &[json!({ name: value })]).map_err(|wrong| wrong.join("\n"))?;
    Ok(options[name].take())
}

#[test]
fn values_are_converted_as_go_converts_them() {
    for (name, written, wanted) in [
        ("name", json!(5986.0), json!("5986")),
        ("name", json!(1.5), json!("1.5")),
        ("name", json!(true), json!("1")),
        ("name", json!("{{build_name}}"), json!("w")),
        ("count", json!("{{user `n`}}"), json!(5)),
        ("count", json!(5986.0), json!(5986)),
        ("count", json!("0x10"), json!(16)),
        ("count", json!("2.5"), json!(2.5)),
        ("count", json!(""), json!(null)),
        ("count", json!(false), json!(0)),
        ("on", json!("true"), json!(true)),
        ("on", json!("F"), json!(false)),
        ("on", json!(1.0), json!(true)),
        ("on", json!(""), json!(null)),
        ("tags", json!("a,{{build_name}},c"), json!(["a", "w", "c"])),
        ("tags", json!(""), json!([])),
        ("tags", json!(["a,b", null, 1.0]), json!(["a,b", "", "1"])),
        ("tags", json!(7.0), json!(["7"])),
        ("ports", json!("1,2"), json!([1, 2])),
        ("ports", json!({}), json!([])),
        (
            "labels",
            json!({ "{{build_name}}": 1.0, "x": null }),
            json!({ "w": "1", "x": "" }),
        ),
        (
            "labels",
            json!([{ "a": "1" }, { "b": "2" }]),
            json!({ "a": "1", "b": "2" }),
        ),
        ("any", json!({ "a": ["{{build_name}}", 1.0] }), json!({ "a": ["w", 1] })),
        (
            "any",
            json!("{\"a\":\"{{ build_name | printf `%q` }}\"}"),
            json!({ "a": "\"w\"" }),
        ),
        ("any", json!("{{build_name}}"), json!("w")),
        ("script", json!("{{ $x }}"), json!("{{ $x }}")),
        ("network", json!({ "ID": "x" }), json!({ "id": "x" })),
        ("disk", json!({ "size": 1.0 }), json!([{ "fast": null, "size": 1 }])),
        ("volume", json!("{{build_name}}"), json!({ "is": "w" })),
        ("disk", json!({}), json!([])),
        ("disk", json!(""), json!([])),
        ("network", json!(null), json!(null)),
        ("count", json!("010"), json!(8)),
        ("count", json!("1_000"), json!(1000)),
        ("count", json!("-5"), json!(-5)),
        ("ports", json!(["1", true, 2.0]), json!([1, 1, 2])),
        ("name", json!(1e21), json!("1000000000000000000000")),
    ] {
        assert_eq!(option(name, &written), Ok(wanted), "{name} {written}");
    }
}

#[test]
fn what_cannot_be_converted_is_said_in_gos_words() {
    for (name, written, wanted) in [
        (
            "count",
            json!("x"),
            "1 error(s) decoding:\n\n* cannot parse 'count' as int: strconv.ParseInt: parsing \"x\": invalid syntax",
        ),
        (
            "on",
            json!("maybe"),
            "1 error(s) decoding:\n\n* cannot parse 'on' as bool: strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
        (
            "name",
            json!({ "a": "hidden" }),
            "1 error(s) decoding:\n\n* 'name' expected type 'string', got unconvertible type 'map[interface {}]interface {}'",
        ),
        (
            "network",
            json!("n"),
            "1 error(s) decoding:\n\n* 'network' expected a map, got 'string'",
        ),
        (
            "disk",
            json!(["n"]),
            "1 error(s) decoding:\n\n* 'disk[0]' expected a map, got 'string'",
        ),
        (
            "labels",
            json!("a"),
            "1 error(s) decoding:\n\n* 'labels' expected a map, got 'string'",
        ),
        (
            "nmae",
            json!(1),
            "1 error occurred:\n\t* unknown configuration key: '\"nmae\"', did you mean \"name\"?\n\n",
        ),
        (
            "name",
            json!("{{nope}}"),
            "invalid 'name': template: root:1: function \"nope\" not defined",
        ),
        (
            "count",
            json!(" 5"),
            "1 error(s) decoding:\n\n* cannot parse 'count' as int: strconv.ParseInt: parsing \" 5\": invalid syntax",
        ),
        (
            "ports",
            json!("1, 2"),
            "1 error(s) decoding:\n\n* cannot parse 'ports[1]' as int: strconv.ParseInt: parsing \" 2\": invalid syntax",
        ),
        (
            "NAMES",
            json!(1),
            "1 error occurred:\n\t* unknown configuration key: '\"NAMES\"', did you mean \"name\"?\n\n",
        ),
        ("disk", json!([null]), "The argument \"disk[0].size\" is required"),
    ] {
        let said = option(name, &written).unwrap_err();
        assert!(said.starts_with(wanted), "{said}");
    }
    let secret = option("password", &json!("pw{{hunter2")).unwrap_err();
    assert!(secret.contains("'password'") && !secret.contains("hunter2"), "{secret}");
}

#[test]
fn only_json_templates_have_to_be_checked_for_what_is_missing() {
    let without = json!({ "disk": [{ "fast": true }] });
    let said = decoded(Language::Json, std::slice::from_ref(&without)).unwrap_err();
    assert_eq!(
        said,
        ["The argument \"disk[0].size\" is required, but no definition was found."]
    );
    assert!(decoded(Language::Hcl, &[without]).is_ok());
}

#[test]
fn overrides_go_on_top_and_packers_own_names_are_passed_over() {
    let below = json!({ "type": "reseal", "packer_x": 1, "name": "a", "labels": { "a": "1" }, "tags": ["x", "y"] });
    let above = json!({ "name": "b", "labels": { "b": "2" }, "tags": ["z"] });
    let options = decoded(Language::Json, &[below, above]).unwrap();
    assert_eq!(options["name"], "b");
    assert_eq!(options["labels"], json!({ "a": "1", "b": "2" }));
    assert_eq!(options["tags"], json!(["z"]));
    assert_eq!(options["disk"], json!([]));
    assert_eq!(options["network"], json!(null));
}

fn anything() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[a-z{}`|. ]{0,12}".prop_map(Json::from),
        prop::sample::select(vec!["{{build_name}}", "{\"a\":[", "[1]", "1,2", "0x", "-"]).prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let name = prop::sample::select(vec![
            "name", "count", "on", "tags", "ports", "labels", "any", "network", "disk", "size", "x",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(name.prop_map(str::to_owned), inner, 0..6)
                .prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever is written, it becomes options of the declared types, or complaints.
    #[test]
    fn anything_is_decoded_or_refused(value in anything(), above in anything()) {
        if let Ok(options) = decoded(Language::Json, &[value, above]) {
            let kind = crate::cty::Type::from(&ObjectSpec::new().optional("count", Type::Number).optional("on", Type::Bool)
                .optional("tags", Type::list(Type::String)).optional("labels", Type::map(Type::String)));
            let simple = ["count", "on", "tags", "labels"].map(|name| (name.to_owned(), options[name].clone()));
            prop_assert!(kind.conform(&Json::Object(simple.into_iter().collect())).is_ok());
        }
    }
}
