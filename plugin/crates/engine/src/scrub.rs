//! Takes secrets out of texts that are not ours: a guest may repeat what it was given.

use reseal_journal::FailureRecord;

/// Knows the build's secrets in all the forms in which a text may show them.
pub trait Scrub: Send + Sync {
    /// The text without secrets.
    fn scrub(&self, text: &str) -> String;
}

impl<F: Fn(&str) -> String + Send + Sync> Scrub for F {
    fn scrub(&self, text: &str) -> String {
        self(text)
    }
}

/// A failure as it may be kept and shown.
pub(crate) fn failure(scrub: &dyn Scrub, failure: FailureRecord) -> FailureRecord {
    let all = |texts: Vec<String>| texts.iter().map(|text| scrub.scrub(text)).collect();
    FailureRecord {
        class: failure.class,
        message: scrub.scrub(&failure.message),
        causes: all(failure.causes),
        said: all(failure.said),
        hints: all(failure.hints),
    }
}
