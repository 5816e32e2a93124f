//! The engine against what HashiCorp's own makes of the same templates, and against templates that nobody should write.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// A line of the table that the tests of `tests/packer-host` hold equal to HashiCorp's engine.
#[derive(Deserialize)]
struct Rendering {
    template: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    error: String,
}

fn surroundings(nanoseconds: u64) -> Surroundings {
    let now = SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds);
    Surroundings::new(now, Some("/srv/here".into()), 7)
}

/// The same as in `tests/packer-host`.
fn context() -> Context {
    Context {
        surroundings: surroundings(1_772_856_309_120_345_678),
        build_name: "web".to_owned(),
        build_type: "reseal".to_owned(),
        core_version: "1.16.0".to_owned(),
        template: Some("/a/b/../t.json".to_owned()),
        user_variables: Some(
            [("x", "ex"), ("n", "5")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        ),
        build: Build::Later(["ID".to_owned()].into()),
        ..Context::default()
    }
}

fn told(template: &str) -> String {
    match render(template, &context()) {
        Ok(text) => text,
        Err(fault) => format!("{}: {fault}", fault.verb()),
    }
}

#[test]
fn templates_become_what_hashicorps_engine_makes_of_them() {
    let table = include_str!("../../../../../tests/data/packer-templates.json");
    let table: Vec<Rendering> = serde_json::from_str(table).unwrap();
    assert!(table.len() > 140);
    let mut wrong = Vec::new();
    for Rendering { template, text, error } in table {
        let same = match render(&template, &context()) {
            Ok(made) => error.is_empty() && made == text,
            // After an unknown function ours lists those that there are; nil has no text here.
            Err(fault) if error.ends_with("not defined") => fault.to_string().starts_with(&error),
            Err(fault) => fault.to_string() == error || template == "{{print nil}}",
        };
        if !same {
            wrong.push(format!(
                "{template:?}\n  ours   {}\n  theirs {text}{error}",
                told(&template)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    for (template, wanted) in [
        (
            "{{if true}}x{{end}}",
            "invalid: template: root:1: `if` is not known in Reseal's templates",
        ),
        (
            "a\n{{range $x := .}}",
            "invalid: template: root:2: `range` is not known",
        ),
        ("{{$x := 1}}", "variables (`$x := …`) are not known"),
        (
            "{{nope 1}}",
            "function \"nope\" not defined; there are aws_secretsmanager, ",
        ),
        (
            "{{.Password}}",
            "render: template: root:1:2: executing \"root\" at <.Password>: there is no data here",
        ),
        ("{{.}}", "there is no data here"),
        ("{{upper .Vars.x}}", "at <.Vars.x>: there is no data here"),
        ("{{printf `%d` `x`}}", "printf: %d does not show a string"),
        ("{{printf `%z` `x`}}", "printf: %z is not known"),
        ("{{printf `%s`}}", "printf: no value for %s"),
        ("{{printf `x` 1}}", "more values than the format has verbs"),
        ("{{printf `%99999d` 1}}", "printf: 99999 is too wide"),
    ] {
        let told = told(template);
        assert!(told.contains(wanted), "{template}: {told}");
    }
}

#[test]
fn what_was_not_handed_in_is_not_available() {
    let bare = Context::default();
    for name in [
        "timestamp",
        "isotime",
        "strftime `%Y`",
        "uuid",
        "pwd",
        "template_dir",
        "build_name",
        "build_type",
        "packer_version",
    ] {
        let fault = render(&format!("{{{{{name}}}}}"), &bare).unwrap_err().to_string();
        assert!(fault.contains("not available"), "{name}: {fault}");
    }
    let user = render("{{user `x`}}", &bare).unwrap_err().to_string();
    assert!(user.ends_with("HCL writes ${var.x}"), "{user}");
    let build = render("{{build `ID`}}", &bare).unwrap_err().to_string();
    assert!(
        build.ends_with("the given variable ID will not be passed into your plugin."),
        "{build}"
    );
}

#[test]
fn ids_differ_and_places_are_absolute() {
    let context = context();
    let (a, b) = (
        render("{{uuid}}", &context).unwrap(),
        render("{{uuid}}", &context).unwrap(),
    );
    assert!(a != b && a.len() == 36 && a.starts_with("69aba3f5-"), "{a} {b}");
    assert_eq!(told("{{pwd}}"), "/srv/here");
    assert_eq!(told("{{clean_resource_name `a:b c*`}}"), "a-b c-");
    let relative = Context {
        template: Some("../x/./t.json".to_owned()),
        ..tests::context()
    };
    assert_eq!(render("{{template_dir}}", &relative).unwrap(), "/srv/x");
}

/// Both moments as Go formats them.
#[test]
fn layouts_are_gos() {
    for (nanoseconds, layout, wanted) in [
        (
            1_772_856_309_120_345_678,
            "Mon, 02 Jan 2006 15:04:05 MST",
            "Sat, 07 Mar 2026 04:05:09 UTC",
        ),
        (
            1_772_856_309_120_345_678,
            "Monday, 02-Jan-06 15:04:05 MST",
            "Saturday, 07-Mar-26 04:05:09 UTC",
        ),
        (1_772_856_309_120_345_678, "3:04PM", "4:05AM"),
        (
            1_772_856_309_120_345_678,
            "Mon Jan 02 15:04:05 -0700 2006",
            "Sat Mar 07 04:05:09 +0000 2026",
        ),
        (
            1_772_856_309_120_345_678,
            "Jan _2 15:04:05.000000",
            "Mar  7 04:05:09.120345",
        ),
        (
            1_772_856_309_120_345_678,
            "2006-01-02T15:04:05.999999999Z07:00",
            "2026-03-07T04:05:09.120345678Z",
        ),
        (
            1_772_856_309_120_345_678,
            "Janus Month Monday Mon2",
            "Janus Month Saturday Sat7",
        ),
        (1_772_856_309_120_345_678, "__2|002|2|02", " 66|066|7|07"),
        (1_772_856_309_120_345_678, "_2006", "_2026"),
        (
            1_772_856_309_120_345_678,
            "3:4:5 PM pm .000 ,999 .0001 .x .",
            "4:5:9 AM am .120 ,12 .0003 .x .",
        ),
        (
            1_772_856_309_120_345_678,
            "15h04 1-2-3 -0700 -07:00 Z0700 Z07 -070000 Z07:00:00",
            "04h05 3-7-4 +0000 +00:00 Z Z +000000 Z",
        ),
        (
            1_772_856_309_120_345_678,
            "20x 0 100% 05.999 05.000000000000",
            "70x 0 300% 09.12 09.120345678",
        ),
        (1_772_856_309_120_345_678, "한국 2006년 1월 2일", "한국 2026년 3월 7일"),
        (
            946_684_798_000_000_000,
            "Mon Jan _2 15:04:05 2006",
            "Fri Dec 31 23:59:58 1999",
        ),
        (946_684_798_000_000_000, "3:04PM", "11:59PM"),
        (946_684_798_000_000_000, "__2|002|2|02", "365|365|31|31"),
        (
            946_684_798_000_000_000,
            "3:4:5 PM pm .000 ,999 .0001 .x .",
            "11:59:58 PM pm .000  .0012 .x .",
        ),
        (
            946_684_798_000_000_000,
            "20x 0 100% 05.999 05.000000000000",
            "310x 0 1200% 58 58.000000000",
        ),
    ] {
        let moment = surroundings(nanoseconds).moment("isotime").unwrap();
        assert_eq!(layout::go(layout, &moment), wanted, "{layout}");
    }
}

#[test]
fn nothing_grows_without_limit() {
    let long = "a".repeat(2000);
    let doubling = format!("{{{{`{long}` {}}}}}", "| replace_all `a` `aa` ".repeat(40));
    assert!(told(&doubling).contains("the result is longer than 1 MiB"));
    let pieces = format!("{{{{printf `%4096s` `x`}}}}{}", "{{printf `%4096s` `x`}}".repeat(300));
    assert!(told(&pieces).contains("the result is longer than 1 MiB"));
    let deep = format!("{{{{{}1{}}}}}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(told(&deep).contains("max expression depth exceeded"));
    assert!(told(&format!("{{{{{}", "(print ".repeat(30))).contains("unclosed"));
}

proptest! {
    #[test]
    fn any_text_is_rendered_or_refused(text in ".{0,200}") {
        let _ = render(&text, &context());
    }

    #[test]
    fn any_pieces_of_templates_are_rendered_or_refused(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "{{", "}}", "{{-", "-}}", " ", "\n", "|", "(", ")", "upper", "replace", "split", "print", "printf", "`a`",
            "\"\\x41\"", "\"\\", "'b'", "-1", "1.5e3", "0x", ".", ".F", "$v", ":=", "/*", "*/", "isotime", "`2006-_2.000`",
            "build", "`ID`", "nil", "true", "한", "\u{1}", "%", "`%-08.3q`", "if", "uuid", "é",
        ]), 0..40)
    ) {
        let _ = render(&pieces.concat(), &context());
    }

    #[test]
    fn any_layout_formats_any_moment(layout in ".{0,60}", nanoseconds in any::<u64>()) {
        let moment = surroundings(nanoseconds).moment("isotime").unwrap();
        let _ = (layout::go(&layout, &moment), layout::strftime(&layout, &moment));
    }
}
