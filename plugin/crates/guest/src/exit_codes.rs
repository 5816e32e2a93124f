//! Exit codes as data: what they mean for each installer family, and which of them are success.

mod tables;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

/// Which table of codes a program follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Windows Installer.
    Msi,
    /// Inno Setup.
    Inno,
    /// Nullsoft.
    Nsis,
    /// `WiX` bundles.
    Burn,
    /// `InstallShield` `InstallScript` (`ResultCode` of its log).
    InstallShield,
    /// `wusa.exe`.
    Wusa,
    /// `dism.exe` and the servicing commands.
    Dism,
    /// Chocolatey.
    Choco,
    /// Windows Update Agent results.
    WindowsUpdate,
    /// Nothing is known but 0.
    Plain,
}

/// What a code says about the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Done.
    Success,
    /// Done, and a restart is needed.
    Reboot,
    /// It was there before.
    Already,
    /// Something else is being installed; trying again helps.
    Busy,
    /// It does not fit this system.
    NotApplicable,
    /// It failed.
    Failure,
}

/// One row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The code as an unsigned 32-bit number.
    pub code: u32,
    /// What it says about the run.
    pub class: Class,
    /// The meaning in words, a lower-case fragment.
    pub text: &'static str,
    /// What to do about it.
    pub hint: Option<&'static str>,
}

/// What a code means in a table. Codes that Windows Installer passes through other installers are found there too,
/// also when they are wrapped in an `HRESULT` (`0x80070643` is 1603).
pub fn meaning(table: Table, code: u32) -> Option<&'static Meaning> {
    let own = rows(table).iter().find(|row| row.code == code);
    let wrapped = (code & 0xFFFF_0000 == 0x8007_0000).then_some(code & 0xFFFF);
    own.or_else(|| passes_msi_codes(table).then(|| row(Table::Msi, code)).flatten())
        .or_else(|| {
            wrapped
                .filter(|_| passes_msi_codes(table))
                .and_then(|code| row(Table::Msi, code))
        })
        .or_else(|| row(Table::WindowsUpdate, code).filter(|_| matches!(table, Table::Wusa | Table::Dism)))
}

fn row(table: Table, code: u32) -> Option<&'static Meaning> {
    rows(table).iter().find(|row| row.code == code)
}

fn passes_msi_codes(table: Table) -> bool {
    matches!(
        table,
        Table::Msi | Table::Burn | Table::Choco | Table::Wusa | Table::Dism
    )
}

fn rows(table: Table) -> &'static [Meaning] {
    match table {
        Table::Msi => tables::MSI,
        Table::Inno => tables::INNO,
        Table::Nsis => tables::NSIS,
        Table::Burn => tables::BURN,
        Table::InstallShield => tables::INSTALL_SHIELD,
        Table::Wusa => tables::WUSA,
        Table::Dism => tables::DISM,
        Table::Choco => tables::CHOCO,
        Table::WindowsUpdate => tables::WINDOWS_UPDATE,
        Table::Plain => tables::PLAIN,
    }
}

/// Windows tells the same code as a signed, an unsigned or a sign-extended number; all become one.
pub fn normalize(code: i64) -> Option<u32> {
    u32::try_from(code)
        .ok()
        .or_else(|| i32::try_from(code).ok().map(i32::cast_unsigned))
}

/// An exit code as a user writes it: `3010`, `-2145124329` or `"0x80240017"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExitCode(pub u32);

impl Serialize for ExitCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<'de> Deserialize<'de> for ExitCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CodeVisitor)
    }
}

struct CodeVisitor;

impl CodeVisitor {
    fn signed<E: serde::de::Error>(code: i64) -> Result<ExitCode, E> {
        normalize(code)
            .map(ExitCode)
            .ok_or_else(|| E::custom(format!("{code} does not fit into 32 bits")))
    }
}

impl serde::de::Visitor<'_> for CodeVisitor {
    type Value = ExitCode;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an exit code such as 3010, -2145124329 or \"0x80240017\"")
    }

    fn visit_i64<E: serde::de::Error>(self, code: i64) -> Result<ExitCode, E> {
        Self::signed(code)
    }

    fn visit_u64<E: serde::de::Error>(self, code: u64) -> Result<ExitCode, E> {
        Self::signed(i64::try_from(code).unwrap_or(i64::MAX))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ExitCode, E> {
        let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        hex.and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .map(ExitCode)
            .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

impl JsonSchema for ExitCode {
    fn schema_name() -> Cow<'static, str> {
        "ExitCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "An exit code: a number, or a hexadecimal text. Signed and unsigned forms are the same code.",
            "type": ["integer", "string"],
            "minimum": -2_147_483_648_i64,
            "maximum": 4_294_967_295_u32,
            "pattern": "^0[xX][0-9A-Fa-f]{1,8}$",
            "examples": [3010, "0x80240017"],
        })
    }
}

/// Which codes a run may end with; the `Codes` of `ops/README.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Codes {
    success: Vec<u32>,
    reboot: Vec<u32>,
    already: Vec<u32>,
    busy: Vec<u32>,
}

impl Codes {
    /// The table's own success codes and the user's.
    pub(crate) fn of(table: Table, success: &[ExitCode], reboot: &[ExitCode]) -> Self {
        let with = |class: Class, extra: &[ExitCode]| {
            let mut codes: Vec<u32> = rows(table)
                .iter()
                .filter(|row| row.class == class)
                .map(|row| row.code)
                .collect();
            codes.extend(extra.iter().map(|code| code.0));
            codes.sort_unstable();
            codes.dedup();
            codes
        };
        let reboot = with(Class::Reboot, reboot);
        let already = with(Class::Already, &[]);
        let mut success = with(Class::Success, success);
        success.extend(reboot.iter().chain(&already));
        success.sort_unstable();
        success.dedup();
        Self {
            success,
            reboot,
            already,
            busy: with(Class::Busy, &[]),
        }
    }

    pub(crate) fn input(&self) -> Value {
        json!({"success": self.success, "reboot": self.reboot, "already": self.already, "busy": self.busy})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_code_in_three_spellings() {
        let codes: Vec<ExitCode> = serde_json::from_str(r#"[-2145124329, 2149842967, "0x80240017"]"#).unwrap();
        assert_eq!(codes, [ExitCode(0x8024_0017); 3]);
        assert!(serde_json::from_str::<ExitCode>("4294967296").is_err());
        assert!(serde_json::from_str::<ExitCode>("\"3010\"").is_err());
    }

    #[test]
    fn wrapped_installer_codes_are_understood() {
        assert_eq!(meaning(Table::Burn, 0x8007_0643).map(|row| row.code), Some(1603));
        assert_eq!(meaning(Table::Burn, 3010).map(|row| row.class), Some(Class::Reboot));
        assert_eq!(
            meaning(Table::Wusa, 0x0024_0006).map(|row| row.class),
            Some(Class::Already)
        );
        assert_eq!(meaning(Table::Nsis, 1603), None);
    }

    #[test]
    fn tables_have_no_code_twice() {
        for table in [
            Table::Msi,
            Table::Inno,
            Table::Nsis,
            Table::Burn,
            Table::InstallShield,
            Table::Wusa,
            Table::Dism,
            Table::Choco,
            Table::WindowsUpdate,
            Table::Plain,
        ] {
            let mut codes: Vec<u32> = rows(table).iter().map(|row| row.code).collect();
            let all = codes.len();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), all, "{table:?}");
            assert!(rows(table).iter().all(|row| !row.text.is_empty()), "{table:?}");
        }
    }

    #[test]
    fn the_users_codes_join_the_tables() {
        let codes = Codes::of(Table::Inno, &[ExitCode(9)], &[ExitCode(7)]);
        assert_eq!(codes.success, [0, 7, 9, 3010]);
        assert_eq!(codes.reboot, [7, 3010]);
    }
}
