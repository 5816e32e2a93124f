//! `when:` — a small language of conditions over variables.
//!
//! Words are compared as text: `matrix.os == "2022"`, `agent_version != "4.2"`, `lang in ["KO", "JA"]`, `debug && !quick`.

use crate::variables::Scope;
use serde_json::Value;

/// Deeper nesting than this is refused, so that no text can exhaust the stack.
const DEEPEST: usize = 32;

/// What is wrong with a condition, and which bytes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WhenError {
    pub message: String,
    pub start: usize,
    pub end: usize,
}

/// Whether a condition holds.
pub(crate) fn holds(text: &str, scope: &Scope) -> Result<bool, WhenError> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        depth: 0,
        end: text.len(),
        scope,
    };
    let value = parser.any_of()?;
    if let Some(rest) = parser.tokens.get(parser.at) {
        return Err(rest.error("expected `&&`, `||` or the end"));
    }
    truth(&value, 0, text.len())
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Name(String),
    Text(String),
    Sign(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

impl Token {
    fn error(&self, message: &str) -> WhenError {
        WhenError {
            message: message.to_owned(),
            start: self.start,
            end: self.end,
        }
    }
}

const SIGNS: [&str; 9] = ["==", "!=", "&&", "||", "!", "(", ")", "[", "]"];

fn tokens(text: &str) -> Result<Vec<Token>, WhenError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let start = text.len() - rest.len();
        let (kind, length) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if first == ',' {
            (Some(Kind::Sign(",")), 1)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Some(Kind::Sign(sign)), sign.len())
        } else if matches!(first, '"' | '\'') {
            let (text, length) = quoted(rest, first, start)?;
            (Some(Kind::Text(text)), length)
        } else {
            let (kind, length) = word(rest, start)?;
            (Some(kind), length)
        };
        if let Some(kind) = kind {
            tokens.push(Token {
                kind,
                start,
                end: start + length,
            });
        }
        rest = rest.get(length..).unwrap_or("");
    }
    Ok(tokens)
}

fn quoted(rest: &str, quote: char, start: usize) -> Result<(String, usize), WhenError> {
    let inside = rest.get(1..).unwrap_or("");
    let Some((text, _)) = inside.split_once(quote) else {
        let message = "this text has no closing quote".to_owned();
        let end = start + rest.len();
        return Err(WhenError { message, start, end });
    };
    Ok((text.to_owned(), text.len() + 2))
}

fn word(rest: &str, start: usize) -> Result<(Kind, usize), WhenError> {
    let length = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.')))
        .unwrap_or(rest.len());
    match rest.get(..length) {
        Some(word) if !word.is_empty() => {
            let number = word.starts_with(|c: char| c.is_ascii_digit());
            Ok((
                if number {
                    Kind::Text(word.to_owned())
                } else {
                    Kind::Name(word.to_owned())
                },
                length,
            ))
        }
        _ => {
            let next = rest.chars().next().unwrap_or(' ');
            let message = match next {
                '$' => "write the variable's name without `${` and `}`".to_owned(),
                '=' => "write `==` to compare".to_owned(),
                '&' | '|' => format!("write `{next}{next}`"),
                _ => format!("`{next}` is not possible here"),
            };
            Err(WhenError {
                message,
                start,
                end: start + next.len_utf8(),
            })
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    end: usize,
    scope: &'a Scope,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token { kind: Kind::Sign(found), .. }) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), WhenError> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(self.error_here(&format!("expected `{sign}`")))
        }
    }

    fn error_here(&self, message: &str) -> WhenError {
        match self.peek() {
            Some(token) => token.error(message),
            None => WhenError {
                message: format!("{message}, but the condition ends"),
                start: self.end,
                end: self.end,
            },
        }
    }

    /// Where the last token ended.
    fn place(&self, first: usize) -> (usize, usize) {
        let start = self.tokens.get(first).map_or(self.end, |token| token.start);
        let end = self
            .tokens
            .get(self.at.saturating_sub(1))
            .map_or(self.end, |token| token.end);
        (start, end.max(start))
    }

    fn any_of(&mut self) -> Result<Value, WhenError> {
        self.joined("||", Self::all_of, |a, b| a || b)
    }

    fn all_of(&mut self) -> Result<Value, WhenError> {
        self.joined("&&", Self::compared, |a, b| a && b)
    }

    /// Both sides are always read and checked, so that a mistake on the right is found.
    fn joined(
        &mut self,
        sign: &str,
        side: fn(&mut Self) -> Result<Value, WhenError>,
        join: fn(bool, bool) -> bool,
    ) -> Result<Value, WhenError> {
        let first = self.at;
        let mut left = side(self)?;
        loop {
            let (start, end) = self.place(first);
            if !self.take(sign) {
                return Ok(left);
            }
            let second = self.at;
            let a = truth(&left, start, end)?;
            let right = side(self)?;
            let (start, end) = self.place(second);
            left = Value::Bool(join(a, truth(&right, start, end)?));
        }
    }

    fn compared(&mut self) -> Result<Value, WhenError> {
        let left = self.single()?;
        for (sign, equal) in [("==", true), ("!=", false)] {
            if self.take(sign) {
                let right = self.single()?;
                return Ok(Value::Bool(same(&left, &right) == equal));
            }
        }
        if matches!(self.peek(), Some(Token { kind: Kind::Name(name), .. }) if name == "in") {
            self.at += 1;
            let first = self.at;
            let list = self.single()?;
            let (start, end) = self.place(first);
            let Value::Array(items) = list else {
                return Err(WhenError {
                    message: "`in` needs a list, as in `[\"a\", \"b\"]`".to_owned(),
                    start,
                    end,
                });
            };
            return Ok(Value::Bool(items.iter().any(|item| same(&left, item))));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Value, WhenError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error_here("this condition is nested too deeply"));
        }
        let value = self.single_inside();
        self.depth -= 1;
        value
    }

    fn single_inside(&mut self) -> Result<Value, WhenError> {
        if self.take("!") {
            let first = self.at;
            let value = self.single()?;
            let (start, end) = self.place(first);
            return Ok(Value::Bool(!truth(&value, start, end)?));
        }
        if self.take("(") {
            let value = self.any_of()?;
            self.expect(")")?;
            return Ok(value);
        }
        if self.take("[") {
            return self.list();
        }
        let Some(token) = self.peek().cloned() else {
            return Err(self.error_here("expected a name or a text"));
        };
        self.at += 1;
        match &token.kind {
            Kind::Text(text) => Ok(Value::String(text.clone())),
            Kind::Name(name) if name == "true" => Ok(Value::Bool(true)),
            Kind::Name(name) if name == "false" => Ok(Value::Bool(false)),
            Kind::Name(name) => self.variable(name, &token),
            Kind::Sign(sign) => Err(token.error(&format!("expected a name or a text, found `{sign}`"))),
        }
    }

    fn list(&mut self) -> Result<Value, WhenError> {
        let mut items = Vec::new();
        while !self.take("]") {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(self.single()?);
        }
        Ok(Value::Array(items))
    }

    fn variable(&self, name: &str, token: &Token) -> Result<Value, WhenError> {
        match self.scope.get(name) {
            Some(known) if known.sensitive => {
                Err(token.error(&format!("the sensitive variable `{name}` cannot decide what is done")))
            }
            Some(known) => Ok(known.value.clone()),
            None => {
                let meant = reseal_diag::nearest(name, self.scope.names());
                let hint = meant
                    .map(|meant| format!("; did you mean `{meant}`?"))
                    .unwrap_or_default();
                Err(token.error(&format!("there is no variable `{name}`{hint}; a text needs quotes")))
            }
        }
    }
}

/// Numbers and words are compared as text.
fn same(left: &Value, right: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text(left) == text(right)
}

fn truth(value: &Value, start: usize, end: usize) -> Result<bool, WhenError> {
    match value {
        Value::Bool(value) => Ok(*value),
        _ => Err(WhenError {
            message: "this is neither true nor false; compare it, as in `== \"x\"`".to_owned(),
            start,
            end,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::variables::Known;

    fn scope() -> Scope {
        let known = |value, sensitive| Known { value, sensitive };
        Scope::new(BTreeMap::from([
            ("matrix.os".to_owned(), known(json!("2022"), false)),
            ("debug".to_owned(), known(json!(true), false)),
            ("count".to_owned(), known(json!(3), false)),
            ("roles".to_owned(), known(json!(["web", "db"]), false)),
            ("token".to_owned(), known(json!("${token}"), true)),
        ]))
    }

    #[test]
    fn conditions_hold_or_not() {
        for (text, expect) in [
            ("debug", true),
            ("!debug", false),
            ("matrix.os == '2022'", true),
            ("matrix.os == 2022", true),
            ("matrix.os != \"2022\" || debug", true),
            ("matrix.os in [2019, \"2022\"] && count == 3", true),
            ("\"web\" in roles", true),
            ("\"x\" in []", false),
            ("!(debug && false) && (true || false)", true),
            ("false && debug || true", true),
            ("(matrix.os == '한글') == false", true),
        ] {
            assert_eq!(holds(text, &scope()), Ok(expect), "{text}");
        }
    }

    #[test]
    fn mistakes_have_places() {
        for (text, expect, place) in [
            (
                "debg",
                "there is no variable `debg`; did you mean `debug`?; a text needs quotes",
                "debg",
            ),
            (
                "debug && matrix.os",
                "this is neither true nor false; compare it, as in `== \"x\"`",
                "matrix.os",
            ),
            ("matrix.os = '1'", "write `==` to compare", "="),
            ("${debug}", "write the variable's name without `${` and `}`", "$"),
            ("debug ||", "expected a name or a text, but the condition ends", ""),
            ("(debug", "expected `)`, but the condition ends", ""),
            ("'한글 ", "this text has no closing quote", "'한글 "),
            (
                "token == 'x'",
                "the sensitive variable `token` cannot decide what is done",
                "token",
            ),
            ("debug in debug", "`in` needs a list, as in `[\"a\", \"b\"]`", "debug"),
            ("", "expected a name or a text, but the condition ends", ""),
        ] {
            let error = holds(text, &scope()).unwrap_err();
            assert_eq!(
                (error.message.as_str(), text.get(error.start..error.end)),
                (expect, Some(place)),
                "{text}"
            );
        }
        assert!(holds(&"(".repeat(10_000), &scope()).is_err());
        assert!(holds(&"!".repeat(10_000), &scope()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn garbage_never_panics_and_places_are_inside(text in "(debug|matrix.os|in|==|!=|&&|\\|\\||!|\\(|\\)|\\[|\\]|,|'|\"x\"|한|\\PC| ){0,12}") {
            if let Err(error) = holds(&text, &scope()) {
                prop_assert!(text.get(error.start..error.end).is_some());
            }
        }
    }
}
