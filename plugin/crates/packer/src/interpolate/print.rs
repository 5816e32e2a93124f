//! `printf` with the verbs that texts and numbers need.

use super::eval::MOST;
use super::value::Value;

/// Wider than this makes no sense, and costs memory.
const WIDEST: usize = 4096;

/// Formats; the first value is the format.
pub(super) fn printf(given: &[Value]) -> Result<String, String> {
    let (format, mut values) = match given.split_first() {
        Some((format, values)) => (format.text(), values.iter()),
        None => return Ok(String::new()),
    };
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let verb = Verb::read(after)?;
        rest = verb.rest;
        if verb.letter == '%' {
            out.push('%');
        } else {
            let missing = || format!("printf: no value for %{}", verb.letter);
            out.push_str(&verb.show(values.next().ok_or_else(missing)?)?);
        }
        if out.len() > MOST {
            return Err("the result is longer than 1 MiB".to_owned());
        }
    }
    if values.next().is_some() {
        return Err("printf: more values than the format has verbs".to_owned());
    }
    out.push_str(rest);
    Ok(out)
}

/// `%-08.3d` and the like.
struct Verb<'a> {
    left: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
    rest: &'a str,
}

impl<'a> Verb<'a> {
    fn read(text: &'a str) -> Result<Self, String> {
        let flags = text.trim_start_matches(['-', '0', '+']);
        let flag = |flag: char| text.strip_suffix(flags).is_some_and(|flags| flags.contains(flag));
        let (width, after) = number(flags)?;
        let (precision, after) = match after.strip_prefix('.') {
            Some(after) => number(after).map(|(precision, after)| (Some(precision), after))?,
            None => (None, after),
        };
        let mut characters = after.chars();
        let letter = characters.next().ok_or("printf: the format ends within a verb")?;
        Ok(Self {
            left: flag('-'),
            zeros: flag('0'),
            width,
            precision,
            letter,
            rest: characters.as_str(),
        })
    }

    fn show(&self, value: &Value) -> Result<String, String> {
        let shown = match (self.letter, value) {
            ('v', value) => value.to_string(),
            ('s', Value::Text(text)) => match self.precision {
                Some(most) => text.chars().take(most).collect(),
                None => text.clone(),
            },
            ('q', Value::Text(text)) => format!("{text:?}"),
            ('d', Value::Int(number)) => number.to_string(),
            ('x', Value::Int(number)) => format!("{number:x}"),
            ('x', Value::Text(text)) => hex::encode(text),
            ('t', Value::Bool(value)) => value.to_string(),
            ('f', Value::Float(number)) => format!("{number:.*}", self.precision.unwrap_or(6)),
            ('s' | 'q' | 'd' | 'x' | 't' | 'f', value) => {
                return Err(format!("printf: %{} does not show a {}", self.letter, value.kind()));
            }
            (letter, _) => {
                return Err(format!(
                    "printf: %{letter} is not known; there are %v %s %q %d %x %f %t"
                ));
            }
        };
        Ok(self.padded(&shown))
    }

    fn padded(&self, shown: &str) -> String {
        let fill = self.width.saturating_sub(shown.chars().count());
        match (self.left, self.zeros) {
            (true, _) => format!("{shown}{}", " ".repeat(fill)),
            (false, true) => match shown.strip_prefix('-') {
                Some(digits) => format!("-{}{digits}", "0".repeat(fill)),
                None => format!("{}{shown}", "0".repeat(fill)),
            },
            (false, false) => format!("{}{shown}", " ".repeat(fill)),
        }
    }
}

/// A number at the beginning, 0 without one, and what follows.
fn number(text: &str) -> Result<(usize, &str), String> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.strip_suffix(rest).unwrap_or_default();
    let number = if digits.is_empty() { Ok(0) } else { digits.parse() };
    match number {
        Ok(number) if number <= WIDEST => Ok((number, rest)),
        _ => Err(format!("printf: {digits} is too wide")),
    }
}
