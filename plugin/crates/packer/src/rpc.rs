//! Remote calls as Go's `net/rpc` makes them: a header and a body, in either direction, matched by a sequence number.

mod client;
mod server;

use std::error::Error;

pub(crate) use client::Client;
pub(crate) use server::{Calls, Service, serve};

use crate::msgpack::{MsgpackError, Value};

/// What goes wrong in an implementation; its text is what a person reads in Packer's output.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The other side answered with an error.
    #[error("{0}")]
    Remote(String),
    /// The other side is gone.
    #[error("Packer is not there any more")]
    Gone,
    /// The answer makes no sense.
    #[error("the answer to {0} makes no sense")]
    Answer(String),
    /// A stream could not be had.
    #[error(transparent)]
    Stream(#[from] crate::broker::BrokerError),
    /// The stream broke.
    #[error("the stream broke")]
    Broken(#[from] MsgpackError),
    /// Cancelled on our side.
    #[error("cancelled")]
    Cancelled,
}

/// An error with its causes in one line. Never empty, because an empty error means success on the wire.
pub(crate) fn message(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let inner = error.to_string();
        if !text.ends_with(&inner) {
            text = format!("{text}: {inner}");
        }
        cause = error.source();
    }
    if text.trim().is_empty() {
        "failed without saying why".to_owned()
    } else {
        text
    }
}

/// The structure in which Go passes an error as a value.
pub(crate) fn basic_error(message: Option<String>) -> Value {
    match message {
        Some(message) => Value::record([("Message", message.into())]),
        None => Value::Nil,
    }
}

#[cfg(test)]
mod tests;
