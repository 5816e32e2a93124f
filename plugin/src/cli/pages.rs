//! All pages that `explain` knows: those of the crates below, of plan and build, of the rules of preflight and leftovers,
//! and of the causes that the post-mortem names.

mod build;
mod plan;

use reseal_diag::CodePage;
use reseal_guest::postmortem::{self, Cause, Phase};
use reseal_guest::{Rule, leftovers, preflight};

/// A page.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// The code, or the name of the cause.
    pub(super) code: String,
    /// Its meaning in one line.
    pub(super) title: String,
    /// The text.
    pub(super) text: String,
}

impl Page {
    /// The page with its head.
    pub(super) fn page(&self) -> String {
        format!("{}: {}\n\n{}\n", self.code, self.title, self.text.trim())
    }
}

impl From<&CodePage> for Page {
    fn from(page: &CodePage) -> Self {
        Self {
            code: page.code.to_owned(),
            title: page.title.to_owned(),
            text: page.text.to_owned(),
        }
    }
}

impl From<&Rule> for Page {
    fn from(rule: &Rule) -> Self {
        Self {
            code: rule.code.to_owned(),
            title: rule.title.to_owned(),
            text: rule.text(),
        }
    }
}

impl From<&Cause> for Page {
    fn from(cause: &Cause) -> Self {
        let when = match cause.phase {
            Phase::Validation => "Sysprep finds it before it changes anything: after the cure it may run again.",
            Phase::Execution => {
                "Sysprep has begun to change the system then: after the cure, begin with a fresh machine."
            }
            Phase::FirstBoot => "It shows at the first boot of a machine that was made of the image.",
            Phase::Unknown => "Whether the machine is still good depends on where it happens.",
        };
        let mut text = format!("{when}\n\nCure: {}.\n", cause.cure);
        let signs = cause.signs();
        if !signs.is_empty() {
            text.push_str("\nIn the logs:\n\n");
            text.extend(signs.iter().map(|sign| format!("    {sign}\n")));
        }
        Self {
            code: cause.class.to_owned(),
            title: cause.meaning.to_owned(),
            text,
        }
    }
}

/// All pages, table by table.
pub(super) fn all() -> impl Iterator<Item = Page> {
    let tables = [reseal_spec::CODES, plan::CODES, build::CODES, reseal_unattend::CODES];
    let rules = preflight::RULES.iter().chain(leftovers::RULES).map(Page::from);
    tables
        .into_iter()
        .flatten()
        .map(Page::from)
        .chain(rules)
        .chain(causes())
}

/// The causes by name; two rules of one name share the page of the first.
fn causes() -> impl Iterator<Item = Page> {
    let mut seen = std::collections::BTreeSet::new();
    postmortem::causes()
        .filter(move |cause| seen.insert(cause.class))
        .map(Page::from)
}

/// The page of a code; letters may be large or small.
pub(super) fn find(code: &str) -> Option<Page> {
    all().find(|page| page.code.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_pages_say_something() {
        let mut codes: Vec<String> = all().map(|page| page.code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
        for page in plan::CODES.iter().chain(build::CODES) {
            assert!(page.text.len() > 80, "{}", page.code);
            assert!(!page.title.ends_with('.'), "{}", page.code);
        }
        for code in ["u017", "P001", "h001", "appx_not_provisioned", "spec::unknown-step"] {
            assert!(find(code).is_some(), "{code}");
        }
    }
}
