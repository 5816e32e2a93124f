//! The client against a server that answers what a test wrote down: patience, renewal, look-ups, refusals.

mod doctor;
mod patience;
mod refusals;
mod script;
mod session;
mod tls;
