//! Version requirements: `>=4.2`, `=1.2.3`, `>=4.2, <5`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Conditions on a version, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionReq(Vec<Comparator>);

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparator {
    /// How to compare.
    pub op: Op,
    /// With what: up to four numbers, e.g. `4.2`.
    pub version: String,
}

/// How versions are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Op {
    /// `>=`
    #[serde(rename = ">=")]
    AtLeast,
    /// `>`
    #[serde(rename = ">")]
    Above,
    /// `<=`
    #[serde(rename = "<=")]
    AtMost,
    /// `<`
    #[serde(rename = "<")]
    Below,
    /// `=`
    #[serde(rename = "=")]
    Equal,
}

const OPS: [(&str, Op); 5] = [
    (">=", Op::AtLeast),
    ("<=", Op::AtMost),
    (">", Op::Above),
    ("<", Op::Below),
    ("=", Op::Equal),
];

impl VersionReq {
    /// Reads the user's text; a bare version means `=`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let conditions: Result<Vec<_>, _> = text.split(',').map(|part| comparator(part.trim())).collect();
        Ok(Self(conditions?))
    }

    /// The conditions.
    pub fn comparators(&self) -> &[Comparator] {
        &self.0
    }

    /// Whether `version` fulfils all of them; a version that has no number at all never does.
    pub fn matches(&self, version: &str) -> bool {
        self.0.iter().all(|condition| {
            compare(version, &condition.version).is_some_and(|order| match condition.op {
                Op::AtLeast => order.is_ge(),
                Op::Above => order.is_gt(),
                Op::AtMost => order.is_le(),
                Op::Below => order.is_lt(),
                Op::Equal => order.is_eq(),
            })
        })
    }
}

fn comparator(text: &str) -> Result<Comparator, String> {
    let (op, version) = OPS
        .iter()
        .find_map(|(sign, op)| Some((*op, text.strip_prefix(sign)?.trim())))
        .unwrap_or((Op::Equal, text));
    let good = !version.is_empty()
        && version.split('.').count() <= 4
        && version.split('.').all(|part| part.parse::<u32>().is_ok());
    if good {
        Ok(Comparator {
            op,
            version: version.to_owned(),
        })
    } else {
        Err(format!(
            "`{text}` is no version requirement; write for example `>=4.2`, `=1.2.3` or `>=4.2, <5`"
        ))
    }
}

/// Compares number by number; a missing number is zero.
pub(crate) fn compare(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (numbers(left)?, numbers(right)?);
    Some(left.cmp(&right))
}

/// The first four numbers of a version as programs write it (`4.2.1.0`, `4, 2, 1`, `v4.2-beta`).
fn numbers(text: &str) -> Option<[u64; 4]> {
    let mut found = text
        .trim_start_matches(['v', 'V', ' '])
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map_while(|part| part.parse().ok());
    let first = found.next()?;
    let mut rest = [0; 3];
    for (slot, number) in rest.iter_mut().zip(found) {
        *slot = number;
    }
    let [second, third, fourth] = rest;
    Some([first, second, third, fourth])
}

impl fmt::Display for VersionReq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, condition) in self.0.iter().enumerate() {
            let sign = OPS
                .iter()
                .find(|(_, op)| *op == condition.op)
                .map_or("=", |(sign, _)| sign);
            write!(f, "{}{sign}{}", if index == 0 { "" } else { ", " }, condition.version)?;
        }
        Ok(())
    }
}

impl Serialize for VersionReq {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VersionReq {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for VersionReq {
    fn schema_name() -> Cow<'static, str> {
        "VersionRequirement".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "Conditions on a version, separated by commas; a bare version means `=`. Missing numbers count as 0.",
            "examples": [">=4.2", "=1.2.3", ">=4.2, <5"],
            "pattern": "^\\s*(>=|<=|>|<|=)?\\s*[0-9]+(\\.[0-9]+){0,3}\\s*(,\\s*(>=|<=|>|<|=)?\\s*[0-9]+(\\.[0-9]+){0,3}\\s*)*$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_read_and_hold() {
        let req = VersionReq::parse(">=4.2, <5").unwrap();
        assert_eq!(req.to_string(), ">=4.2, <5");
        assert!(req.matches("4.2.0.1") && req.matches("4, 10, 0, 0") && !req.matches("4.1.9") && !req.matches("5.0"));
        assert!(VersionReq::parse("1.2.3").unwrap().matches("1.2.3.0"));
        assert!(!VersionReq::parse("=1.2.3").unwrap().matches("none"));
        for bad in ["", ">=", "~1.2", "1.2.3.4.5", ">= x", "4.2,"] {
            assert!(VersionReq::parse(bad).is_err(), "{bad}");
        }
    }
}
