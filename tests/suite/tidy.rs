//! The rules of the house that no compiler checks. Each says what to do about it.

mod code;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use tree::{SourceFile, files, root, rust};

/// Which of our crates a crate may use. plugin/ARCHITECTURE.md says why, the exceptions included.
const MAY_USE: [(&str, &[&str]); 14] = [
    ("diag", &[]),
    ("guest", &[]),
    ("journal", &[]),
    ("unattend", &["diag"]),
    ("spec", &["diag", "guest", "unattend"]),
    ("machine", &[]),
    ("engine", &["journal", "machine"]),
    ("winrm", &["machine"]),
    ("openstack", &["machine"]),
    ("packer", &["machine"]),
    (
        "pipeline",
        &["spec", "unattend", "guest", "journal", "engine", "machine"],
    ),
    ("lab", &["machine"]),
    (
        "plugin",
        &[
            "diag",
            "spec",
            "unattend",
            "guest",
            "journal",
            "machine",
            "engine",
            "winrm",
            "openstack",
            "packer",
            "pipeline",
            "lab",
        ],
    ),
    ("xtask", &[]),
];

/// Clients are tested against the lab; nobody else meets it below the rim.
const MAY_TEST_WITH: [(&str, &str); 2] = [("winrm", "lab"), ("openstack", "lab")];

/// Crates of data: they must stay free of I/O.
const LAYER_0: [&str; 5] = ["diag", "spec", "unattend", "guest", "journal"];

/// A file should be shorter than this, and must be shorter than the second.
const FILE_LINES: (usize, usize) = (600, 1000);
/// The same for a function.
const FUNCTION_LINES: (usize, usize) = (60, 120);
/// The same for a test, which may be one long table of cases.
const TEST_LINES: (usize, usize) = (120, 200);

#[test]
fn crates_use_only_what_their_layer_may() {
    let mut wrong = Vec::new();
    for (user, used, kind) in edges() {
        let Some((_, may)) = MAY_USE.iter().find(|(name, _)| *name == user) else {
            wrong.push(format!(
                "crate `{user}` is in no layer: give it a line in MAY_USE and a paragraph in ARCHITECTURE.md"
            ));
            continue;
        };
        let test = kind == DependencyKind::Development && MAY_TEST_WITH.contains(&(user.as_str(), used.as_str()));
        if !may.contains(&used.as_str()) && !test {
            wrong.push(format!(
                "`{user}` may not use `{used}` ({kind}): move what you need downwards, or hand it in"
            ));
        }
    }
    none(&wrong);
}

#[test]
fn crates_of_data_do_no_io() {
    let metadata = metadata();
    let mut wrong = Vec::new();
    for name in LAYER_0 {
        let linked = linked(&metadata, &format!("reseal-{name}"));
        assert!(linked.len() > 1, "`{name}` was not found in the graph");
        for heavy in ["tokio", "reqwest", "hyper", "mio"] {
            if linked.contains(heavy) {
                wrong.push(format!(
                    "`{name}` links `{heavy}`: data in, data out; do I/O in a mechanism and hand the data in"
                ));
            }
        }
    }
    none(&wrong);
}

#[test]
fn planning_is_pure() {
    let plan = rust()
        .into_iter()
        .filter(|file| file.path.starts_with("plugin/crates/pipeline/src/plan"));
    let mut seen = 0;
    let mut wrong = Vec::new();
    for file in plan {
        seen += 1;
        wrong.extend(with_word(
            &file,
            &["async", "await"],
            "a plan is made of spec and facts; gather facts in `facts`",
        ));
    }
    assert!(seen > 0, "no module `plan` was found");
    none(&wrong);
}

#[test]
fn files_are_short() {
    let (good, most) = FILE_LINES;
    let mut wrong = Vec::new();
    for file in rust() {
        let lines = file.text().lines().count();
        if lines > most {
            wrong.push(format!(
                "{}: {lines} lines; {most} is the limit: divide it by idea",
                file.path
            ));
        } else if lines > good && !header(&file).contains(code::EXCUSE) {
            wrong.push(format!(
                "{}: {lines} lines; divide it, or say `{} …` in its module comment",
                file.path,
                code::EXCUSE
            ));
        }
    }
    none(&wrong);
}

#[test]
fn functions_are_short() {
    let mut wrong = Vec::new();
    for file in rust() {
        let (good, most) = if is_test(&file.path) {
            TEST_LINES
        } else {
            FUNCTION_LINES
        };
        for function in code::functions(file.text()) {
            let place = format!(
                "{}:{}: `{}` has {} lines",
                file.path, function.line, function.name, function.lines
            );
            if function.lines > most {
                wrong.push(format!("{place}; {most} is the limit: give its parts names"));
            } else if function.lines > good && !function.excused {
                wrong.push(format!(
                    "{place}; divide it, or say `// {} …` above or in it",
                    code::EXCUSE
                ));
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_module_begins_with_a_sentence() {
    let mut wrong = Vec::new();
    for file in rust() {
        let first = file.text().lines().next().unwrap_or_default();
        if first
            .strip_prefix("//! ")
            .is_none_or(|sentence| sentence.trim().is_empty())
        {
            wrong.push(format!(
                "{}: begin with `//! ` and a sentence that says what it is for",
                file.path
            ));
        }
    }
    none(&wrong);
}

#[test]
fn every_module_is_part_of_a_crate() {
    let all = rust();
    let texts: BTreeMap<&str, String> = all
        .iter()
        .map(|file| (file.path.as_str(), code::blank(file.text())))
        .collect();
    let roots = crate_roots();
    let mut wrong = Vec::new();
    for file in all.iter().filter(|file| !roots.contains(&file.path)) {
        let (folder, name) = module(&file.path);
        let parents = [
            format!("{folder}/mod.rs"),
            format!("{folder}/lib.rs"),
            format!("{folder}/main.rs"),
            format!("{folder}.rs"),
        ];
        let inside_root = roots
            .iter()
            .filter(|root| Path::new(root).parent() == Some(Path::new(&folder)));
        let declared = parents.iter().chain(inside_root).any(|parent| {
            texts
                .get(parent.as_str())
                .is_some_and(|text| text.lines().any(|line| declares(line, &name)))
        });
        if !declared {
            wrong.push(format!(
                "{}: nobody says `mod {name};`, so it is never compiled: declare it or remove it",
                file.path
            ));
        }
    }
    none(&wrong);
}

#[test]
fn architecture_names_every_crate() {
    let text = std::fs::read_to_string(root().join("plugin/ARCHITECTURE.md")).expect("plugin/ARCHITECTURE.md is there");
    let unnamed = |name: &&str| !text.contains(&format!("`{name}`"));
    let wrong: Vec<String> = MAY_USE
        .iter()
        .map(|(name, _)| *name)
        .filter(unnamed)
        .map(|name| format!("plugin/ARCHITECTURE.md does not name `{name}`"))
        .collect();
    none(&wrong);
}

#[test]
fn no_banned_words() {
    let unfinished = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!"));
    let printing = ["println", "print", "eprintln", "eprint"].map(|name| format!("{name}!"));
    let mut wrong = Vec::new();
    for file in rust() {
        let unfinished: Vec<&str> = unfinished.iter().map(String::as_str).collect();
        wrong.extend(with_word(
            &file,
            &unfinished,
            "finish it, or open an issue and leave it out",
        ));
        wrong.extend(with_word(
            &file,
            &["#[allow(", "#![allow("],
            "use `#[expect(…, reason = \"…\")]`",
        ));
        if !may_print(&file.path) {
            let printing: Vec<&str> = printing.iter().map(String::as_str).collect();
            wrong.extend(with_word(
                &file,
                &printing,
                "only `console` writes to the terminal; send an event or a signal",
            ));
        }
    }
    none(&wrong);
}

#[test]
fn nothing_names_a_registry_or_a_machine() {
    let dotted = |words: &[&str]| words.join(".");
    let hosts = [
        dotted(&["crates", "io"]),
        dotted(&["pypi", "org"]),
        dotted(&["pythonhosted", "org"]),
        dotted(&["npmjs", "org"]),
        dotted(&["maven", "org"]),
        dotted(&["debian", "org"]),
        dotted(&["proxy", "golang", "org"]),
    ];
    let folders = ["work", "root", "home"].map(|name| format!("/{name}/"));
    let mut wrong = Vec::new();
    for file in files().iter().filter(|file| file.path != "Cargo.lock") {
        for (at, line) in file.text().lines().enumerate() {
            if let Some(host) = hosts.iter().find(|host| line.contains(host.as_str())) {
                wrong.push(format!(
                    "{}:{}: `{host}`: name packages, not the hosts they come from",
                    file.path,
                    at + 1
                ));
            }
            if let Some(folder) = folders.iter().find(|folder| begins_a_path(line, folder)) {
                wrong.push(format!(
                    "{}:{}: `{folder}`: paths of one machine mean nothing to others",
                    file.path,
                    at + 1
                ));
            }
        }
    }
    none(&wrong);
}

#[test]
fn guest_scripts_are_ascii_and_explain_themselves() {
    let scripts: Vec<SourceFile> = files()
        .into_iter()
        .filter(|file| file.extension() == "ps1" && file.path.starts_with("plugin/crates/"))
        .collect();
    assert!(scripts.len() > 30, "only {} guest scripts were found", scripts.len());
    let mut wrong = Vec::new();
    for file in &scripts {
        if let Some(at) = file.bytes.iter().position(|byte| !byte.is_ascii()) {
            wrong.push(format!(
                "{}: byte {at} is not ASCII; PowerShell 5.1 reads a file without a mark in the local code page",
                file.path
            ));
        }
        // Operations stand alone; the others are fragments that are joined to them or named by their first line.
        let operation = file.path.matches("/ops/").count() == 1 && !file.path.contains("/lib/");
        let mut head = file.text().lines().take(12);
        if operation && !head.any(|line| line.trim_start().starts_with(".SYNOPSIS")) {
            wrong.push(format!("{}: begin with a help comment that has .SYNOPSIS", file.path));
        } else if !operation && !file.text().starts_with("# ") {
            wrong.push(format!("{}: begin with a comment that says what it is", file.path));
        }
    }
    none(&wrong);
}

#[test]
fn lines_end_with_a_line_feed() {
    let kinds = ["rs", "toml", "yaml", "yml", "ps1", "md", "json", "tsv"];
    let mut wrong = Vec::new();
    for file in files().iter().filter(|file| kinds.contains(&file.extension())) {
        if file.text().contains('\r') {
            wrong.push(format!(
                "{}: has a carriage return; save it with LF line ends",
                file.path
            ));
        }
        if !file.bytes.is_empty() && !file.bytes.ends_with(b"\n") {
            wrong.push(format!("{}: its last line has no end", file.path));
        }
    }
    none(&wrong);
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} times:\n{}", wrong.len(), wrong.join("\n"));
}

/// The comment at the top of a file.
fn header(file: &SourceFile) -> String {
    file.text()
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Places where a file's code has one of the words, tests not counted.
fn with_word(file: &SourceFile, words: &[&str], cure: &str) -> Vec<String> {
    let blanked = code::blank(file.text());
    let found = blanked.lines().enumerate().filter_map(|(at, line)| {
        let word = words.iter().find(|word| has_word(line, word))?;
        Some(format!("{}:{}: `{word}`: {cure}", file.path, at + 1))
    });
    found.collect()
}

/// Whether a word stands there by itself, not as the end or the beginning of another.
fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, rest) = line.split_at(at);
        let after = rest.strip_prefix(word).unwrap_or_default();
        let begins = !before.ends_with(part);
        let ends = !word.ends_with(part) || !after.starts_with(part);
        begins && ends
    })
}

/// Tests, examples and chores talk to whoever started them; the console is the product's one mouth.
fn may_print(path: &str) -> bool {
    let folders = ["plugin/src/console/", "plugin/xtask/"];
    folders.iter().any(|folder| path.starts_with(folder)) || is_test(path) || path.contains("/examples/")
}

/// Whether a file has nothing but tests.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Whether an absolute path with this first folder begins in the line; one within an address does not count.
fn begins_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.split_at(at).0.chars().next_back();
        before.is_none_or(|c| c.is_whitespace() || "\"'`(=:".contains(c))
    })
}

/// The folder and the name under which a file is declared.
fn module(path: &str) -> (String, String) {
    let path = Path::new(path);
    let text = |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).unwrap_or_default().to_owned();
    let folder = path.parent().unwrap_or(Path::new(""));
    if path.ends_with("mod.rs") {
        let above = folder.parent().unwrap_or(Path::new(""));
        return (above.to_string_lossy().into_owned(), text(folder.file_name()));
    }
    (folder.to_string_lossy().into_owned(), text(path.file_stem()))
}

fn declares(line: &str, name: &str) -> bool {
    let line = line.trim();
    line.strip_suffix(';')
        .is_some_and(|head| head.ends_with(&format!("mod {name}")))
}

/// The first file of every target: libraries, binaries, tests, examples.
fn crate_roots() -> BTreeSet<String> {
    let root = root().canonicalize().unwrap();
    let mut found = BTreeSet::new();
    for package in workspace().workspace_packages() {
        for target in &package.targets {
            let path = target.src_path.as_std_path().canonicalize().unwrap();
            let path = path.strip_prefix(&root).unwrap();
            found.insert(path.to_string_lossy().replace('\\', "/"));
        }
    }
    found
}

/// Our crates without their dependencies.
fn workspace() -> Metadata {
    MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .exec()
        .expect("cargo metadata works")
}

/// The whole graph as it is on this machine. Offline: what these tests were built from is enough.
fn metadata() -> Metadata {
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc is there");
    let rustc = String::from_utf8(rustc.stdout).unwrap();
    let host = rustc
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("rustc says its host");
    let flags = ["--offline", "--filter-platform", host].map(str::to_owned);
    MetadataCommand::new()
        .current_dir(root())
        .other_options(flags)
        .exec()
        .expect("cargo metadata works")
}

/// Who uses whom among our crates, by folder names.
fn edges() -> Vec<(String, String, DependencyKind)> {
    let workspace = workspace();
    let mut edges = Vec::new();
    for package in workspace.workspace_packages() {
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.path.is_some())
        {
            edges.push((folder(&package.name), folder(&dependency.name), dependency.kind));
        }
    }
    assert!(edges.len() > 20, "only {} edges were found", edges.len());
    edges
}

fn folder(package: &str) -> String {
    match package {
        "reseal" => "plugin".to_owned(),
        name => name.strip_prefix("reseal-").unwrap_or(name).to_owned(),
    }
}

/// The names of all packages that a package links, itself included.
fn linked(metadata: &Metadata, package: &str) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("the graph is resolved");
    let start = metadata
        .packages
        .iter()
        .find(|candidate| candidate.name == package)
        .expect("our own package");
    let mut waiting = vec![&start.id];
    let mut names = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !names.insert(metadata[id].name.to_string()) {
            continue;
        }
        let Some(node) = resolve.nodes.iter().find(|node| node.id == *id) else {
            continue;
        };
        let normal = |dependency: &&cargo_metadata::NodeDep| {
            dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == DependencyKind::Normal)
        };
        waiting.extend(node.deps.iter().filter(normal).map(|dependency| &dependency.pkg));
    }
    names
}

#[test]
fn words_are_found_as_words() {
    assert!(has_word("    print!(x)", "print!"));
    assert!(!has_word("    eprint!(x)", "print!"));
    assert!(!has_word("asynchronous", "async"));
    assert!(begins_a_path("see /a/x", "/a/") && !begins_a_path("http://host/a/x", "/a/"));
}
