//! `lab`: the built-in world for any client.

use std::sync::Arc;

use reseal_lab::Mode;
use reseal_lab::clock::FastClock;

use super::args::{Lab, LabMode};
use super::build::start_lab;
use crate::console::Console;
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::HURRY;

/// Serves the lab until somebody asks to stop.
pub(super) async fn lab(command: &Lab, console: &Console) -> Exit {
    if command.list_faults {
        for fault in reseal_lab::Lab::known_faults() {
            console.line(&format!("{:<28}{}", fault.name, fault.what));
        }
        return Exit::Ok;
    }
    let mode = match command.mode {
        LabMode::Nhn => Mode::Nhn,
        LabMode::Openstack => Mode::Openstack,
    };
    let clock = Arc::new(FastClock::new(Arc::new(SystemClock::new(1)), command.speed));
    let lab = match start_lab(mode, clock, &command.faults, command.builds).await {
        Ok(lab) => lab,
        Err(error) => {
            console.error(&format!("the lab does not start: {error}"), &[]);
            return Exit::Input;
        }
    };
    // The one place where secrets are printed: they are the lab's own, made a moment ago, and good for nothing else.
    for (name, value) in lab.env() {
        console.line(&format!("export {name}='{value}'"));
    }
    console.line(&format!("export {HURRY}={}", command.speed));
    console.say("the lab serves on loopback; Ctrl-C ends it");
    let _ = tokio::signal::ctrl_c().await;
    for left in lab.leftovers() {
        console.say(&format!("left: {:?} {} {}", left.kind, left.id, left.name));
    }
    lab.shutdown().await;
    Exit::Ok
}
