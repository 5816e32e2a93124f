//! What variables, files of steps and places mean.

use std::collections::BTreeMap;

use reseal_diag::{Diagnostic, SourceText};
use reseal_spec::model::{OnFailure, Trust};
use reseal_spec::{Inputs, Loaded, load, template};
use secrecy::ExposeSecret;

use crate::world::{Memory, inputs, rendered};

const HEAD: &str =
    "reseal: 1\nname: t\ncloud: { provider: openstack }\nbase: { image: { name: w }, flavor: m1, network: n }\n";

fn loaded(rest: &str, files: &[(&'static str, &'static str)], change: impl FnOnce(&mut Inputs<'_>)) -> Loaded {
    let memory = Memory(files.iter().copied().collect::<BTreeMap<_, _>>());
    let mut inputs = inputs(&memory);
    change(&mut inputs);
    load(&SourceText::new("t.yaml", format!("{HEAD}{rest}")), &inputs)
}

fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn later_ways_of_giving_a_value_win() {
    let rest = "variables: { a: { default: 1 }, b: { default: 1 }, c: { default: 1 }, d: { default: 1 } }\nimage: { name: \"${a}-${b}-${c}-${d}\" }\n";
    let loaded = loaded(rest, &[], |inputs| {
        inputs.environment = vec![pair("b", "2"), pair("c", "2"), pair("d", "2"), pair("unrelated", "x")];
        inputs.var_files = vec![SourceText::new("v.yaml", "c: 3\nd: 3\n")];
        inputs.vars = vec![pair("d", "4")];
    });
    assert_eq!(rendered(&loaded), "");
    assert_eq!(loaded.specs.first().unwrap().image.name, "1-2-3-4");
}

#[test]
fn values_for_nobody_are_noticed() {
    let loaded = loaded("image: { name: i }\n", &[], |inputs| {
        inputs.vars = vec![pair("x", "1")];
        inputs.var_files = vec![SourceText::new("v.yaml", "y: 1\n")];
    });
    assert_eq!(
        codes(&loaded),
        ["spec::undeclared-variable", "spec::undeclared-variable"]
    );
    assert_eq!(loaded.diagnostics.iter().filter(|d| d.is_error()).count(), 1);
}

#[test]
fn sensitive_values_stand_only_among_the_secrets() {
    let rest = r#"
variables: { token: { sensitive: true }, price: { default: "a${b}c" } }
connect: { winrm: { username: "${token}" } }
software:
  - cmd: { command: "run ${token} ${price} $${literal}" }
  - use: part.yaml
    with: { key: "${token}", own: plain-canary }
image: { name: "i-${price}-$${x}" }
"#;
    let part = "variables: { key: { sensitive: true }, own: { sensitive: true } }\nsteps:\n  - cmd: { command: 'part ${key} ${own} ${build.id}' }\n";
    let loaded = loaded(rest, &[("part.yaml", part)], |inputs| {
        inputs.vars = vec![pair("token", "canary-1")];
    });
    assert_eq!(codes(&loaded), ["spec::secret-in-spec"]);
    assert!(!rendered(&loaded).contains("canary"), "{}", rendered(&loaded));
    let spec = loaded.specs.first().unwrap();
    let shown = format!("{spec:?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(spec.image.name, "i-a${b}c-${x}");
    assert_eq!(spec.connect.winrm.username.as_deref(), Some("${token}"));
    let revealed: Vec<String> = spec
        .software
        .iter()
        .map(|step| {
            let text = serde_json::to_value(&step.step).unwrap();
            let command = text
                .pointer("/cmd/command")
                .and_then(|command| command.as_str())
                .unwrap()
                .to_owned();
            template::reveal(&command, |name| spec.secrets.get(name).map(ExposeSecret::expose_secret)).unwrap()
        })
        .collect();
    assert_eq!(
        revealed,
        ["run canary-1 a${b}c ${literal}", "part canary-1 plain-canary 0199ab"]
    );
}

#[test]
fn values_given_from_outside_are_never_shown() {
    let rest = "variables: { n: { type: number }, c: { sensitive: true, allowed: [x] } }\nimage: { name: \"i${n}\" }\nsoftware: [ { cmd: { command: \"${c}\" } } ]\n";
    let loaded = loaded(rest, &[], |inputs| {
        inputs.vars = vec![pair("n", "canary"), pair("c", "canary")];
    });
    assert_eq!(codes(&loaded), ["spec::variable-value", "spec::variable-value"]);
    assert!(!rendered(&loaded).contains("canary"));
}

#[test]
fn whole_values_keep_their_type() {
    let rest = "variables: { p: { default: 5999 }, on: { default: true }, t: { type: list } }\nconnect: { winrm: { port: \"${p}\" } }\nverify: { boot: \"${on}\" }\nimage: { name: i, tags: \"${t}\" }\n";
    let loaded = loaded(rest, &[], |inputs| inputs.vars = vec![pair("t", "a, b")]);
    assert_eq!(rendered(&loaded), "");
    let spec = loaded.specs.first().unwrap();
    assert_eq!((spec.connect.winrm.port(), spec.verify.boot), (5999, true));
    assert_eq!(spec.image.tags, ["a", "b"]);
}

#[test]
fn common_fields_stand_beside_or_inside() {
    let rest = r"
software:
  - cmd: { command: echo, name: A, timeout: 1m, retries: 2 }
  - cmd: { command: echo }
    name: B
    on_failure: continue
    only_if: Test-Path C:\x
  - reboot: { when: always }
    when: false
image: { name: i }
";
    let loaded = loaded(rest, &[], |_| {});
    assert_eq!(rendered(&loaded), "");
    let spec = loaded.specs.first().unwrap();
    let a = &spec.software.first().unwrap().policy;
    assert_eq!(
        (a.timeout.map(|limit| limit.duration().as_secs()), a.retries),
        (Some(60), 2)
    );
    let b = spec.software.get(1).unwrap();
    assert_eq!((b.label.as_str(), b.policy.on_failure), ("B", OnFailure::Continue));
    assert_eq!(b.policy.only_if.as_deref(), Some("Test-Path C:\\x"));
    let skipped = spec.skipped.first().unwrap();
    assert_eq!(
        (skipped.id_slug.as_str(), skipped.when.as_str()),
        ("03-reboot", "false")
    );
}

#[test]
fn routes_are_found_again_also_when_they_are_defaults() {
    let loaded = loaded("image:\n  name: i\n", &[], |_| {});
    let at = |route: &str| loaded.locate(route).map(|place| (place.line, place.column));
    assert_eq!(at("/image/name"), Some((6, 3)));
    assert_eq!(at("/image/min_disk"), Some((5, 1)));
    assert_eq!(at("/generalize/timeout"), Some((1, 1)));
    assert_eq!(at("other.yaml#/steps/0"), None);
    assert_eq!(loaded.line_text("t.yaml", 6), Some("  name: i"));
    let later = loaded.point(Diagnostic::error("plan::x", "no such flavour"), "/base/flavor");
    assert_eq!(later.location().unwrap().to_string(), "t.yaml:4:37");
}

#[test]
fn trust_has_words_and_mappings() {
    let trust = |text: &str| {
        let loaded = loaded(
            &format!("connect: {{ winrm: {{ trust: {text} }} }}\nimage: {{ name: i }}\n"),
            &[("ca.pem", "")],
            |_| {},
        );
        (
            loaded.specs.first().unwrap().connect.winrm.trust.clone(),
            codes(&loaded),
        )
    };
    let hash = "ab".repeat(32);
    assert_eq!(trust("system"), (Trust::System, vec![]));
    assert_eq!(trust("{ ca: ca.pem }"), (Trust::Ca("ca.pem".to_owned()), vec![]));
    assert_eq!(trust(&format!("{{ sha256: {hash} }}")), (Trust::Sha256(hash), vec![]));
    assert_eq!(trust("insecure"), (Trust::Insecure, vec!["spec::insecure-trust"]));
    assert_eq!(trust("{ ca: a, sha256: b }").1, ["spec::bad-value"]);
}

#[test]
fn further_checks_speak_up() {
    let check = |rest: &str, expect: &[&str]| {
        let loaded = loaded(rest, &[], |_| {});
        assert_eq!(codes(&loaded), expect, "{}", rendered(&loaded));
    };
    check(
        "connect: { winrm: { way_in: server_password } }\nimage: { name: i }\n",
        &["spec::trust-unknown"],
    );
    check(
        "software: [ { reboot: { name: a } }, { reboot: { name: a } } ]\nimage: { name: i }\n",
        &["spec::same-name"],
    );
    check(
        "variables: { x: { default: 1 } }\nimage: { name: i }\n",
        &["spec::unused-variable"],
    );
    check("reseal: 1\nimage: { name: i }\n", &["spec::duplicate-key"]);
}

#[test]
fn an_answer_file_is_read_in_its_encoding() {
    struct Utf16;
    impl reseal_spec::Files for Utf16 {
        fn read(&self, _: &str) -> Result<Vec<u8>, String> {
            Ok([0xff, 0xfe]
                .into_iter()
                .chain("<unattend/>".encode_utf16().flat_map(u16::to_le_bytes))
                .collect())
        }

        fn exists(&self, _: &str) -> bool {
            true
        }
    }
    let text = format!("{HEAD}image: {{ name: i }}\nunattend: {{ base: {{ file: u.xml }} }}\n");
    let loaded = load(&SourceText::new("t.yaml", text), &inputs(&Utf16));
    assert_eq!(rendered(&loaded), "");
    let file = loaded.specs.first().and_then(|spec| spec.scripts.get("u.xml")).unwrap();
    assert_eq!(file.text.trim_start_matches('\u{feff}'), "<unattend/>");
}

#[test]
fn large_user_data_do_not_fit_nhn() {
    struct Large;
    impl reseal_spec::Files for Large {
        fn read(&self, _: &str) -> Result<Vec<u8>, String> {
            Ok(vec![b'x'; 50_000])
        }

        fn exists(&self, _: &str) -> bool {
            true
        }
    }
    let head = HEAD
        .replace("openstack", "nhn")
        .replace("network: n", "network: n, user_data: x.ps1");
    let loaded = load(
        &SourceText::new("t.yaml", format!("{head}image: {{ name: i }}\n")),
        &inputs(&Large),
    );
    assert_eq!(codes(&loaded), ["spec::nhn-user-data"]);
}

#[test]
fn scripts_that_would_be_misread_are_noticed() {
    let codes_of = |text: &'static str| {
        let rest = "software: [ { powershell: { file: x.ps1 } } ]\nimage: { name: i }\n";
        let loaded = loaded(rest, &[("x.ps1", text)], |_| {});
        let related = loaded
            .diagnostics
            .first()
            .and_then(|d| d.related.first().map(|label| label.location().to_string()));
        (codes(&loaded), related)
    };
    assert_eq!(codes_of("Write-Output 'a'\n"), (vec![], None));
    assert_eq!(codes_of("\u{feff}Write-Output '가'\n"), (vec![], None));
    let expect = (vec!["spec::script-encoding"], Some("x.ps1:1:15".to_owned()));
    assert_eq!(codes_of("Write-Output '가'\n"), expect);
}

#[test]
fn scripts_in_other_encodings_are_refused() {
    struct Utf16;
    impl reseal_spec::Files for Utf16 {
        fn read(&self, _: &str) -> Result<Vec<u8>, String> {
            Ok(vec![0xff, 0xfe, b'x', 0])
        }

        fn exists(&self, _: &str) -> bool {
            true
        }
    }
    let text =
        format!("{HEAD}image: {{ name: i }}\nsoftware: [ {{ powershell: {{ file: x.ps1 }} }}, {{ use: p.yaml }} ]\n");
    let loaded = load(&SourceText::new("t.yaml", text), &inputs(&Utf16));
    assert_eq!(codes(&loaded), ["spec::not-text", "spec::not-text"]);
}

#[test]
fn windows_line_breaks_change_nothing() {
    let rest = "image:\n  name: i # 한글\n  tags: [a]\n  mindisk: 1 GB\nsoftware:\n  - powershell:\n      inline: |\n        a\n        b\n";
    let unix = loaded(rest, &[], |_| {});
    let memory = Memory::default();
    let text = format!("{HEAD}{rest}").replace('\n', "\r\n");
    let windows = load(&SourceText::new("t.yaml", text), &inputs(&memory));
    let places = |loaded: &Loaded| loaded.diagnostics.iter().map(Diagnostic::location).collect::<Vec<_>>();
    assert_eq!((codes(&unix), places(&unix)), (codes(&windows), places(&windows)));
    assert_eq!(codes(&unix), ["spec::unknown-field"]);
}

#[test]
fn secrets_are_not_shown_by_diagnostics_about_their_lines() {
    let rest = "variables: { token: { sensitive: true, default: canary-1, zzz: 1 } }\nimage: { name: i }\nsoftware: [ { cmd: { command: \"${token}\" } } ]\n";
    let with_files = |text: &'static str| {
        let loaded = loaded(rest, &[], |inputs| {
            inputs.var_files = vec![SourceText::new("v.yaml", text)];
        });
        let shown = rendered(&loaded) + loaded.line_text("t.yaml", 5).unwrap();
        assert!(shown.contains("zzz") && !shown.contains("canary"), "{shown}");
        codes(&loaded).len()
    };
    assert_eq!(with_files("token: canary-2\n"), 2);
    assert_eq!(with_files("tokn: canary-2\n"), 3);
    assert_eq!(with_files("{ tokn: canary-2 }\n"), 3);
    assert_eq!(with_files("token: 'canary-2\n"), 3);
    assert_eq!(with_files("token: canary-2\ntoken: canary-3\n"), 3);
    assert_eq!(with_files("- canary-2\n"), 3);
}
