//! Rules: what is looked for in a guest, each with a stable code and a page of its own.

use crate::system::{Category, Fixes};

/// One thing that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// A stable code, e.g. `P012`.
    pub code: &'static str,
    /// What is wrong, as a fragment without a full stop.
    pub title: &'static str,
    /// Why it matters and what would happen.
    pub meaning: &'static str,
    /// What to do.
    pub cure: &'static str,
    /// Where the maker of Windows, or of the program, says more.
    pub docs: Option<&'static str>,
    /// What the build can do about it.
    pub remedy: Option<Remedy>,
}

/// What a spec can ask for so that the build cures a finding by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// A cure of `preflight_fix`.
    Fix(Fixes),
    /// A category of `hygiene`.
    Clean(Category),
}

impl Remedy {
    /// How the spec asks for it.
    pub fn in_spec(self) -> String {
        match self {
            Self::Fix(fix) => format!("generalize: {{ fix: [{}] }}", fix.as_str()),
            Self::Clean(category) => format!("generalize: {{ cleanup: [{}] }}", category.in_spec()),
        }
    }
}

impl Rule {
    /// A rule that only a person can follow.
    pub(crate) const fn new(
        code: &'static str,
        title: &'static str,
        meaning: &'static str,
        cure: &'static str,
    ) -> Self {
        Self {
            code,
            title,
            meaning,
            cure,
            docs: None,
            remedy: None,
        }
    }

    /// With a place to read on.
    pub(crate) const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = Some(docs);
        self
    }

    /// With a cure of the preflight's.
    pub(crate) const fn fix(mut self, fix: Fixes) -> Self {
        self.remedy = Some(Remedy::Fix(fix));
        self
    }

    /// With a category of the cleaning.
    pub(crate) const fn clean(mut self, category: Category) -> Self {
        self.remedy = Some(Remedy::Clean(category));
        self
    }

    /// The page as `explain` shows it, without the title: what it means, what to do, and where to read on.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\nCure: {}.", self.meaning, self.cure);
        if let Some(remedy) = self.remedy {
            text.push_str("\n\nThe build does it when the spec says so:\n\n    ");
            text.push_str(&remedy.in_spec());
        }
        if let Some(docs) = self.docs {
            text.push_str("\n\nSee ");
            text.push_str(docs);
        }
        text
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// It may still go well.
    Warning,
    /// Not now, but waiting helps.
    Wait,
    /// It would fail.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's code.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What was found.
    pub message: String,
    /// What to do.
    pub cure: &'static str,
    /// What the build can do about it.
    pub remedy: Option<Remedy>,
}

/// Collects findings; cure and remedy come from the table, so that each stands once.
pub(crate) struct Findings {
    rules: &'static [Rule],
    found: Vec<Finding>,
}

impl Findings {
    pub(crate) fn new(rules: &'static [Rule]) -> Self {
        Self {
            rules,
            found: Vec::new(),
        }
    }

    /// Adds a finding of the rule with this code.
    pub(crate) fn add(&mut self, code: &'static str, severity: Severity, message: impl Into<String>) {
        let rule = self.rules.iter().find(|rule| rule.code == code);
        self.found.push(Finding {
            code,
            severity,
            message: message.into(),
            cure: rule.map_or("", |rule| rule.cure),
            remedy: rule.and_then(|rule| rule.remedy),
        });
    }

    /// The worst first.
    pub(crate) fn sorted(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        self.found
    }
}
