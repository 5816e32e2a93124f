//! How Setup obscures passwords: base64 of UTF-16 of the password and a suffix. It hides nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The suffix of a password element, by its name.
pub(crate) fn suffix(element: &str) -> &'static str {
    if element.eq_ignore_ascii_case("AdministratorPassword") {
        "AdministratorPassword"
    } else if element.eq_ignore_ascii_case("OfflineAdministratorPassword") {
        "OfflineAdministratorPassword"
    } else {
        "Password"
    }
}

/// Obscures a password for an element.
pub(crate) fn obscure(password: &str, element: &str) -> String {
    let bytes: Vec<u8> = password
        .encode_utf16()
        .chain(suffix(element).encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    STANDARD.encode(bytes)
}

/// The text behind an obscured value, suffix included; `None` when it is not one.
pub(crate) fn decode(value: &str) -> Option<String> {
    let bytes = STANDARD.decode(value.trim()).ok()?;
    if bytes.len() % 2 != 0 {
        return None;
    }
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| pair.iter().rev().fold(0, |unit, byte| unit << 8 | u16::from(*byte)))
        .collect();
    String::from_utf16(&units).ok()
}

/// Whether a text can stand in XML 1.0.
pub(crate) fn fits_xml(text: &str) -> bool {
    text.chars()
        .all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_come_out() {
        let admin = "AdministratorPassword";
        let cases = [
            (
                "pw",
                admin,
                "cAB3AEEAZABtAGkAbgBpAHMAdAByAGEAdABvAHIAUABhAHMAcwB3AG8AcgBkAA==",
            ),
            ("", admin, "QQBkAG0AaQBuAGkAcwB0AHIAYQB0AG8AcgBQAGEAcwBzAHcAbwByAGQA"),
            (
                "Passw0rd!",
                "Password",
                "UABhAHMAcwB3ADAAcgBkACEAUABhAHMAcwB3AG8AcgBkAA==",
            ),
            (
                "Password12346",
                "Password",
                "UABhAHMAcwB3AG8AcgBkADEAMgAzADQANgBQAGEAcwBzAHcAbwByAGQA",
            ),
        ];
        for (password, element, value) in cases {
            assert_eq!(obscure(password, element), value);
            assert_eq!(decode(value), Some(format!("{password}{}", suffix(element))));
        }
        assert_eq!(decode("not base64!"), None);
        assert_eq!(decode("YWJj"), None);
    }
}
