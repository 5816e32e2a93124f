//! The same endpoint before a real PowerShell engine, where one is at hand (`RESEAL_WINPS` names it).

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use reseal_lab::clock::JumpClock;
use reseal_lab::guest::{Room, RoomOptions};
use reseal_lab::room::Machine;
use reseal_lab::winrm::bytes::utf16le;

use crate::support::{Raw, between};

#[expect(
    clippy::disallowed_methods,
    reason = "whether there is an engine is a matter of this machine"
)]
fn engine() -> Option<std::path::PathBuf> {
    std::env::var("RESEAL_WINPS")
        .ok()
        .filter(|path| !path.is_empty())
        .map(Into::into)
}

#[tokio::test]
async fn bytes_on_standard_input_reach_a_real_engine_unchanged() {
    let Some(engine) = engine() else {
        println!("skipped: RESEAL_WINPS is not set");
        return;
    };
    let clock = Arc::new(JumpClock::new("2026-05-06T00:00:00Z".parse().unwrap()));
    let room = Room::new(RoomOptions {
        powershell: Some(engine),
        ..RoomOptions::new(clock)
    });
    let machine = room.standing("Windows 2022", "builder", "Passw0rd!").unwrap();
    let mut raw = Raw::login(machine.address(), "builder", "Passw0rd!").await.unwrap();
    let shell = raw.create().await.unwrap();
    let script = "$ErrorActionPreference='Stop'; $in=[Console]::OpenStandardInput(); $bytes=New-Object byte[] 256; $n=0; \
                  while ($n -lt 256) { $r=$in.Read($bytes,$n,256-$n); if ($r -le 0) { break }; $n+=$r }; \
                  [Console]::Out.WriteLine([Convert]::ToBase64String($bytes,0,$n)); exit 3";
    let line = format!(
        "powershell.exe -NoProfile -NonInteractive -InputFormat None -OutputFormat Text -EncodedCommand {}",
        BASE64.encode(utf16le(script))
    );
    let options = "<w:OptionSet><w:Option Name=\"WINRS_SKIP_CMD_SHELL\">TRUE</w:Option>\
                   <w:Option Name=\"WINRS_CONSOLEMODE_STDIN\">FALSE</w:Option></w:OptionSet>";
    let command = raw.command(&shell, options, &line).await.unwrap();
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(raw.send(&shell, &command, &all).await.unwrap().status, 200);
    let mut text = String::new();
    while !text.contains("CommandState/Done") {
        text.push_str(&raw.receive(&shell, &command).await.unwrap().text);
    }
    let pieces = text.split("<rsp:Stream Name=\"stdout\"").skip(1);
    let pieces = pieces.filter_map(|piece| piece.split("</rsp:Stream>").next()?.split_once("\">"));
    let out: Vec<u8> = pieces
        .flat_map(|(_, data)| BASE64.decode(data).unwrap_or_default())
        .collect();
    assert_eq!(String::from_utf8(out).unwrap().trim(), BASE64.encode(&all));
    assert_eq!(between(&text, "<rsp:ExitCode>", "<"), "3");
}
