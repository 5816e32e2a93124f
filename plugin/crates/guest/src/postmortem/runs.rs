//! A log may hold several runs of sysprep; each is judged by itself.

use super::entry::Entry;
use super::noise::is_harmless;

const BANNER: &str = "Beginning of a new sysprep run";

/// Whether sysprep gives up with this line.
pub(super) fn gives_up(text: &str) -> bool {
    text.contains("Hit failure while")
}

/// Whether the run has succeeded with this line.
pub(super) fn has_tag(text: &str) -> bool {
    text.contains("Successfully created tag file")
}

/// The runs, the last one last. A banner begins one; in logs of errors alone, which have no banners, an error after the
/// end of a run begins the next. Those that are no more than harmless errors after an end belong to no run.
pub(super) fn runs<'a>(entries: &[&'a Entry]) -> Vec<Vec<&'a Entry>> {
    let mut runs: Vec<Vec<&Entry>> = vec![Vec::new()];
    let mut over = false;
    for entry in entries {
        let banner = entry.text.contains(BANNER);
        let next = over && entry.is_sysprep() && entry.is_error() && !is_shutdown(&entry.text);
        if next && is_harmless(&entry.text.to_lowercase()) {
            continue;
        }
        if banner || next {
            runs.push(Vec::new());
            over = false;
        }
        if let Some(run) = runs.last_mut() {
            run.push(entry);
        }
        over |= gives_up(&entry.text) || has_tag(&entry.text);
    }
    runs.retain(|run| run.iter().any(|entry| !is_frame(&entry.text)));
    runs
}

/// Sysprep's last deed is to turn the machine off. Where that fails, the run has succeeded all the same.
fn is_shutdown(text: &str) -> bool {
    text.starts_with("ProcessShutdown")
}

/// The lines around a banner, which tell nothing.
fn is_frame(text: &str) -> bool {
    text.contains("=====") || text.contains("The time is now") || text.contains("Shutting down SysPrep log")
}
