//! Packer's template engine: `{{timestamp}}`, `` {{ isotime "2006-01-02" | upper }} `` and the like in options.
//!
//! HashiCorp's plugins run every string of their options through Go's `text/template` with functions of Packer's, in HCL
//! too. This is that language as far as templates of Packer use it, written from its documentation:
//!
//! - actions `{{ … }}`, comments, and the trim markers `{{- ` and ` -}}`;
//! - functions with arguments: strings in `"…"` with Go's escapes or in back quotes, characters, numbers, truth values;
//! - pipelines with `|`, and parentheses.
//!
//! Structures (`if`, `range`, `with`, `define` …), variables and methods are refused by name, and so is `{{ .Field }}`, for
//! which Packer's plugins write `<no value>` without a word. Everything that is refused reads as in Go, with line, column
//! and the piece of the template; results are at most 1 MiB long and parentheses 32 deep.
//!
//! Why not a crate: there is one, `gtmpl`. It is passively maintained, and the greater part would still be ours: Packer's
//! functions, what they refuse, and errors that read as Go's. What is needed here is a tenth of the language.
//!
//! Time, working folder and chance come in as [`Surroundings`]; nothing in here asks the system for anything.

mod context;
mod eval;
mod fault;
mod function;
mod layout;
mod lex;
pub(crate) mod literal;
mod node;
mod parse;
mod print;
mod value;

pub use context::Surroundings;
pub(crate) use context::{Build, Context, placeholder};
pub(crate) use fault::Fault;

/// The text that a template makes. A text without `{{` is its own.
pub(crate) fn render(text: &str, context: &Context) -> Result<String, Fault> {
    if !text.contains("{{") {
        return Ok(text.to_owned());
    }
    eval::render(text, &parse::parse(text)?, context)
}

#[cfg(test)]
mod tests;
