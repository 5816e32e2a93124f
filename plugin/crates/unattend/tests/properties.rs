//! What holds for every input: nothing panics, places are inside the text, compiling settles.
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use reseal_unattend::{Options, RevealError, Target, Windows, compile, decode, diff, fix, has_errors, lint_text};
use secrecy::ExposeSecret as _;
use serde_json::json;

fn files() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data/unattend");
    let mut files: Vec<String> = ["good", "bad"]
        .iter()
        .flat_map(|kind| std::fs::read_dir(folder.join(kind)).unwrap())
        .map(|entry| decode(&std::fs::read(entry.unwrap().path()).unwrap()).text)
        .collect();
    files.sort();
    files
}

fn target() -> impl Strategy<Value = Target> {
    (0..Windows::ALL.len(), any::<bool>()).prop_map(|(index, plain)| {
        if plain {
            Target::default()
        } else {
            Target::sysprep(Windows::ALL.get(index).copied())
        }
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that compile asks for")]
fn reveal(_: &str) -> Result<String, RevealError> {
    Ok("geheim <&> \"x\"".to_owned())
}

/// Everything that can be done with a text, and what must hold then.
fn exercise(text: &str, target: &Target) {
    let findings = lint_text(text, target);
    for finding in &findings {
        let spans = [
            Some(finding.span),
            finding.related.as_ref().map(|one| one.0),
            finding.fix.as_ref().map(|one| one.span),
        ];
        for span in spans.into_iter().flatten() {
            assert!(
                span.end <= text.len() && text.get(span.start.min(text.len())..).is_some(),
                "{finding:?}"
            );
        }
    }
    let _ = fix(text, &findings);
    let _ = diff(text, text).map(|changes| assert!(changes.is_empty()));
    let options: Options =
        serde_json::from_value(json!({ "oobe": { "protect_your_pc": 3 }, "run_synchronous": [{ "command": "a" }] }))
            .unwrap();
    if let Ok(compiled) = compile(Some(text), &options, target, &reveal) {
        assert!(roxmltree::Document::parse(compiled.xml.expose_secret()).is_ok());
        assert!(roxmltree::Document::parse(&compiled.redacted).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn garbage_is_borne(bytes in proptest::collection::vec(any::<u8>(), 0..400), target in target()) {
        let text = decode(&bytes).text;
        exercise(&text, &target);
    }

    #[test]
    fn broken_answer_files_are_borne(which in any::<prop::sample::Index>(), cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..30, "[<>/&\"'= a-zé한-]{0,6}"), 1..5), target in target()) {
        let files = files();
        let mut text: Vec<char> = which.get(&files).chars().collect();
        for (at, length, with) in cuts {
            let start = at.index(text.len().max(1)).min(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, with.chars());
        }
        let text: String = text.into_iter().collect();
        exercise(&text, &target);
    }

    #[test]
    fn compiling_settles_and_passes_the_linter(
        switches in proptest::array::uniform4(proptest::option::of(any::<bool>())),
        protect in proptest::option::of(1_u8..4),
        zone in proptest::option::of(prop::sample::select(vec!["UTC", "Asia/Seoul", "Korea Standard Time"])),
        owner in proptest::option::of("[ -~가-힣]{1,40}"),
        commands in proptest::collection::vec("[!-~][ -~]{0,200}", 0..4),
        password in proptest::option::of("[ -~가-힣]{0,20}"),
        with_base in any::<bool>(),
    ) {
        let owner = owner.filter(|owner| !owner.trim().is_empty() && !owner.contains('$'));
        prop_assume!(commands.iter().all(|command| !command.contains("${")));
        let value = json!({
            "oobe": { "hide_eula_page": switches[0], "hide_local_account_screen": switches[1], "skip_machine_oobe": switches[2], "protect_your_pc": protect },
            "persist_drivers": switches[3],
            "time_zone": zone,
            "registered_owner": owner,
            "first_logon_commands": commands.iter().enumerate().map(|(index, command)| json!({ "command": command, "order": index + 1 })).collect::<Vec<_>>(),
            "administrator_password": password.as_ref().map(|_| json!({ "value": "${password}" })),
        });
        let options: Options = serde_json::from_value(value).unwrap();
        let base = include_str!("../../../../tests/data/unattend/good/cloudbase-init.xml");
        let base = with_base.then_some(base);
        let target = Target::sysprep(None);
        let secret = password.unwrap_or_default();
        let reveal = |_: &str| Ok(secret.clone());
        let once = compile(base, &options, &target, &reveal).unwrap();
        let text = once.xml.expose_secret();
        let findings = lint_text(text, &target);
        prop_assert!(!has_errors(&findings), "{findings:?}\n{text}");
        let twice = compile(Some(text), &options, &target, &reveal).unwrap();
        prop_assert_eq!(twice.xml.expose_secret(), text);
    }
}
