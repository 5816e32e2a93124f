//! What Packer's own provisioners send, word for word, against the fake Windows.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;

use super::syntax;
use super::{Ran, Shell};
use crate::clock::JumpClock;
use crate::faults::Faults;
use crate::guest::machine::{Birth, Guest, Surroundings, after};
use crate::guest::provider;

/// What Packer makes of `inline`, around the payload.
const WRAPPER: &str = "
	if (Test-Path variable:global:ProgressPreference) {
	  set-variable -name variable:global:ProgressPreference -value 'SilentlyContinue'
	}
	$exitCode = 0
	try {
	$env:PACKER_BUILDER_TYPE=\"reseal\"; $env:PACKER_BUILD_NAME=\"web\"; 
	PAYLOAD
	$exitCode = 0
	} catch {
	Write-Error \"An error occurred: $_\"
	$exitCode = 1
	}
	
	if ((Test-Path variable:global:LASTEXITCODE) -and $LASTEXITCODE -ne $null -and $LASTEXITCODE -ne 0) {
		$exitCode = $LASTEXITCODE
	}
	exit $exitCode
";

struct Computer(Arc<Guest>);

impl Computer {
    fn new() -> Self {
        let start: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
        let clock = Arc::new(JumpClock::new(start));
        let disk = provider::disk("Windows 2022 STD EN", start);
        let birth = Birth {
            server_id: "s".to_owned(),
            name: "win".to_owned(),
            disk_gb: 60,
            user_data: None,
            public_keys: vec![],
        };
        Self(Guest::new(
            disk,
            birth,
            clock,
            Arc::new(Faults::default()),
            Surroundings::default(),
        ))
    }

    fn write(&self, path: &str, text: &str) {
        let now = self.0.now();
        self.0.state().disk.files.write_text(path, text, now);
    }

    fn run(&self, line: &str) -> Ran {
        self.run_later(line, 0.0)
    }

    fn run_later(&self, line: &str, seconds: f64) -> Ran {
        let now = after(self.0.now(), seconds);
        let mut state = self.0.state();
        Shell::new(&self.0, &mut state, now, "Administrator", "S-1-5-21-1-500").run(line)
    }

    fn check(&self, line: &str, out: &str, code: i32) {
        let ran = self.run(line);
        assert_eq!((ran.out.as_str(), ran.code), (out, code), "{line}: {}", ran.err);
    }

    fn violations(&self) -> Vec<String> {
        self.0.state().violations.clone()
    }
}

fn encoded(script: &str) -> String {
    let script = format!("$ProgressPreference = 'SilentlyContinue';{script}");
    let bytes: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
    format!("powershell.exe -EncodedCommand {}", BASE64_STANDARD.encode(bytes))
}

#[test]
fn the_powershell_provisioner_is_understood() {
    let computer = Computer::new();
    let check = |payload: &str, out: &str, code: i32| {
        computer.write("C:\\Windows\\Temp\\script-1.ps1", &WRAPPER.replace("PAYLOAD", payload));
        computer.check(
            "powershell -executionpolicy bypass -file c:/Windows/Temp/script-1.ps1",
            out,
            code,
        );
    };
    check(
        "Write-Output \"hello from $env:PACKER_BUILD_NAME\"",
        "hello from web\r\n",
        0,
    );
    check("Write-Host one\n\tWrite-Host 'two''s'", "one\r\ntwo's\r\n", 0);
    check("exit 7", "", 7);
    check("throw 'no'", "", 1);
    check("cmd /c exit 3", "", 3);
    check(
        "Set-Content -Path C:\\made.txt -Value 'by packer'; Get-Content C:/made.txt",
        "by packer\r\n",
        0,
    );
    assert_eq!(computer.violations(), Vec::<String>::new());
    check("Get-Nothing -ErrorAction Stop", "", 1);
    assert_eq!(computer.violations().len(), 1, "what is not known is noticed");
}

#[test]
fn a_script_of_a_file_gets_its_variables_by_another_one() {
    let computer = Computer::new();
    computer.write(
        "c:\\Windows\\Temp\\packer-ps-env-vars-1.ps1",
        "$env:A=\"x\"; $env:B=\"`$y\"; ",
    );
    computer.write(
        "c:\\Windows\\Temp\\script-2.ps1",
        "Write-Output \"$env:A $env:B\"\nexit 5\n",
    );
    let line = "powershell -executionpolicy bypass \"& { if (Test-Path variable:global:ProgressPreference){set-variable -name \
                variable:global:ProgressPreference -value 'SilentlyContinue'};. c:/Windows/Temp/packer-ps-env-vars-1.ps1; \
                &'c:/Windows/Temp/script-2.ps1'; exit $LastExitCode }\"";
    computer.check(line, "x $y\r\n", 5);
    assert_eq!(computer.violations(), Vec::<String>::new());
}

#[test]
fn the_windows_shell_provisioner_is_understood() {
    let computer = Computer::new();
    computer.write(
        "c:\\Windows\\Temp\\script.bat",
        "@echo off\r\necho %GREETING% to %PACKER_BUILD_NAME%\r\nexit /b 4\r\necho no\r\n",
    );
    let line = "set \"GREETING=hi\" && set \"PACKER_BUILD_NAME=web\" && \"c:/Windows/Temp/script.bat\"";
    computer.check(line, "hi to web\r\n", 4);
    computer.check("echo a & echo b", "a \r\nb\r\n", 0);
    computer.check("nothing && echo x", "", 1);
    computer.check("nothing || echo 100%", "100%\r\n", 0);
    computer.check("echo kept > C:\\k.txt && type C:\\k.txt", "kept \r\n", 0);
    computer.check("echo \"a & b\"", "\"a & b\"\r\n", 0);
}

#[test]
fn a_restart_is_asked_for_tested_and_taken_back() {
    let computer = Computer::new();
    let restart = "shutdown /r /f /t 0 /c \"packer restart\"";
    let test = "shutdown /r /f /t 60 /c \"packer restart test\"";
    computer.check(test, "", 0);
    computer.check(test, "", 1190);
    computer.check("shutdown /a", "", 0);
    computer.check("shutdown /a", "", 1116);
    computer.check(restart, "", 0);
    computer.check(test, "", 1190);
    assert_eq!(computer.run_later(test, 5.0).code, 1115, "it has begun");
    let restarted = encoded("echo (\"{0} restarted.\" -f [System.Net.Dns]::GetHostName())");
    let name = computer.0.state().disk.computer_name.clone();
    computer.check(&restarted, &format!("{name} restarted.\r\n"), 0);
    let key = "HKLM:SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending";
    computer.check(&encoded(&format!("Test-Path \"{key}\"")), "False\r\n", 0);
    computer.0.state().disk.pending.cbs = true;
    computer.check(&encoded(&format!("Test-Path \"{key}\"")), "True\r\n", 0);
}

#[test]
fn no_text_makes_the_reader_fail_other_than_by_saying_so() {
    let nested = "(".repeat(10_000);
    for text in [
        "",
        "if",
        "if (",
        "try {",
        "\"$(",
        "'",
        "$",
        "& ",
        "[x",
        "a | b",
        "{",
        "}",
        "-f",
        "((((",
        &nested,
        "$a = $b = 1",
        "é \u{feff}",
    ] {
        let _ = syntax::read(text);
    }
}
