//! `lab`: the built-in world for any client.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use reseal_lab::Mode;
use reseal_lab::clock::FastClock;

use super::one::interrupted;
use super::rehearse::{check_faults, start_lab};
use crate::console::Console;
use crate::console::table::Table;
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::HURRY;

/// `lab`.
#[derive(Debug, Args)]
pub struct Lab {
    /// Which family of cloud to play.
    #[arg(long, value_enum, default_value = "nhn")]
    pub mode: LabMode,
    /// How much faster than the wall's the lab's time runs.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub speed: u32,
    /// Arm a fault; may be repeated.
    #[arg(long = "fault", value_name = "NAME[=ARGUMENT][*TIMES]")]
    pub faults: Vec<String>,
    /// How many builds the quota allows at once.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub builds: u32,
    /// List the faults that can be armed, and end.
    #[arg(long = "faults")]
    pub list_faults: bool,
}

/// Which family of cloud to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LabMode {
    /// NHN Cloud.
    Nhn,
    /// Upstream OpenStack.
    Openstack,
}

/// Serves the lab until somebody asks to stop.
pub(super) async fn lab(command: &Lab, console: &Console) -> Exit {
    if command.list_faults {
        let mut table = Table::with_head(&["fault", "what happens"]);
        for fault in reseal_lab::Lab::known_faults() {
            table.row(vec![fault.name.to_owned(), fault.what.to_owned()]);
        }
        for line in table.lines() {
            console.line(&line);
        }
        return Exit::Ok;
    }
    if let Err(exit) = check_faults(&command.faults, console) {
        return exit;
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
            return Exit::Internal;
        }
    };
    // The one place where secrets are printed: they are the lab's own, made a moment ago, and good for nothing else.
    for (name, value) in lab.env() {
        console.line(&format!("export {name}='{value}'"));
    }
    console.line(&format!("export {HURRY}={}", command.speed));
    console.say("the lab serves on loopback; Ctrl-C ends it");
    interrupted().await;
    for left in lab.leftovers() {
        console.say(&format!("left: {:?} {} {}", left.kind, left.id, left.name));
    }
    lab.shutdown().await;
    Exit::Ok
}
