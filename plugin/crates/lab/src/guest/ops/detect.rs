//! Detection: is the thing there, and in the right version?

use std::cmp::Ordering;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Done, Failure, read};
use crate::guest::files::{hash, like};
use crate::guest::windows::{Product, Windows};

/// What to look for.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Detect {
    /// An installed program by its display name.
    Product {
        /// Its display name, with `*` and `?`.
        product: String,
        /// What its version must be.
        version: Vec<Requirement>,
    },
    /// An installed program by its product code.
    ProductCode {
        /// The code with its braces.
        product_code: String,
        /// What its version must be.
        version: Vec<Requirement>,
    },
    /// A file.
    File {
        /// Its path.
        file: String,
        /// What its version must be.
        version: Vec<Requirement>,
    },
    /// A registry key or value.
    Registry {
        /// The key.
        key: String,
        /// The value's name.
        value: Option<String>,
        /// What the value must be.
        equals: Option<String>,
        /// What the value must be as a version.
        version: Vec<Requirement>,
    },
    /// A service.
    Service {
        /// Its name.
        service: String,
    },
    /// A role or feature.
    Feature {
        /// Its name.
        feature: String,
    },
    /// A script's opinion.
    Script {
        /// Its text.
        script: String,
    },
}

/// One requirement of a version.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    op: String,
    version: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// It is there, in the right version.
    pub present: bool,
    /// Its version.
    pub version: Option<String>,
    /// What it is.
    pub detail: String,
}

impl Detected {
    fn new(found: bool, version: Option<String>, wanted: &[Requirement], detail: impl Into<String>) -> Self {
        let fits = wanted
            .iter()
            .all(|requirement| version.as_deref().is_some_and(|version| requirement.holds(version)));
        Self {
            present: found && fits,
            version,
            detail: detail.into(),
        }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({"present": self.present, "version": self.version, "detail": self.detail})
    }
}

impl Requirement {
    fn holds(&self, version: &str) -> bool {
        let order = compare(version, &self.version);
        match self.op.as_str() {
            ">=" => order != Ordering::Less,
            ">" => order == Ordering::Greater,
            "<=" => order != Ordering::Greater,
            "<" => order == Ordering::Less,
            "!=" => order != Ordering::Equal,
            _ => order == Ordering::Equal,
        }
    }
}

fn compare(a: &str, b: &str) -> Ordering {
    let numbers = |text: &str| -> Vec<u64> { text.split('.').map(|part| part.parse().unwrap_or(0)).collect() };
    let (mut a, mut b) = (numbers(a), numbers(b));
    let length = a.len().max(b.len());
    a.resize(length, 0);
    b.resize(length, 0);
    a.cmp(&b)
}

/// Looks.
pub fn look(disk: &Windows, detect: &Detect) -> Detected {
    match detect {
        Detect::Product { product, version } => {
            found(disk.products.iter().find(|one| like(&one.name, product)), version)
        }
        Detect::ProductCode { product_code, version } => found(
            disk.products
                .iter()
                .find(|one| one.id.eq_ignore_ascii_case(product_code)),
            version,
        ),
        Detect::File { file, version } => {
            let there = disk.files.content(file).is_some();
            Detected::new(there, there.then(|| "1.0.0.0".to_owned()), version, file.clone())
        }
        Detect::Registry {
            key,
            value,
            equals,
            version,
        } => registry(disk, key, value.as_deref(), equals.as_deref(), version),
        Detect::Service { service } => Detected::new(
            disk.services.contains_key(&service.to_lowercase()),
            None,
            &[],
            service.clone(),
        ),
        Detect::Feature { feature } => {
            let there = disk.features.iter().any(|name| name.eq_ignore_ascii_case(feature));
            Detected::new(there, None, &[], feature.clone())
        }
        Detect::Script { script } => Detected::new(opinion(disk, script), None, &[], "script"),
    }
}

fn found(product: Option<&Product>, wanted: &[Requirement]) -> Detected {
    match product {
        Some(product) => {
            let detail = format!("{} {}", product.name, product.version);
            Detected::new(true, Some(product.version.clone()), wanted, detail)
        }
        None => Detected::new(false, None, wanted, "not installed"),
    }
}

fn registry(disk: &Windows, key: &str, value: Option<&str>, equals: Option<&str>, wanted: &[Requirement]) -> Detected {
    let Some(found) = disk.registry.get(&key.to_lowercase()) else {
        return Detected::new(false, None, wanted, "no such key");
    };
    let Some(name) = value else {
        return Detected::new(true, None, wanted, key);
    };
    let Some((_, data)) = found
        .values
        .iter()
        .find(|(one, _)| one.eq_ignore_ascii_case(name))
        .map(|(_, data)| data)
    else {
        return Detected::new(false, None, wanted, "no such value");
    };
    let text = data.as_str().map_or_else(|| data.to_string(), ToOwned::to_owned);
    let fits = equals.is_none_or(|equals| equals == text);
    Detected::new(fits, Some(text.clone()), wanted, text)
}

/// What a script would say: a line `# reseal-lab: true` or `# reseal-lab: false` decides; otherwise the script is
/// false until the step that it belongs to has been carried out.
pub fn opinion(disk: &Windows, script: &str) -> bool {
    match directive(script, &["true", "false"]) {
        Some((word, _)) => word == "true",
        None => disk.satisfied.contains(&hash(script.as_bytes())),
    }
}

/// A line `# reseal-lab: WORD REST` in a script, with one of these words.
pub fn directive<'a>(script: &'a str, words: &[&str]) -> Option<(&'a str, &'a str)> {
    let orders = script
        .lines()
        .filter_map(|line| line.trim().strip_prefix("# reseal-lab:"));
    orders
        .map(|order| order.trim().split_once(' ').unwrap_or((order.trim(), "")))
        .find(|(word, _)| words.contains(word))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    script: String,
}

/// `condition`: true unless the script ends with `$false`, or a line `# reseal-lab: false` stands in it; a line
/// `# reseal-lab: fail` makes it break.
pub fn condition(input: &Value) -> Answered {
    let wanted: Condition = read(input)?;
    let ends_with_false = wanted.script.trim_end().to_lowercase().ends_with("$false");
    match directive(&wanted.script, &["true", "false", "fail"]) {
        Some(("fail", _)) => Err(Failure::new("condition_failed", "the condition's script failed")),
        Some((word, _)) => Ok(Done::quick(json!({"value": word == "true"}))),
        None => Ok(Done::quick(json!({"value": !ends_with_false}))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(compare("4.10", "4.9"), Ordering::Greater);
        assert_eq!(compare("4.2.0", "4.2"), Ordering::Equal);
    }

    #[test]
    fn directives_stand_in_comments() {
        assert_eq!(directive("x\n# reseal-lab: exit 3\n", &["exit"]), Some(("exit", "3")));
        assert_eq!(directive("exit 3", &["exit"]), None);
    }
}
