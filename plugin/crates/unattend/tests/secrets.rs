//! No secret of an answer file is shown: not by the linter, not by the comparison, not in what is compiled for people.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use reseal_diag::{Look, json, render_all};
use reseal_unattend::{Options, RevealError, Target, compile, diagnostics, diff, lint_text};

const CANARY: &str = "CANARY";

fn file() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data/unattend/canaries.xml");
    std::fs::read_to_string(path).unwrap()
}

fn shows_none(text: &str) {
    let shown = diagnostics(&lint_text(text, &Target::default()), "canaries.xml", text);
    let rendered = render_all(&shown, Look::Plain);
    assert!(!rendered.contains(CANARY), "{rendered}");
    for one in &shown {
        let report = serde_json::to_string(&json::Report::from(one)).unwrap();
        assert!(!report.contains(CANARY), "{report}");
    }
}

#[test]
fn the_linter_shows_no_secret() {
    let text = file();
    assert!(lint_text(&text, &Target::default()).len() > 5);
    for text in [text.clone(), text.replacen("</settings>", "", 1)] {
        let findings = lint_text(&text, &Target::default());
        assert!(!findings.is_empty());
        let shown = diagnostics(&findings, "canaries.xml", &text);
        let rendered = render_all(&shown, Look::Plain);
        assert!(!rendered.contains(CANARY), "{rendered}");
        for one in &shown {
            let report = serde_json::to_string(&json::Report::from(one)).unwrap();
            assert!(!report.contains(CANARY), "{report}");
        }
    }
}

/// Without one tag, one bracket or one quote, which makes it a guess where a text belongs.
#[test]
fn the_linter_shows_no_secret_of_a_torn_file() {
    let whole = file();
    let cuts = whole.match_indices(['<', '>', '"']).map(|(at, _)| at..at + 1);
    let tags = whole.match_indices('<').map(|(at, _)| {
        let length = whole.get(at..).unwrap().find('>').unwrap();
        at..at + length + 1
    });
    for cut in cuts.chain(tags) {
        let mut text = whole.clone();
        text.replace_range(cut, "");
        shows_none(&text);
    }
}

/// An element that nobody knows is shown, and its secret with it if it were not seen for one.
#[test]
fn the_linter_shows_no_secret_of_a_misspelt_element() {
    let whole = file();
    for name in [
        "Password",
        "AdministratorPassword",
        "ProductKey",
        "ApiKey",
        "Secret",
        "Value",
    ] {
        let last = name.len() - 1;
        let mut swapped: Vec<char> = name.chars().collect();
        swapped.swap(1, 2);
        let swapped: String = swapped.into_iter().collect();
        for slip in [
            name.get(..last).unwrap().to_owned(),
            format!("{name}s"),
            name.to_lowercase(),
            swapped,
        ] {
            let text = whole
                .replace(&format!("<{name}>"), &format!("<{slip}>"))
                .replace(&format!("</{name}>"), &format!("</{slip}>"));
            shows_none(&text);
        }
    }
}

#[test]
fn the_comparison_shows_no_secret() {
    let before = file();
    let after = before.replace(CANARY, "CANARY-NEW");
    let changes = diff(&before, &after).unwrap();
    assert!(changes.len() >= 10, "{changes:?}");
    for change in &changes {
        let json = serde_json::to_string(change).unwrap();
        assert!(!json.contains(CANARY) && !change.to_string().contains(CANARY), "{json}");
    }
}

#[test]
fn what_is_compiled_for_people_shows_no_secret() {
    let reveal = |_: &str| {
        Err(RevealError {
            message: "there are none".to_owned(),
        })
    };
    let base = file().replace("<PlainText>yes</PlainText>", "<PlainText>true</PlainText>");
    let compiled = compile(Some(&base), &Options::default(), &Target::default(), &reveal).unwrap();
    assert!(!compiled.redacted.contains(CANARY), "{}", compiled.redacted);
    assert!(compiled.redacted.contains("***"));
}
