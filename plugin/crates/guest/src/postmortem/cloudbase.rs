//! The log of Cloudbase-Init: which plugin failed on a clone, and whether its metadata was found.

use super::rules::{Cause, SETUP, Strength};
use super::{Evidence, Finding, Log, Phase};

const PLUGIN: Cause = Cause {
    class: "cloudbase_plugin_failed",
    strength: Strength::Consequence,
    meaning: "a plugin of Cloudbase-Init failed on the clone; the others went on",
    cure: "the line says why; plugins that need the network or WMI belong into cloudbase-init.conf, not into the run \
           during specialize",
    ..SETUP
};

const METADATA: Cause = Cause {
    class: "cloudbase_no_metadata",
    meaning: "Cloudbase-Init found no metadata service, so the clone has neither its name nor its password from the cloud",
    cure: "check `metadata_services` in its configuration, and the clone's network or config drive",
    ..PLUGIN
};

const DONE: Cause = Cause {
    letter: '-',
    class: "cloudbase_done",
    meaning: "Cloudbase-Init went through its plugins without an error",
    cure: "nothing to do",
    ..PLUGIN
};

const UNKNOWN: Cause = Cause {
    letter: '?',
    class: "cloudbase_error",
    meaning: "Cloudbase-Init met an error that is not known here",
    cure: "the line names its module; the traceback below it says where",
    ..PLUGIN
};

pub(super) const CAUSES: &[Cause] = &[PLUGIN, METADATA, DONE, UNKNOWN];

/// Its finding, where the log is Cloudbase-Init's: the last error of its last run.
pub(super) fn judge(log: &Log<'_>) -> Option<Finding> {
    let own: Vec<(usize, &str)> = log
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| level(line).is_some())
        .map(|(at, line)| (at + 1, line.trim()))
        .collect();
    own.first()?;
    let grave = |line: &str| matches!(level(line), Some("ERROR" | "CRITICAL")) && line.contains(" [-] ");
    let errors: Vec<(usize, &str)> = own.iter().copied().filter(|(_, line)| grave(line)).collect();
    let named = |words: &str| errors.iter().rev().copied().find(|(_, line)| line.contains(words));
    let last = own.last().copied();
    let (cause, line) = match (
        named("No available service found"),
        named("plugin '"),
        errors.last().copied(),
    ) {
        (Some(line), _, _) => (CAUSES.get(1)?, line),
        (_, Some(line), _) => (CAUSES.first()?, line),
        (_, _, Some(line)) => (CAUSES.get(3)?, line),
        _ if own.iter().any(|(_, line)| line.contains("Plugins execution done")) => (CAUSES.get(2)?, last?),
        _ => return None,
    };
    let others = errors
        .iter()
        .filter(|other| other.0 < line.0 && other.1.contains("plugin '"));
    let mut shown: Vec<(usize, &str)> = others.copied().collect();
    shown = shown.split_off(shown.len().saturating_sub(2));
    shown.push(line);
    let dated = line.1.starts_with(|first: char| first.is_ascii_digit());
    Some(Finding {
        cause,
        code: None,
        phase: Phase::FirstBoot,
        part: None,
        subject: message(line.1)
            .split_once("plugin '")
            .and_then(|(_, rest)| rest.split('\'').next())
            .map(str::to_owned),
        evidence: shown
            .into_iter()
            .map(|(at, line)| Evidence {
                file: log.name.to_owned(),
                line: at,
                text: message(line).to_owned(),
            })
            .collect(),
        when: dated.then(|| line.1.chars().take(19).collect()),
    })
}

/// What follows the head of a line.
fn message(line: &str) -> &str {
    line.split_once(" [-] ").map_or(line, |(_, message)| message)
}

/// The level of `2021-11-29 12:00:12.000 1628 ERROR cloudbaseinit.init [-] …`.
fn level(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip(2);
    let number = words.next()?;
    let level = words.next()?;
    let module = words.next()?;
    let own = number.chars().all(|digit| digit.is_ascii_digit()) && module.starts_with("cloudbaseinit");
    own.then_some(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> Option<&'static str> {
        judge(&Log { name: "c", text }).map(|found| found.cause.class)
    }

    #[test]
    fn the_plugin_that_failed_is_named() {
        let text = "2026-01-02 03:04:05.678 12 INFO cloudbaseinit.init [-] Executing plugin 'NetPlugin'\n\
                    2026-01-02 03:04:05.678 12 ERROR cloudbaseinit.init [-] plugin 'NetPlugin' failed with error 'x'\n\
                    2026-01-02 03:04:06.678 12 INFO cloudbaseinit.init [-] Plugins execution done\n";
        let found = judge(&Log { name: "c", text }).unwrap();
        assert_eq!(found.cause.class, "cloudbase_plugin_failed");
        assert_eq!(found.subject.as_deref(), Some("NetPlugin"));
        assert_eq!(found.when.as_deref(), Some("2026-01-02 03:04:05"));
    }

    #[test]
    fn several_plugins_and_a_search_s_prefix_are_shown() {
        let text = "console.log:2026-01-02 03:04:05.678 12 ERROR cloudbaseinit.init [-] plugin 'A' failed with error '错误'\n\
                    console.log:2026-01-02 03:04:06.678 12 ERROR cloudbaseinit.init [-] plugin 'B' failed with error 'y'\n";
        let found = judge(&Log { name: "c", text }).unwrap();
        assert_eq!((found.subject.as_deref(), found.evidence.len()), (Some("B"), 2));
        assert_eq!(found.when, None);
    }

    #[test]
    fn other_ends_are_told_apart() {
        let line =
            |level: &str, text: &str| class(&format!("2026-01-02 03:04:05.678 12 {level} cloudbaseinit [-] {text}"));
        assert_eq!(
            line("CRITICAL", "x: \"No available service found\""),
            Some("cloudbase_no_metadata")
        );
        assert_eq!(line("ERROR", "something new"), Some("cloudbase_error"));
        assert_eq!(line("INFO", "Plugins execution done"), Some("cloudbase_done"));
        assert_eq!(line("DEBUG", "hello"), None);
        assert_eq!(class("2026-05-06 14:40:34, Error SYSPRP x"), None);
    }
}
