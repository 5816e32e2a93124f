//! The endpoint as a client by hand meets it: login, sealing, shells, quotas, strictness.

use std::sync::Arc;

use crate::support::{Raw, Runner, between};
use reseal_lab::clock::JumpClock;
use reseal_lab::guest::room::GuestMachine;
use reseal_lab::guest::{Room, RoomOptions};
use reseal_lab::room::Machine;

const SKIP: &str = "<w:OptionSet><w:Option Name=\"WINRS_SKIP_CMD_SHELL\">FALSE</w:Option></w:OptionSet>";

fn guest(faults: &[&str]) -> (Room, Arc<GuestMachine>) {
    let clock = Arc::new(JumpClock::new("2026-05-06T00:00:00Z".parse().unwrap()));
    let room = Room::new(RoomOptions::new(clock));
    for fault in faults {
        room.faults().arm(fault);
    }
    let machine = room.standing("Windows 2022", "builder", "Passw0rd!").unwrap();
    (room, machine)
}

async fn login(machine: &GuestMachine) -> Raw {
    Raw::login(machine.address(), "builder", "Passw0rd!").await.unwrap()
}

#[tokio::test]
async fn a_command_runs_and_its_shell_goes() {
    let (_room, machine) = guest(&[]);
    let mut raw = login(&machine).await;
    let shell = raw.create().await.unwrap();
    let command = raw.command(&shell, SKIP, "hostname").await.unwrap();
    let answer = raw.receive(&shell, &command).await.unwrap();
    assert!(
        answer.text.contains("CommandState/Done") && answer.text.contains("<rsp:ExitCode>0<"),
        "{}",
        answer.text
    );
    assert_eq!(machine.open_shells(), 1);
    assert_eq!(raw.shell_call("Delete", &shell, "", "").await.unwrap().status, 200);
    assert_eq!(machine.open_shells(), 0);
    let gone = raw.receive(&shell, &command).await.unwrap();
    assert_eq!((gone.status, gone.text.contains("2150858843")), (500, true));
    assert_eq!(machine.inspect().violations, Vec::<String>::new());
}

#[tokio::test]
async fn a_wrong_password_is_401_and_offers_negotiate() {
    let (_room, machine) = guest(&[]);
    let refused = Raw::login(machine.address(), "builder", "wrong").await.err().unwrap();
    assert_eq!(refused.status, 401);
    assert!(refused.head.to_lowercase().contains("www-authenticate: negotiate"));
    assert!(!refused.head.contains("Basic"), "Basic is off on a stock guest");
}

#[tokio::test]
async fn clear_text_over_http_is_500_and_empty() {
    let (_room, machine) = guest(&[]);
    let mut raw = login(&machine).await;
    let text = raw.envelope("x", "y", "", "");
    let answer = raw
        .http("Content-Type: application/soap+xml;charset=UTF-8\r\n", text.as_bytes())
        .await
        .unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (500, ""));
    assert_eq!(machine.inspect().violations, ["a message in clear text over http"]);
}

#[tokio::test]
async fn a_line_break_before_the_closing_boundary_is_400() {
    let (_room, machine) = guest(&[]);
    let mut raw = login(&machine).await;
    raw.closing = "\r\n--Encrypted Boundary--\r\n";
    let text = raw.envelope("x", "y", "", "");
    assert_eq!(raw.sealed(&text).await.unwrap().status, 400);
}

#[tokio::test]
async fn a_login_belongs_to_its_connection() {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD as BASE64;
    let (_room, machine) = guest(&[]);
    let (mut one, mut two) = (
        Raw::connect(machine.address()).await,
        Raw::connect(machine.address()).await,
    );
    let header = |token: &[u8]| format!("Authorization: Negotiate {}\r\n", BASE64.encode(token));
    let first = one.http(&header(&crate::support::negotiate()), b"").await.unwrap();
    let challenge = BASE64.decode(between(&first.head, "Negotiate ", "\r\n")).unwrap();
    let (message, _) = crate::support::authenticate(&challenge, "builder", "Passw0rd!");
    assert_eq!(two.http(&header(&message), b"").await.unwrap().status, 401);
    assert_eq!(
        machine.inspect().violations,
        ["an NTLM login was spread over several connections"]
    );
}

#[tokio::test]
async fn quotas_are_those_of_a_stock_guest() {
    let (_room, machine) = guest(&["operations=3"]);
    let mut raw = login(&machine).await;
    let shell = raw.create().await.unwrap();
    for _ in 0..3 {
        raw.command(&shell, SKIP, "hostname").await.unwrap();
    }
    assert!(
        raw.command(&shell, SKIP, "hostname")
            .await
            .unwrap_err()
            .text
            .contains("2150859174")
    );
    for _ in 1..30 {
        raw.create().await.unwrap();
    }
    assert!(raw.create().await.unwrap_err().text.contains("2150859173"));
}

#[tokio::test]
async fn long_envelopes_are_413_and_empty() {
    let (_room, machine) = guest(&[]);
    let mut raw = login(&machine).await;
    let padding = format!("<!--{}-->", "x".repeat(512 * 1000));
    let text = raw.envelope("x", "y", "", &padding);
    let answer = raw.sealed(&text).await.unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (413, ""));
}

#[tokio::test]
async fn envelopes_are_read_strictly() {
    let (_room, machine) = guest(&[]);
    let mut raw = login(&machine).await;
    let shell = raw.create().await.unwrap();
    let unknown = "<w:OptionSet><w:Option Name=\"WINRS_NONSENSE\">1</w:Option></w:OptionSet>";
    assert!(
        raw.command(&shell, unknown, "hostname")
            .await
            .unwrap_err()
            .text
            .contains("w:InvalidOptions")
    );
    let body = format!("<r:CommandLine><r:Command>hostname</r:Command></r:CommandLine>{SKIP}");
    let answer = raw.shell_call("Command", &shell, "", &body).await.unwrap();
    assert!(
        answer.text.contains("SchemaValidationError"),
        "options in the Body: {}",
        answer.text
    );
    let cmd = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";
    let action = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command";
    let text = raw.envelope(
        action,
        cmd,
        "",
        "<r:CommandLine><r:Command>x</r:Command></r:CommandLine>",
    );
    let first = raw.sealed(&text).await.unwrap();
    assert!(first.text.contains("2150858843"), "no selector: {}", first.text);
    let again = raw.sealed(&text).await.unwrap();
    assert!(again.text.contains("used before"), "{}", again.text);
    let must = "<w:Nonsense s:mustUnderstand=\"true\">x</w:Nonsense>";
    let text = raw.envelope(action, cmd, must, "");
    assert!(raw.sealed(&text).await.unwrap().text.contains("s:MustUnderstand"));
}

#[tokio::test]
async fn the_configuration_tells_the_envelope_size() {
    let (_room, machine) = guest(&["envelope=150"]);
    let mut raw = login(&machine).await;
    let config = "http://schemas.microsoft.com/wbem/wsman/1/config";
    let text = raw.envelope("http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", config, "", "");
    let answer = raw.sealed(&text).await.unwrap();
    assert_eq!(between(&answer.text, "<cfg:MaxEnvelopeSizekb>", "<"), "150");
}

#[tokio::test]
async fn receive_waits_on_the_labs_clock_only() {
    let (_room, machine) = guest(&["slow-powershell=45"]);
    let began = std::time::Duration::from_secs(10);
    let runner = tokio::time::timeout(began, Runner::start(machine.address(), "builder", "Passw0rd!")).await;
    assert!(
        runner.is_ok(),
        "45 seconds of the guest are no time here: two polls of 20 seconds and a third"
    );
}

#[tokio::test]
async fn an_idle_connection_is_found_closed() {
    use reseal_machine::Clock;
    let clock = Arc::new(JumpClock::new("2026-05-06T00:00:00Z".parse().unwrap()));
    let shared: Arc<dyn Clock> = Arc::<JumpClock>::clone(&clock);
    let room = Room::new(RoomOptions::new(shared));
    room.faults().arm("idle-close");
    let machine = room.standing("Windows 2022", "builder", "Passw0rd!").unwrap();
    let mut raw = login(&machine).await;
    clock.sleep(std::time::Duration::from_secs(100)).await;
    raw.create().await.unwrap();
    clock.sleep(std::time::Duration::from_secs(130)).await;
    assert!(raw.receive("x", "y").await.is_none());
}

#[tokio::test]
async fn unknown_operations_are_errors_and_recorded() {
    let (_room, machine) = guest(&[]);
    let mut runner = Runner::start(machine.address(), "builder", "Passw0rd!").await;
    let answer = runner.run("make_coffee", &serde_json::json!({})).await.unwrap();
    assert_eq!(answer["error"]["kind"], "unknown_operation");
    let answer = runner.run("registry", &serde_json::json!({"key": 1})).await.unwrap();
    assert_eq!(answer["error"]["kind"], "invalid_input");
    assert_eq!(machine.inspect().violations.len(), 2);
}
