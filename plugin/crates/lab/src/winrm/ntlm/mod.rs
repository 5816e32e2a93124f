//! The server's side of `NTLMv2` (MS-NLMP): challenge, verification with MIC, session keys, sealing.

pub mod acceptor;
pub mod keys;
pub mod message;
pub mod rc4;
pub mod seal;

pub use acceptor::{Acceptor, Granted, NtlmError};
pub use seal::Session;
