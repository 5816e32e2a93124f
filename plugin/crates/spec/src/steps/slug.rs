//! Readable ids of steps.

/// The longest name in an id.
const LONGEST: usize = 48;

/// Number and name: `03-install-example-agent`. `operation` stands in for names without Latin letters.
pub(super) fn id(number: usize, name: &str, operation: &str) -> String {
    let words = words(name);
    let name = if words.is_empty() {
        operation.replace('_', "-")
    } else {
        words
    };
    format!("{number:02}-{name}")
}

fn words(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() >= LONGEST {
            break;
        }
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_readable() {
        assert_eq!(id(3, "Example Agent (x64)", "install_msi"), "03-example-agent-x64");
        assert_eq!(id(12, "", "install_msi"), "12-install-msi");
        assert_eq!(id(1, "한글 이름", "windows_feature"), "01-windows-feature");
        assert_eq!(id(1, &"a ".repeat(100), "x").len(), 3 + 47);
    }
}
