//! Every bad spec has its complaints beside it. `RESEAL_BLESS=1` writes them anew; read the difference.

use crate::world::{files_in, load_file, rendered};

#[test]
fn bad_specs_are_complained_about_as_before() {
    let bless = std::env::var_os("RESEAL_BLESS").is_some();
    let mut different = Vec::new();
    for path in files_in("tests/data/spec/bad", ".yaml") {
        let loaded = load_file(&path);
        let golden = path.with_extension("txt");
        let found = rendered(&loaded);
        assert!(!found.is_empty(), "{} is not bad", path.display());
        if bless {
            std::fs::write(&golden, &found).unwrap();
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != found {
            different.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn every_code_is_used_by_a_bad_spec_or_named_here() {
    let elsewhere = [
        "spec::undeclared-variable",
        "spec::not-text",
        "spec::trust-unknown",
        "spec::insecure-trust",
        "spec::same-name",
        "spec::unused-variable",
        "spec::nhn-user-data",
        "spec::script-encoding",
        "spec::not-text",
    ];
    let mut used: Vec<&str> = elsewhere.to_vec();
    for path in files_in("tests/data/spec/bad", ".yaml") {
        used.extend(load_file(&path).diagnostics.iter().map(|diagnostic| diagnostic.code));
    }
    for page in reseal_spec::CODES {
        assert!(used.contains(&page.code), "no bad spec shows {}", page.code);
    }
    for code in used.iter().filter(|code| code.starts_with("spec::")) {
        assert!(reseal_spec::explain(code).is_some(), "{code} has no page");
    }
}

#[test]
fn twelve_mistakes_are_twelve_complaints_in_order() {
    let path = crate::world::root().join("tests/data/spec/bad/twelve.yaml");
    let loaded = load_file(&path);
    let lines: Vec<usize> = loaded
        .diagnostics
        .iter()
        .filter(|d| d.is_error())
        .map(|d| d.location().unwrap().line)
        .collect();
    assert!(lines.len() >= 12, "{}", rendered(&loaded));
    assert!(lines.is_sorted(), "{lines:?}");
}
