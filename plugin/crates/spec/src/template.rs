//! `${name}`, the only templating.

use std::fmt::Write as _;

/// Fills in the sensitive variables: `${name}` by what `lookup` tells, and `$${` by `${`.
pub fn reveal<'a>(text: &str, lookup: impl Fn(&str) -> Option<&'a str>) -> Result<String, TemplateError> {
    let mut out = String::with_capacity(text.len());
    let mut names = Vec::new();
    for piece in pieces(text) {
        match piece? {
            Piece::Text(text) => out.push_str(text),
            Piece::Escape => out.push_str("${"),
            Piece::Name { name, .. } => match lookup(name) {
                Some(value) => out.push_str(value),
                None => names.push(name),
            },
        }
    }
    match names.first() {
        None => Ok(out),
        Some(name) => Err(TemplateError::Unknown {
            name: (*name).to_owned(),
        }),
    }
}

/// Writes text so that [`reveal`] gives it back.
pub fn escape(text: &str) -> String {
    text.replace("${", "$${")
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A name that nobody knows.
    #[error("unknown variable `{name}`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// `${` without `}`.
    #[error("`${{` without `}}`")]
    Open {
        /// The byte where it begins.
        at: usize,
    },
}

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    Escape,
    Name { name: &'a str, at: usize },
}

/// The parts of a template, in order.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = Result<Piece<'_>, TemplateError>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let at = text.len() - rest.len();
        if rest.is_empty() {
            return None;
        }
        if let Some(after) = rest.strip_prefix("$${") {
            rest = after;
            return Some(Ok(Piece::Escape));
        }
        if let Some(after) = rest.strip_prefix("${") {
            let Some((name, after)) = after.split_once('}') else {
                rest = "";
                return Some(Err(TemplateError::Open { at }));
            };
            rest = after;
            return Some(Ok(Piece::Name { name, at }));
        }
        let end = next_mark(rest);
        let (plain, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        rest = after;
        Some(Ok(Piece::Text(plain)))
    })
}

/// Where the next `${` or `$${` begins; `rest` itself begins with neither.
fn next_mark(rest: &str) -> usize {
    match rest.find("${") {
        Some(at) if at > 0 && rest.as_bytes().get(at - 1) == Some(&b'$') => at - 1,
        Some(at) => at,
        None => rest.len(),
    }
}

/// A list of names for a sentence: `` `a`, `b` ``.
pub(crate) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for name in names {
        let comma = if out.is_empty() { "" } else { ", " };
        let _ = write!(out, "{comma}`{name}`");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_escapes_undone() {
        let lookup = |name: &str| (name == "token").then_some("s$${x}");
        let check = |text, expect: Result<&str, TemplateError>| {
            assert_eq!(reveal(text, lookup), expect.map(str::to_owned), "{text}");
        };
        check("a ${token} b", Ok("a s$${x} b"));
        check("$${token} $$ $x 한글", Ok("${token} $$ $x 한글"));
        check("$$${token}", Ok("$${token}"));
        check(
            "${other}",
            Err(TemplateError::Unknown {
                name: "other".to_owned(),
            }),
        );
        check("x ${token", Err(TemplateError::Open { at: 2 }));
        check("", Ok(""));
    }

    #[test]
    fn escaped_text_comes_back() {
        for text in ["${env:PATH}", "$${", "$", "$$", "a$", "$${a}${b}"] {
            assert_eq!(reveal(&escape(text), |_| None).as_deref(), Ok(text), "{text}");
        }
    }
}
