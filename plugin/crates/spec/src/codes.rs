//! The codes of all complaints about specs, each with its page.
//!
//! A code cannot exist without a page: both come from the table in `codes/pages.rs`.

mod pages;

use reseal_diag::CodePage;

pub use pages::*;

/// The page of a code, as `explain` prints it.
pub fn explain(code: &str) -> Option<String> {
    reseal_diag::codes::find(&[CODES], code).map(CodePage::page)
}

/// Takes a text apart that may begin with its code in brackets (`[spec::bad-unit] …`), as errors of typed values do.
pub(crate) fn coded(text: &str) -> (&'static str, &str) {
    let parts = text.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    let known = parts.and_then(|(code, text)| {
        CODES
            .iter()
            .find(|page| page.code == code)
            .map(|page| (page.code, text))
    });
    known.unwrap_or((BAD_VALUE, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_pages_are_pages() {
        for (index, page) in CODES.iter().enumerate() {
            assert!(page.code.starts_with("spec::"), "{}", page.code);
            assert!(
                CODES.iter().skip(index + 1).all(|other| other.code != page.code),
                "{} twice",
                page.code
            );
            assert!(page.text.len() > 80, "the page of {} says too little", page.code);
            assert!(!page.title.ends_with('.'), "{}", page.code);
        }
        assert!(explain("spec::unknown-field").is_some_and(|page| page.contains("did you mean")));
        assert_eq!(explain("spec::nothing"), None);
    }

    #[test]
    fn codes_are_taken_off_texts() {
        assert_eq!(coded("[spec::bad-unit] no"), (BAD_UNIT, "no"));
        assert_eq!(coded("[x] no"), (BAD_VALUE, "[x] no"));
        assert_eq!(coded("no"), (BAD_VALUE, "no"));
    }
}
