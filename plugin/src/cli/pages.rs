//! All pages that `explain` knows: those of the crates below, and those of the plan and the build.

mod build;
mod plan;

use reseal_diag::CodePage;

/// All pages, table by table.
pub(super) fn all() -> impl Iterator<Item = &'static CodePage> {
    [reseal_spec::CODES, plan::CODES, build::CODES, reseal_unattend::CODES]
        .into_iter()
        .flatten()
}

/// The page of a code; letters may be large or small.
pub(super) fn find(code: &str) -> Option<&'static CodePage> {
    all().find(|page| page.code.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_pages_say_something() {
        let mut codes: Vec<&str> = all().map(|page| page.code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
        for page in plan::CODES.iter().chain(build::CODES) {
            assert!(page.text.len() > 120, "{}", page.code);
            assert!(!page.title.ends_with('.'), "{}", page.code);
        }
        assert!(find("u017").is_some());
    }
}
