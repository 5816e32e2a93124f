//! Compiling whole files: the provider's values, hand-written bases, secrets, lists.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use reseal_unattend::{Compiled, Options, Problem, RevealError, Target, Windows, check, compile, diff, lint_text};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data/unattend")
}

fn base() -> String {
    std::fs::read_to_string(folder().join("good/cloudbase-init.xml")).unwrap()
}

fn options(value: Value) -> Options {
    serde_json::from_value(value).unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that compile asks for")]
fn reveal(text: &str) -> Result<String, RevealError> {
    Ok(text.replace("${admin_password}", "Passw0rd!"))
}

fn run(base: Option<&str>, value: Value) -> Result<Compiled, Vec<Problem>> {
    compile(
        base,
        &options(value),
        &Target::sysprep(Some(Windows::Server2022)),
        &reveal,
    )
}

fn xml(base: Option<&str>, value: Value) -> String {
    run(base, value).unwrap().xml.expose_secret().to_owned()
}

/// Options and codes of what is complained about.
fn complaints(value: Value) -> Vec<(String, &'static str)> {
    check(&options(value), &Target::sysprep(Some(Windows::Server2022)))
        .into_iter()
        .map(|one| (one.option.unwrap_or_default(), one.diagnostic.code))
        .collect()
}

fn provider_values() -> Value {
    json!({
        "oobe": {
            "hide_eula_page": true, "network_location": "Work", "protect_your_pc": 1,
            "skip_machine_oobe": true, "skip_user_oobe": true,
        },
        "international": {
            "input_locale": "en-US", "system_locale": "en-US", "ui_language": "en-US", "user_locale": "en-US",
        },
        "time_zone": "UTC",
    })
}

/// Compares with a reviewed file; `RESEAL_BLESS=1` writes it anew.
fn golden(name: &str, actual: &str) {
    let path = folder().join("compile").join(name);
    if option_env!("RESEAL_BLESS").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "{name}");
}

#[test]
fn the_providers_values_over_the_agents_file() {
    let base = base();
    let compiled = run(Some(&base), provider_values()).unwrap();
    let text = compiled.xml.expose_secret();
    golden("provider-values.xml", text);
    assert_eq!(compiled.redacted, text, "nothing in it is secret");
    assert!(compiled.problems.iter().all(|one| !one.diagnostic.is_error()));
    let changes: Vec<String> = diff(&base, text).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            "+ oobeSystem Microsoft-Windows-International-Core@amd64 InputLocale: en-US",
            "+ oobeSystem Microsoft-Windows-International-Core@amd64 SystemLocale: en-US",
            "+ oobeSystem Microsoft-Windows-International-Core@amd64 UILanguage: en-US",
            "+ oobeSystem Microsoft-Windows-International-Core@amd64 UserLocale: en-US",
            "+ oobeSystem Microsoft-Windows-Shell-Setup@amd64 TimeZone: UTC",
        ]
    );
}

#[test]
fn everything_without_a_base() {
    let value = json!({
        "base": "none",
        "oobe": { "hide_eula_page": true, "hide_local_account_screen": true, "hide_oem_registration_screen": true,
                  "hide_online_account_screens": true, "hide_wireless_setup": true, "protect_your_pc": 3 },
        "international": { "input_locale": "0412:00000412", "system_locale": "ko-KR", "ui_language": "ko-KR",
                           "ui_language_fallback": "en-US", "user_locale": "ko-KR" },
        "time_zone": "Asia/Seoul",
        "computer_name": "WEB-*",
        "administrator_password": { "value": "${admin_password}" },
        "local_accounts": [{ "name": "operator", "password": { "value": "${admin_password}", "form": "plain" },
                             "groups": ["Administrators", "Remote Desktop Users"], "description": "R&D <ops>" }],
        "auto_logon": { "username": "operator", "password": { "value": "${admin_password}" }, "count": 1 },
        "run_synchronous": [{ "command": "cmd.exe /c \"ver && exit 0\"", "description": "first", "will_reboot": "never" },
                            { "command": "cmd.exe /c ver", "order": 7 }],
        "run_asynchronous": [{ "command": "net.exe start sshd" }],
        "first_logon_commands": [{ "command": "cmd.exe /c ver", "requires_user_input": false }],
        "rdp": { "enabled": true, "network_level_authentication": true },
        "firewall": { "public": true, "groups": [{ "group": "windows_remote_management", "profile": "private" }] },
        "product_key": { "kms": "server2022-standard" },
        "persist_drivers": true,
        "registered_owner": "예제",
        "do_not_clean_task_bar": true,
        "set": {
            "specialize": {
                "Microsoft-Windows-TCPIP": { "Interfaces": [{
                    "Routes": [{ "Identifier": 1, "Prefix": "0.0.0.0/0", "NextHopAddress": "192.0.2.1" }],
                    "Identifier": "Ethernet0",
                    "UnicastIpAddresses": ["192.0.2.10/24"],
                    "Ipv4Settings": { "DhcpEnabled": false },
                }] },
                "Microsoft-Windows-IE-InternetExplorer@wow64": { "Home_Page": "about:blank" },
            },
        },
    });
    let compiled = run(None, value.clone()).unwrap();
    golden("everything.xml", compiled.xml.expose_secret());
    golden("everything-redacted.xml", &compiled.redacted);
    assert!(!compiled.redacted.contains("Passw0rd") && !format!("{compiled:?}").contains("Passw0rd"));
    assert_eq!(xml(None, value), compiled.xml.expose_secret(), "bytes do not vary");
    let loud: Vec<_> = compiled
        .problems
        .iter()
        .filter(|one| one.diagnostic.is_error())
        .collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

#[test]
fn what_is_not_overridden_stays_byte_for_byte() {
    let base = "<?xml version='1.0'?>\r\n<unattend xmlns='urn:schemas-microsoft-com:unattend'>\r\n\t<!-- mine -->\r\n\t<settings pass='oobeSystem'>\r\n\t\t<component name='Microsoft-Windows-Shell-Setup' processorArchitecture='amd64' publicKeyToken='31bf3856ad364e35' language='neutral'>\r\n\t\t\t<OOBE />\r\n\t\t\t<TimeZone\r\n\t\t\t>Tokyo Standard Time</TimeZone> <!-- why -->\r\n\t\t\t<RegisteredOwner></RegisteredOwner>\r\n\t\t</component>\r\n\t</settings>\r\n</unattend>";
    let made = xml(
        Some(base),
        json!({ "oobe": { "protect_your_pc": 3, "hide_eula_page": true }, "time_zone": "UTC", "registered_owner": "A & B" }),
    );
    let expected = base
        .replace("<OOBE />", "<OOBE>\r\n\t\t\t\t<HideEULAPage>true</HideEULAPage>\r\n\t\t\t\t<ProtectYourPC>3</ProtectYourPC>\r\n\t\t\t</OOBE>")
        .replace("Tokyo Standard Time", "UTC")
        .replace("<RegisteredOwner></", "<RegisteredOwner>A &amp; B</");
    assert_eq!(made, expected);
}

#[test]
fn commands_are_numbered_after_those_of_the_base_or_replace_them() {
    let made = xml(
        Some(&base()),
        json!({ "run_synchronous": [{ "command": "a.exe" }, { "command": "b.exe" }] }),
    );
    let places: Vec<_> = ["cloudbase-init.exe", "a.exe", "b.exe"]
        .iter()
        .map(|name| made.find(name).unwrap())
        .collect();
    assert!(places.is_sorted());
    assert!(made.contains("<Order>2</Order>") && made.contains("<Order>3</Order>"));
    let made = xml(
        Some(&base()),
        json!({ "run_synchronous": [{ "command": "a.exe", "order": 1 }] }),
    );
    assert!(!made.contains("cloudbase-init.exe") && made.matches("<Order>").count() == 1);
}

#[test]
fn null_takes_out_and_leaves_nothing_empty() {
    let set = json!({ "set": { "specialize": { "Microsoft-Windows-Deployment": { "RunSynchronous": null } },
                               "oobeSystem": { "Microsoft-Windows-Shell-Setup": { "OOBE": { "SkipMachineOOBE": null } } } } });
    let made = xml(Some(&base()), set);
    assert!(!made.contains("specialize") && !made.contains("SkipMachineOOBE") && made.contains("SkipUserOOBE"));
    assert!(
        lint_text(&made, &Target::default())
            .iter()
            .all(|one| one.severity == reseal_diag::Severity::Note)
    );
}

#[test]
fn the_architecture_mark_of_a_template_is_filled_in() {
    let base = std::fs::read_to_string(folder().join("good/cloudbase-init-template.xml")).unwrap();
    let made = xml(Some(&base), provider_values());
    assert!(!made.contains("%ARCH%"));
    assert_eq!(made.matches("processorArchitecture=\"amd64\"").count(), 4);
}

#[test]
fn namespaces_of_the_base_are_used_or_declared() {
    for name in ["no-wcm-needed.xml", "prefixed-namespace.xml"] {
        let base = std::fs::read_to_string(folder().join("good").join(name)).unwrap();
        let made = xml(
            Some(&base),
            json!({ "first_logon_commands": [{ "command": "a" }, { "command": "b" }], "persist_drivers": true }),
        );
        let findings = lint_text(&made, &Target::default());
        assert!(
            findings.iter().all(|one| one.severity == reseal_diag::Severity::Note),
            "{findings:?}\n{made}"
        );
        assert_eq!(diff(&base, &made).unwrap().len(), 5, "{made}");
    }
}

#[test]
fn secrets_of_the_base_are_masked() {
    let base = std::fs::read_to_string(folder().join("good/domain-join.xml")).unwrap();
    let compiled = run(Some(&base), json!({})).unwrap();
    assert_eq!(compiled.xml.expose_secret(), base);
    assert!(!compiled.redacted.contains("JoinMe") && !compiled.redacted.contains("Passw0rd"));
    assert!(!format!("{:?}", compiled.problems).contains("JoinMe"));
}

#[test]
fn wrong_options_are_named_by_their_place() {
    let set = |pass: &str, component: &str, value: Value| json!({ "set": { pass: { component: value } } });
    let shell = "Microsoft-Windows-Shell-Setup";
    let cases = [
        (json!({ "time_zone": "Seoul" }), "/time_zone", "U011"),
        (
            json!({ "international": { "user_locale": "ko_KR" } }),
            "/international/user_locale",
            "U012",
        ),
        (
            json!({ "computer_name": "a name that is long" }),
            "/computer_name",
            "U010",
        ),
        (json!({ "computer_name": "TOOLONGPREFIX-*" }), "/computer_name", "U010"),
        (
            json!({ "oobe": { "protect_your_pc": 4 } }),
            "/oobe/protect_your_pc",
            "U008",
        ),
        (json!({ "product_key": { "key": "12345" } }), "/product_key/key", "U008"),
        (
            json!({ "product_key": { "kms": "server2022-standart" } }),
            "/product_key/kms",
            "U026",
        ),
        (
            json!({ "run_synchronous": [{ "command": "x".repeat(260) }] }),
            "/run_synchronous/0",
            "U008",
        ),
        (
            json!({ "run_synchronous": [{ "command": "x", "order": 501 }] }),
            "/run_synchronous/0",
            "U008",
        ),
        (
            json!({ "local_accounts": [{ "name": "a@b" }] }),
            "/local_accounts/0",
            "U025",
        ),
        (
            set("specialize", shell, json!({ "ComputerNam": "x" })),
            "/set/specialize/Microsoft-Windows-Shell-Setup/ComputerNam",
            "U006",
        ),
        (
            set("generalize", shell, json!({ "TimeZone": "UTC" })),
            "/set/generalize/Microsoft-Windows-Shell-Setup/TimeZone",
            "U007",
        ),
        (
            set("oobeSystem", shell, json!({ "OOBE": "x" })),
            "/set/oobeSystem/Microsoft-Windows-Shell-Setup/OOBE",
            "U021",
        ),
        (
            set("oobeSystem", shell, json!({ "TimeZone": "" })),
            "/set/oobeSystem/Microsoft-Windows-Shell-Setup/TimeZone",
            "U008",
        ),
        (
            set("specialize", "Microsoft-Windows-Shel-Setup", json!({ "A": 1 })),
            "/set/specialize/Microsoft-Windows-Shel-Setup/A",
            "U006",
        ),
    ];
    for (value, option, code) in cases {
        assert_eq!(complaints(value.clone()), [(option.to_owned(), code)], "{value}");
        assert!(run(Some(&base()), value).is_err());
    }
    assert_eq!(
        complaints(json!({ "time_zone": "UTC", "set": { "oobeSystem": { shell: { "TimeZone": "UTC" } } } })),
        [(
            "/set/oobeSystem/Microsoft-Windows-Shell-Setup/TimeZone".to_owned(),
            "U101"
        )]
    );
}

#[test]
fn a_secret_that_cannot_be_had_is_said() {
    let refuse = |_: &str| {
        Err(RevealError {
            message: "no such variable".to_owned(),
        })
    };
    let value = options(json!({ "administrator_password": { "value": "${x}" } }));
    let problems = compile(None, &value, &Target::default(), &refuse).unwrap_err();
    assert!(
        problems
            .iter()
            .any(|one| one.diagnostic.code == "U102" && one.option.as_deref() == Some("/administrator_password/value"))
    );
}

#[test]
fn a_base_that_cannot_be_read_is_said() {
    let problems = run(Some("<unattend><a></unattend>"), json!({})).unwrap_err();
    let said: Vec<&str> = problems.iter().map(|one| one.diagnostic.message.as_str()).collect();
    assert!(said.iter().any(|one| one.ends_with("`<a>` is not closed")), "{said:?}");
    assert!(problems.iter().all(|one| one.diagnostic.code == "U001"), "{said:?}");
}

#[test]
fn literal_passwords_are_neither_shown_nor_serialised() {
    let options = options(
        json!({ "administrator_password": { "value": "Hunter2!" }, "product_key": { "key": "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA" } }),
    );
    let shown = format!("{options:?} {}", serde_json::to_string(&options).unwrap());
    assert!(!shown.contains("Hunter2"), "{shown}");
    let problems = check(&options, &Target::default());
    assert!(
        problems
            .iter()
            .any(|one| one.diagnostic.code == "U104" && one.diagnostic.is_error())
    );
    let schema = serde_json::to_string(&schemars::schema_for!(Options)).unwrap();
    assert!(schema.contains("server2022-standard") && schema.contains("\"additionalProperties\":false"));
}
