//! Arguments, descriptions, refusals.

use super::*;
use crate::tests::hello;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_flag_may_stand_anywhere() {
    let start = |generation| {
        Command::Start(Component {
            kind: Kind::Builder,
            name: "image".to_owned(),
            generation,
        })
    };
    assert_eq!(Command::read(&words("describe")).unwrap(), Command::Describe);
    assert_eq!(
        Command::read(&words("start builder image")).unwrap(),
        start(Generation::Gob)
    );
    for line in [
        "start builder --protobuf image",
        "--protobuf start builder image",
        "start builder image --protobuf",
    ] {
        assert_eq!(Command::read(&words(line)).unwrap(), start(Generation::Protobuf));
    }
    for line in [
        "",
        "start",
        "start builder",
        "start builder a b",
        "start thing a",
        "help",
    ] {
        assert!(
            matches!(Command::read(&words(line)), Err(PluginError::Arguments(_))),
            "{line}"
        );
    }
}

#[test]
fn other_arguments_are_not_packers() {
    let is_packers = |line: &str| Launch::new(words(line), [("", ""); 0], "").is_packers();
    assert!(is_packers("describe") && is_packers("start builder image"));
    assert!(!is_packers("") && !is_packers("validate x.yaml"));
}

#[test]
fn the_description_is_one_line_with_all_fields() {
    let line = hello::plugin().describe();
    assert!(line.ends_with("}\n") && line.lines().count() == 1);
    let description: serde_json::Value = serde_json::from_str(&line).unwrap();
    let expected = serde_json::json!({
        "version": "1.0.0",
        "sdk_version": "0.6.10",
        "api_version": "x5.0",
        "builders": ["image"],
        "post_processors": ["note"],
        "provisioners": ["shout"],
        "datasources": ["greeting"],
        "protocol_version": "v2",
    });
    assert_eq!(description, expected);
}

async fn launch(line: &str, cookie: bool) -> (String, Result<(), PluginError>) {
    let variables = cookie.then(|| (COOKIE.0.to_owned(), COOKIE.1.to_owned()));
    let launch = Launch::new(words(line), variables, "/nonexistent");
    let mut stdout = Vec::new();
    let result = hello::plugin().launch(launch, &mut stdout).await;
    (String::from_utf8(stdout).unwrap(), result)
}

#[tokio::test]
async fn a_refusal_is_said_where_it_is_shown() {
    let (said, result) = launch("start builder image", false).await;
    assert!(said.is_empty() && matches!(result, Err(PluginError::StartedByHand)));
    let (said, result) = launch("start builder a|b", true).await;
    assert_eq!(said, "this plugin has no builder called a b\n");
    assert!(matches!(result, Err(PluginError::Missing(_))));
    let (said, result) = launch("describe", false).await;
    assert!(said.starts_with('{') && result.is_ok());
}

#[tokio::test]
async fn packer_is_met_on_a_private_socket_or_a_port() {
    let folder = tempfile::tempdir().unwrap();
    let listener = Listener::bind(folder.path(), 0..=0).await.unwrap();
    let line = listener.handshake();
    if cfg!(unix) {
        let address = line.trim_end().strip_prefix("5|0|unix|").unwrap();
        assert!(std::path::Path::new(address).exists());
        drop(listener);
        assert!(!std::path::Path::new(address).exists());
    }
    let listener = Listener::bind(std::path::Path::new("/nonexistent"), 0..=0)
        .await
        .unwrap();
    assert!(listener.handshake().starts_with("5|0|tcp|127.0.0.1:"));
}
