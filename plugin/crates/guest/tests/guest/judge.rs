//! A healthy guest has no finding; each sick fact has its own.

use reseal_guest::preflight::{Facts, Options, Severity, judge};
use serde_json::{Value, json};

fn healthy() -> Value {
    json!({
        "elevated": true, "user_sid": "S-1-5-21-1-2-3-500", "language_mode": "FullLanguage", "now_utc": "2026-05-06T05:40:34Z",
        "build": 20348, "edition": "ServerStandard", "installation_type": "Server", "product_type": 3,
        "image_state": "IMAGE_STATE_COMPLETE", "generalization_state": 7, "cleanup_state": 2, "audit_boot": 0, "sysprep_running": 0,
        "rearm_count": 1001, "license_status": 1, "sppsvc": "running", "sppsvc_start": "Auto",
        "pending": {"hard": [], "soft": [], "busy": [], "msi_mutex": false}, "reserved_storage": "unsupported",
        "appx": {"available": true, "blockers": []}, "appx_service": "Manual", "store": {"auto_download": null, "consumer_features_disabled": null},
        "bitlocker": [], "domain_joined": false, "domain": "WORKGROUP", "roles": ["Web-Server"], "hyperv_switches": 0,
        "iis_encrypted_credentials": false, "upgrade_keys": 0, "windows_old": false, "answer_files": [], "external_providers": [],
        "services": [], "sense_onboarded": false, "profiles": [], "free_bytes": 30_000_000_000_u64, "bcd": 0, "problems": []
    })
}

fn findings(changes: &[(&str, Value)], options: &Options) -> Vec<(&'static str, Severity)> {
    let mut value = healthy();
    for (key, change) in changes {
        value[*key] = change.clone();
    }
    let facts: Facts = serde_json::from_value(value).unwrap();
    judge(&facts, options)
        .into_iter()
        .map(|finding| (finding.code, finding.severity))
        .collect()
}

#[test]
fn a_healthy_guest_has_no_finding() {
    assert_eq!(
        findings(
            &[],
            &Options {
                now_epoch: Some(1_778_046_034),
                ..Options::default()
            }
        ),
        []
    );
    // Facts that could not be read are no findings by themselves.
    assert_eq!(judge(&Facts::default(), &Options::default()), []);
}

/// Facts that are changed, and the findings that they bring.
type Case = (Vec<(&'static str, Value)>, Vec<(&'static str, Severity)>);

#[test]
fn every_sick_fact_has_its_finding() {
    use Severity::{Error, Info, Wait, Warning};
    let signal =
        json!({"hard": [{"signal": "cbs_reboot_pending", "detail": ""}], "soft": [], "busy": [], "msi_mutex": false});
    let soft =
        json!({"hard": [], "soft": [{"signal": "file_rename", "detail": "C:\\x"}], "busy": [], "msi_mutex": false});
    let busy = json!({"hard": [], "soft": [], "busy": ["TiWorker"], "msi_mutex": true});
    let blocker = json!({"available": true, "blockers": [{"full_name": "Microsoft.X_1_x64__8wekyb3d8bbwe"}]});
    let cases: Vec<Case> = vec![
        (vec![("elevated", json!(false))], vec![("P001", Error)]),
        (vec![("user_sid", json!("S-1-5-18"))], vec![("P002", Warning)]),
        (
            vec![("language_mode", json!("ConstrainedLanguage"))],
            vec![("P003", Error)],
        ),
        (vec![("generalization_state", json!(3))], vec![("P004", Error)]),
        (
            vec![("generalization_state", Value::Null), ("cleanup_state", Value::Null)],
            vec![],
        ),
        (vec![("cleanup_state", json!(0))], vec![("P004", Error)]),
        (
            vec![("image_state", json!("IMAGE_STATE_UNDEPLOYABLE"))],
            vec![("P005", Error)],
        ),
        (
            vec![
                ("image_state", json!("IMAGE_STATE_GENERALIZE_RESEAL_TO_AUDIT")),
                ("audit_boot", json!(1)),
            ],
            vec![],
        ),
        (vec![("sysprep_running", json!(1))], vec![("P006", Error)]),
        (vec![("rearm_count", json!(0))], vec![("P007", Error)]),
        (vec![("rearm_count", json!(2))], vec![("P008", Warning)]),
        (vec![("sppsvc", json!("refused"))], vec![("P009", Error)]),
        (vec![("license_status", json!(5))], vec![("P010", Info)]),
        (vec![("pending", signal)], vec![("P011", Error)]),
        (vec![("pending", soft)], vec![("P012", Info)]),
        (vec![("pending", busy)], vec![("P013", Wait), ("P014", Wait)]),
        (vec![("reserved_storage", json!("in_use"))], vec![("P015", Error)]),
        (vec![("appx", blocker)], vec![("P016", Error)]),
        (vec![("appx_service", json!("Disabled"))], vec![("P017", Error)]),
        (vec![("product_type", json!(1))], vec![("P018", Warning)]),
        (
            vec![(
                "bitlocker",
                json!([{"drive": "C:", "conversion": 1, "percent": 100, "protection": 1}]),
            )],
            vec![("P019", Error)],
        ),
        (vec![("domain_joined", json!(true))], vec![("P020", Error)]),
        (vec![("roles", json!(["DHCP"]))], vec![("P021", Error)]),
        (
            vec![("roles", json!(["Hyper-V"])), ("hyperv_switches", json!(1))],
            vec![("P022", Error)],
        ),
        (vec![("iis_encrypted_credentials", json!(true))], vec![("P023", Error)]),
        (
            vec![("upgrade_keys", json!(1)), ("windows_old", json!(true))],
            vec![("P025", Warning), ("P026", Warning)],
        ),
        (
            vec![("answer_files", json!(["C:\\unattend.xml"]))],
            vec![("P027", Warning)],
        ),
        (vec![("sense_onboarded", json!(true))], vec![("P030", Error)]),
        (
            vec![(
                "services",
                json!([{"name": "WSearch", "state": "running", "start": "Auto"}]),
            )],
            vec![("P031", Warning)],
        ),
        (vec![("free_bytes", json!(1_000_000_000))], vec![("P033", Error)]),
        (vec![("free_bytes", json!(5_000_000_000_u64))], vec![("P034", Warning)]),
        (vec![("bcd", json!(1))], vec![("P035", Warning)]),
        (
            vec![("problems", json!([{"fact": "roles", "message": "x"}]))],
            vec![("P037", Warning)],
        ),
    ];
    for (changes, expected) in cases {
        assert_eq!(findings(&changes, &Options::default()), expected, "{changes:?}");
    }
}

#[test]
fn options_soften_findings() {
    let skip = Options {
        skip_rearm: true,
        ..Options::default()
    };
    assert_eq!(
        findings(&[("rearm_count", json!(0))], &skip),
        [("P007", Severity::Info)]
    );
    let accept = Options {
        accept: vec!["P033".to_owned()],
        ..Options::default()
    };
    assert_eq!(
        findings(&[("free_bytes", json!(1))], &accept),
        [("P033", Severity::Warning)]
    );
    let clock = Options {
        now_epoch: Some(0),
        ..Options::default()
    };
    assert_eq!(findings(&[], &clock), [("P036", Severity::Warning)]);
}

#[test]
fn the_worst_comes_first() {
    let found = findings(
        &[
            ("license_status", json!(5)),
            ("bcd", json!(1)),
            ("elevated", json!(false)),
        ],
        &Options::default(),
    );
    assert_eq!(
        found,
        [
            ("P001", Severity::Error),
            ("P035", Severity::Warning),
            ("P010", Severity::Info)
        ]
    );
}
