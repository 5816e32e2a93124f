//! One number, and what it should be.

use std::fmt;

/// One measured number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    what: String,
    value: f64,
    unit: String,
    goal: Option<Goal>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Row {
    /// A number without a goal.
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &str) -> Self {
        Self {
            what: what.into(),
            value,
            unit: unit.to_owned(),
            goal: None,
        }
    }

    /// It should not be more.
    pub(crate) fn at_most(self, goal: f64) -> Self {
        Self {
            goal: Some(Goal::AtMost(goal)),
            ..self
        }
    }

    /// Reads a probe's line; `None` when it is no row.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split('\t').map(str::trim);
        let row = Self::new(fields.next()?, fields.next()?.parse().ok()?, fields.next()?);
        let goal = match fields.next().unwrap_or_default() {
            "" => None,
            goal => Some(Goal::parse(goal)?),
        };
        Some(Self { goal, ..row })
    }
}

impl Goal {
    fn parse(text: &str) -> Option<Self> {
        let most = text
            .strip_prefix("<=")
            .map(|number| number.trim().parse().map(Self::AtMost));
        let least = || {
            text.strip_prefix(">=")
                .map(|number| number.trim().parse().map(Self::AtLeast))
        };
        most.or_else(least)?.ok()
    }

    fn reached(self, value: f64) -> bool {
        match self {
            Self::AtMost(goal) => value <= goal,
            Self::AtLeast(goal) => value >= goal,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<58}{:>12.2} {:<10}", self.what, self.value, self.unit)?;
        let Some(goal) = self.goal else { return Ok(()) };
        let word = if goal.reached(self.value) { "reached" } else { "MISSED" };
        match goal {
            Goal::AtMost(number) => write!(f, " goal <= {number:<8} {word}"),
            Goal::AtLeast(number) => write!(f, " goal >= {number:<8} {word}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_s_line_is_read_with_and_without_a_goal() {
        let row = Row::parse("requests per MiB\t5.25\trequests\t<= 6.5").unwrap();
        assert_eq!(row, Row::new("requests per MiB", 5.25, "requests").at_most(6.5));
        assert!(row.to_string().ends_with("reached"));
        let slow = Row::parse("rate\t3\tMB/s\t>= 4").unwrap();
        assert!(slow.to_string().ends_with("MISSED"));
        assert_eq!(Row::parse("rate\t3\tMB/s"), Some(Row::new("rate", 3.0, "MB/s")));
    }

    #[test]
    fn a_line_that_is_no_row_is_not_taken_for_one() {
        for line in ["", "Compiling", "a\tb\tc", "a\t1\ts\tabout 3"] {
            assert_eq!(Row::parse(line), None, "{line}");
        }
    }
}
