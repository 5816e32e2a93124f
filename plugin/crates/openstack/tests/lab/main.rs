//! The client against the lab's clouds, which were written from the same documents by another hand.
//!
//! Each test drives a whole build's worth of calls: everything is made, looked at, captured and deleted, in both
//! families of cloud, without and with faults; at the end the lab is asked what is left.

mod build;
mod conformance;
mod faults;
mod room;
