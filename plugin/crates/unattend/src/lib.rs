//! Composes and checks Windows answer files.
//!
//! Three things are done with an answer file here: [`compile()`] makes one out of a base and the typed [`Options`] of a
//! spec, [`lint()`] says what Windows Setup would make of any file, and [`diff()`] tells two apart by setting. All of them
//! stand on the [`catalogue`]: every setting that Setup knows, with its passes, type and values.
//!
//! Nothing here reads files or talks to a machine; a secret is asked for only in the last moment of [`compile()`].
//! Start reading at [`options`], then [`mod@compile`].

pub mod catalogue;
pub mod codes;
pub mod compile;
pub mod decode;
pub mod diff;
mod document;
pub mod finding;
pub mod lint;
pub mod options;
mod password;
mod placeholder;
mod said;
mod secrets;
pub mod target;
mod xml;

pub use codes::CODES;
pub use compile::{Compiled, Problem, Reveal, RevealError, check, compile};
pub use decode::{Decoded, Encoding, decode};
pub use diff::{Change, IllFormed, Side, diff};
pub use finding::{Finding, Fix, diagnostics, fix};
pub use lint::{has_errors, lint, lint_text};
pub use options::Options;
pub use said::said;
pub use secrets::veil;
pub use target::{Architecture, Context, Pass, Target, Windows};
