//! A fake cloud and a fake Windows that are stricter than the real ones.
//!
//! One world: [`room`] is the border between the cloud side (`cloud`: Keystone, Nova, Glance, Cinder, Neutron over
//! HTTP) and the guest side (`guest`: Windows behind a real WinRM endpoint, `winrm`). Everything is served on loopback
//! to any client; nothing here uses the clients' encoders. Time comes from a [`reseal_machine::Clock`]; see [`clock`].
//! Faults are data; see [`faults`].

pub mod clock;
pub mod cloud;
pub mod faults;
pub mod guest;
pub mod http;
pub mod lab;
pub mod room;
pub mod winrm;

pub use lab::{CapturedImage, Exchange, Lab, LabOptions, Leftover, Mode, Quota};
