//! Whatever is done to a good spec, loading it answers and points inside the text.

use proptest::prelude::*;
use reseal_diag::{Diagnostic, Look, SourceText, json::Report, render};
use reseal_spec::{Loaded, load};

use crate::world::{Folder, files_in, inputs, root};

fn texts() -> Vec<String> {
    let mut paths = files_in("examples", ".reseal.yaml");
    paths.extend(files_in("tests/data/spec/bad", ".yaml"));
    paths
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

fn load_text(text: &str) -> Loaded {
    let folder = Folder(root().join("examples"));
    load(&SourceText::new("t.yaml", text), &inputs(&folder))
}

fn inside(diagnostic: &Diagnostic) {
    for label in diagnostic.primary.iter().chain(&diagnostic.related) {
        assert!(label.source.text().get(label.span.range()).is_some(), "{diagnostic:?}");
    }
    assert!(!render(diagnostic, Look::Plain).is_empty());
    let report = Report::from(diagnostic);
    assert!(report.place.is_none_or(|place| place.line >= 1 && place.column >= 1));
}

fn mutate(text: &str, at: usize, change: &Change) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = at % chars.len().max(1);
    match change {
        Change::Delete(count) => drop(chars.drain(at..(at + count).min(chars.len()))),
        Change::Insert(piece) => drop(chars.splice(at..at, piece.chars())),
        Change::Cut => chars.truncate(at),
        Change::Swap => {
            let mut lines: Vec<&str> = text.lines().collect();
            let count = lines.len();
            if count > 0 {
                lines.swap(at % count, at / 7 % count);
            }
            return lines.join("\n");
        }
    }
    chars.into_iter().collect()
}

#[derive(Debug, Clone)]
enum Change {
    Delete(usize),
    Insert(String),
    Cut,
    Swap,
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        (1usize..30).prop_map(Change::Delete),
        prop_oneof![
            Just("${"),
            Just("}"),
            Just("${x}"),
            Just("\n- "),
            Just(": "),
            Just("\t"),
            Just("한글"),
            Just("'"),
            Just("\""),
            Just("{"),
            Just("["),
            Just("]"),
            Just("null"),
            Just("\n"),
            Just("  "),
            Just("&a "),
            Just("? "),
            Just("!"),
            Just("|"),
            Just("\u{feff}"),
            Just("\r\n"),
            Just("#"),
            Just("1e400"),
            Just("-"),
            Just("~"),
        ]
        .prop_map(|piece| Change::Insert(piece.to_owned())),
        Just(Change::Cut),
        Just(Change::Swap),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_specs_are_answered(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<usize>(), changes()), 1..4),
    ) {
        let texts = texts();
        let mut text = which.get(&texts).clone();
        for (at, change) in &edits {
            text = mutate(&text, *at, change);
        }
        let loaded = load_text(&text);
        loaded.diagnostics.iter().for_each(inside);
    }

    #[test]
    fn garbage_is_answered(text in "\\PC{0,200}") {
        let loaded = load_text(&text);
        prop_assert!(!loaded.is_ok());
        loaded.diagnostics.iter().for_each(inside);
    }
}
