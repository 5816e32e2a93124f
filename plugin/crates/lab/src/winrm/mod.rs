//! A WinRM server: WS-Management shells (MS-WSMV) over HTTP/1.1, with NTLM, message sealing and TLS.
//!
//! It is written against the protocol documents and shares nothing with the client. Where the documents leave room,
//! it takes the stricter reading. What it serves is a [`Computer`]; processes in shells are [`Process`]es, so that the
//! same endpoint can stand before the fake Windows or before a real PowerShell engine ([`engine`]).
//!
//! Order of reading: [`endpoint`] (sockets) → [`connection`] (authentication, sealing) → [`soap`] (envelopes) →
//! [`service`] (shells).

pub mod bytes;
pub mod computer;
pub mod connection;
pub mod endpoint;
pub mod engine;
pub mod fault;
pub mod multipart;
pub mod ntlm;
pub mod service;
pub mod shell;
pub mod soap;
pub mod spnego;
pub mod xml;

pub use computer::{Account, Computer, Listening, Output, Policy, Process, StartCommand, Waited};
pub use endpoint::Endpoint;
pub use fault::Fault;
