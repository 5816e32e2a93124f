//! The client against the lab's WinRM endpoint, which shares no code with it; where `RESEAL_WINPS` names a PowerShell
//! engine, our guest scripts really run behind it.

#![expect(clippy::unwrap_used, reason = "tests")]

mod commands;
mod desk;
mod hostile;
mod limits;
mod login;
mod losses;
mod proxy;
mod runner;
mod scripts;
mod transfers;
mod windows;
