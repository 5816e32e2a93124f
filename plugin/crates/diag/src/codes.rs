//! Pages that explain codes.

/// What `explain CODE` prints. Each crate that makes diagnostics exports a table of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodePage {
    /// The code, e.g. `spec::unknown-field`.
    pub code: &'static str,
    /// One line.
    pub title: &'static str,
    /// Why it is said, an example, and what to do; plain text with empty lines between paragraphs.
    pub text: &'static str,
}

impl CodePage {
    /// The whole page.
    pub fn page(&self) -> String {
        format!("{}: {}\n\n{}\n", self.code, self.title, self.text.trim())
    }
}

/// The page of `code` in several tables.
pub fn find<'a>(tables: &[&'a [CodePage]], code: &str) -> Option<&'a CodePage> {
    tables
        .iter()
        .flat_map(|table| table.iter())
        .find(|page| page.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_found_in_any_table() {
        const A: &[CodePage] = &[CodePage {
            code: "a::x",
            title: "x",
            text: "why",
        }];
        const B: &[CodePage] = &[CodePage {
            code: "b::y",
            title: "y",
            text: "because",
        }];
        assert_eq!(
            find(&[A, B], "b::y").map(CodePage::page),
            Some("b::y: y\n\nbecause\n".to_owned())
        );
        assert!(find(&[A, B], "b::z").is_none());
    }
}
