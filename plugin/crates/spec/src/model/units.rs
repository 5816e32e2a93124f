//! Amounts that are written with their unit.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of disk or memory, for example `60 GB`. As clouds count, 1 GB is 1024 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    megabytes: u32,
}

impl Size {
    /// So many MB.
    pub fn from_mb(megabytes: u32) -> Self {
        Self { megabytes }
    }

    /// In MB.
    pub fn mb(self) -> u32 {
        self.megabytes
    }

    /// In GB, rounded up.
    pub fn gb(self) -> u32 {
        self.megabytes.div_ceil(1024)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.megabytes.is_multiple_of(1024) {
            write!(f, "{} GB", self.megabytes / 1024)
        } else {
            write!(f, "{} MB", self.megabytes)
        }
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a size; write a whole number and `MB`, `GB` or `TB`, as in `60 GB`");
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
        let factor: u32 = match unit.trim_start() {
            "MB" => 1,
            "GB" => 1024,
            "TB" => 1024 * 1024,
            _ => return Err(wrong()),
        };
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let megabytes = number.checked_mul(factor).filter(|size| *size > 0).ok_or_else(wrong)?;
        Ok(Self { megabytes })
    }
}

/// A limit of time, for example `20m` or `1h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limit(Duration);

impl Limit {
    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self(Duration::from_secs(minutes * 60))
    }

    /// So long.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
        let texts: Vec<String> = parts
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, unit)| format!("{n}{unit}"))
            .collect();
        f.write_str(&texts.join(" "))
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not a time; write whole numbers with `h`, `m` or `s`, as in `20m` or `1h 30m`");
        let mut seconds: u64 = 0;
        let mut number: Option<u64> = None;
        let mut last = u64::MAX;
        for c in text.trim().chars() {
            match (c, number) {
                (' ', None) if last < u64::MAX => {}
                ('h' | 'm' | 's', Some(n)) => {
                    let factor = if c == 'h' {
                        3600
                    } else if c == 'm' {
                        60
                    } else {
                        1
                    };
                    if factor >= last {
                        return Err(wrong());
                    }
                    last = factor;
                    seconds = n
                        .checked_mul(factor)
                        .and_then(|part| seconds.checked_add(part))
                        .ok_or_else(wrong)?;
                    number = None;
                }
                _ => {
                    let digit = c.to_digit(10).ok_or_else(wrong)?;
                    let next = number
                        .unwrap_or(0)
                        .checked_mul(10)
                        .and_then(|n| n.checked_add(u64::from(digit)));
                    number = Some(next.ok_or_else(wrong)?);
                }
            }
        }
        match (number, seconds) {
            (None, 1..=2_592_000) => Ok(Self(Duration::from_secs(seconds))),
            (None, 2_592_001..) => Err(format!("`{text}` is longer than 30 days")),
            _ => Err(wrong()),
        }
    }
}

/// Reads an amount from its text; a bare number gets a hint about its unit.
struct Written<T>(PhantomData<T>, &'static str);

impl<T: FromStr<Err = String>> Visitor<'_> for Written<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse()
            .map_err(|message| E::custom(format!("[spec::bad-unit] {message}")))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        Err(E::custom(format!(
            "[spec::bad-unit] `{number}` has no unit; write {}",
            self.1
        )))
    }
}

macro_rules! written {
    ($type:ident, $hint:literal, $schema:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Written(PhantomData, $hint))
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

written!(
    Size,
    "a size, as in `60 GB`",
    json_schema!({ "type": "string", "pattern": "^\\s*[0-9]+ *(MB|GB|TB)\\s*$|\\$\\{", "examples": ["60 GB"] })
);
written!(
    Limit,
    "a time, as in `20m`",
    json_schema!({ "type": "string", "pattern": "^\\s*([0-9]+h *)?([0-9]+m *)?([0-9]+s)?\\s*$|\\$\\{", "examples": ["20m", "1h 30m"] })
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let check = |text: &str, expect: Option<(u32, &str)>| {
            let size = text.parse::<Size>().ok();
            assert_eq!(
                size.map(|size| (size.mb(), size.to_string())),
                expect.map(|(mb, text)| (mb, text.to_owned()))
            );
        };
        check("60 GB", Some((61_440, "60 GB")));
        check("60GB", Some((61_440, "60 GB")));
        check("1 TB", Some((1_048_576, "1024 GB")));
        check("1536 MB", Some((1536, "1536 MB")));
        for wrong in [
            "60",
            "",
            "GB",
            "60 gb",
            "6.5 GB",
            "-1 GB",
            "0 GB",
            "99999999 TB",
            "60 GiB",
            "한 GB",
        ] {
            check(wrong, None);
        }
        assert_eq!(Size::from_mb(1025).gb(), 2);
    }

    #[test]
    fn times_have_units() {
        let check = |text: &str, expect: Option<(u64, &str)>| {
            let limit = text.parse::<Limit>().ok();
            let found = limit.map(|limit| (limit.duration().as_secs(), limit.to_string()));
            assert_eq!(
                found,
                expect.map(|(seconds, text)| (seconds, text.to_owned())),
                "{text}"
            );
        };
        check("20m", Some((1200, "20m")));
        check("1h30m", Some((5400, "1h 30m")));
        check("1h 30m", Some((5400, "1h 30m")));
        check("90s", Some((90, "1m 30s")));
        for wrong in [
            "20",
            "",
            "m",
            "20 m",
            "-5m",
            "0s",
            "1d",
            "5m 5m",
            "1m1h",
            "99999999999999999999h",
            "900h",
        ] {
            check(wrong, None);
        }
    }
}
