//! What Packer leaves to its plugins: its template engine in the options, and templates in JSON.

use reseal_machine::cloud::ResourceKind;

use super::{Desk, holds, told};
use crate::process::finish;

/// A spec in HCL whose image has this name.
fn named(name: &str) -> String {
    format!(
        r##"source "reseal" "web" {{
  cloud {{
    provider = "nhn"
    region   = "KR1"
  }}
  base {{
    image {{
      name   = "Windows 2022 STD*EN*"
      newest = true
    }}
    flavor  = "m2.c2m4"
    network = "Default Network"
  }}
  software {{
    powershell {{
      inline = "# reseal-lab: print {{{{ braces }}}} stay"
    }}
  }}
  image {{
    name = {name}
  }}
}}
build {{
  sources = ["source.reseal.web"]
}}
"##
    )
}

/// The date of today in UTC, as the plugin's process has it a moment later or earlier.
fn today() -> [String; 2] {
    #[expect(clippy::disallowed_methods, reason = "a test of what today is")]
    let now = jiff::Timestamp::now();
    let day = |seconds: i64| {
        let moment = now.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        moment.strftime("%Y-%m-%d").to_string()
    };
    [day(-600), day(0)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_in_hcl_may_be_templates() {
    let Some(desk) = Desk::open("names_in_hcl_may_be_templates").await else {
        return;
    };
    let days = today();
    let name = r#""w-{{isotime `2006-01-02`}}-{{timestamp}}-{{build_name | upper}}""#;
    let (said, good) = desk.build(&named(name), &[]).await;
    assert!(good, "{said}");
    assert!(said.contains("{{ braces }} stay"), "{said}");
    let (_, made) = said.split_once("An image was created: w-").unwrap();
    let made = made.lines().next().unwrap();
    assert!(days.iter().any(|day| made.starts_with(day.as_str())), "{made}");
    let rest: String = made.chars().skip("2006-01-02-".len()).collect();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    assert!(digits.len() >= 10 && rest.contains("-WEB"), "{made}");
    assert_eq!(desk.site.left(), [ResourceKind::Image]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_template_reads_as_with_packers_own_builders() {
    let Some(desk) = Desk::open("what_is_wrong_with_a_template_reads_as_with_packers_own_builders").await else {
        return;
    };
    for wrong in [
        "a {{foo}} b",
        "{{env `X`}}",
        "{{split `a` `b`}}",
        "{{timestamp",
        "{{build `ID`}}",
        "{{template_dir}}",
    ] {
        let packers = format!(
            "source \"file\" \"web\" {{\n  target = \"x\"\n  content = \"{wrong}\"\n}}\nbuild {{\n  sources = [\"source.file.web\"]\n}}\n"
        );
        let mut answers = Vec::new();
        for template in [packers, named(&format!("\"{wrong}\""))] {
            desk.write("t.pkr.hcl", &template);
            answers.push(told(&desk.run(&["validate", "t.pkr.hcl"]).await));
        }
        let [(packers, false), (ours, false)] = answers.as_slice() else {
            panic!("{wrong}: {answers:?}");
        };
        let why = |said: &str, option: &str| {
            let (verb, rest) = said
                .split_once(&format!(" '{option}': "))
                .unwrap_or_else(|| panic!("{said}"));
            let verb = verb.rsplit([' ', '\n']).next().unwrap_or_default().to_owned();
            // After an unknown function ours lists those that there are.
            let rest = rest.split(" in:").next().unwrap().split("; there are").next().unwrap();
            (verb, rest.to_owned())
        };
        assert_eq!(why(ours, "image.name"), why(packers, "content"), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_json_template_is_checked_as_packers_own_builders_check_it() {
    let Some(desk) = Desk::open("a_json_template_is_checked_as_packers_own_builders_check_it").await else {
        return;
    };
    let example = desk.read("packer/legacy.json");
    let check = async |from: &str, to: &str, wanted: &[&str]| {
        assert!(example.contains(from), "{from}");
        desk.write("t.json", &example.replacen(from, to, 1));
        let (said, good) = told(&desk.run(&["validate", "t.json"]).await);
        holds(&said.split_whitespace().collect::<Vec<_>>().join(" "), wanted);
        assert_eq!(good, wanted == ["The configuration is valid."], "{said}");
        assert!(!said.contains("Change-Me-7!"), "{said}");
    };
    check("", "", &["The configuration is valid."]).await;
    let unknown = "1 error occurred: * unknown configuration key: '\"imagee\"', did you mean \"image\"?";
    check(
        "\"image\": {\n        \"name\": \"win",
        "\"imagee\": {\n        \"name\": \"win",
        &["Failed to prepare build: \"legacy\"", unknown],
    )
    .await;
    let number = "cannot parse 'software[0].retries' as int: strconv.ParseInt: parsing \"x\": invalid syntax";
    check("\"retries\": \"1\"", "\"retries\": \"x\"", &[number]).await;
    check(
        "{{build `ID`}}",
        "{{build `Nope`}}",
        &["loaded data, but couldnt find Nope in it."],
    )
    .await;
    check(
        "\"flavor\": \"{{user `flavor`}}\",",
        "",
        &["The argument \"base.flavor\" is required"],
    )
    .await;
    check("\"m2.c2m4\"", "null", &["required variable not set: flavor"]).await;
    check(
        "{{timestamp}}",
        "{{nope}}",
        &["invalid 'image.name': template: root:1: function \"nope\" not defined"],
    )
    .await;
    assert!(desk.site.only_build().is_none(), "nothing is begun");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_json_template_builds_with_provisioners_and_post_processors() {
    let Some(desk) = Desk::open("a_json_template_builds_with_provisioners_and_post_processors").await else {
        return;
    };
    let proof = r#"{
      "type": "reseal-verify",
      "cloud": { "provider": "nhn", "region": "KR1" },
      "base": { "image": { "name": "Windows 2022 STD*EN*", "newest": "true" }, "flavor": "{{user `flavor`}}", "network": "Default Network" },
      "verify": { "checks": { "name": "Proof of {{build `SourceImageName`}}", "reboot": {} } },
      "keep_input_artifact": true
    },
    {
      "type": "manifest""#;
    desk.write(
        "t.json",
        &desk
            .read("packer/legacy.json")
            .replace("{\n      \"type\": \"manifest\"", proof),
    );
    let mut command = desk.command(&["build", "-color=false", "t.json"]);
    command.env("PACKER_LOG", "1").env("PACKER_LOG_PATH", "packer.log");
    let (said, good) = told(&finish(command).await);
    assert!(good, "{said}");
    let wanted = [
        "A local administrator",
        "inline for legacy",
        "prove the first boot",
        "Running post-processor: reseal-verify",
        "Proof of Windows 2022",
        "An image was created: win2022-legacy-",
    ];
    holds(&said, &wanted);
    let log = desk.read("packer.log");
    assert!(!said.contains("Change-Me-7!") && !log.contains("Change-Me-7!"));
    let manifest: serde_json::Value = serde_json::from_str(&desk.read("packer-manifest.json")).unwrap();
    let server = manifest["builds"][0]["custom_data"]["server"].as_str().unwrap();
    assert!(server.len() > 30, "{server}");
    holds(&said, &[&format!("Note {server}")]);
    assert_eq!(desk.site.left(), [ResourceKind::Image]);
    assert_eq!(desk.site.room.violations(), Vec::<String>::new());
}
