//! The known causes: what gives each away, what it means and what helps.
//!
//! A rule is written for a family of failures. It says how strong its evidence is, because one failure leaves many
//! lines: the line that names the reason outweighs a code that only one failure has, that outweighs the name of
//! the part that failed, and what only follows from an earlier failure comes last.

mod setup;
mod silence;
mod sysprep;

use super::{Phase, cloudbase, devices, setupdiag};
pub(super) use silence::by_silence;

/// Which logs a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Sysprep's own lines.
    Sysprep,
    /// The first boot: answer file, specialize, oobeSystem; and servicing.
    Setup,
}

/// How much a match says; the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// A line names the reason.
    Reason,
    /// The code is known for this alone.
    Code,
    /// The part of Windows that failed is known for this.
    Part,
    /// True, but it follows from something else, or tells little.
    Consequence,
    /// It went wrong, but stopped nothing.
    Aside,
}

/// One known cause.
#[derive(Debug)]
pub struct Cause {
    /// The letter of its family, e.g. `a`; `-` for success, `?` for what is not known.
    pub letter: char,
    /// The class in one word, e.g. `appx_not_provisioned`.
    pub class: &'static str,
    pub(super) scope: Scope,
    pub(super) strength: Strength,
    /// Each is a way to know it: all of its texts stand in one line, in small letters.
    pub(super) lines: &'static [&'static [&'static str]],
    /// Texts that speak against it in the same line.
    pub(super) not: &'static [&'static str],
    /// The parts (DLL or function, small letters) whose failure this is. Where lines are given too, they count only if
    /// one of these failed or none is named.
    pub(super) parts: &'static [&'static str],
    /// Codes that are enough when no line decides.
    pub(super) codes: &'static [u32],
    /// Whether warnings count as well.
    pub(super) warnings: bool,
    /// The phase when the log does not say.
    pub phase: Phase,
    /// What it means.
    pub meaning: &'static str,
    /// What helps.
    pub cure: &'static str,
}

/// So long is a text that prose does not have by chance.
const QUOTE: usize = 23;

/// What the tables leave out.
pub(super) const SYSPREP: Cause = Cause {
    letter: 'h',
    class: "",
    scope: Scope::Sysprep,
    strength: Strength::Reason,
    lines: &[],
    not: &[],
    parts: &[],
    codes: &[],
    warnings: false,
    phase: Phase::Execution,
    meaning: "",
    cure: "",
};

/// The same for the first boot.
pub(super) const SETUP: Cause = Cause {
    letter: 'u',
    scope: Scope::Setup,
    phase: Phase::FirstBoot,
    ..SYSPREP
};

pub(super) const SUCCESS: Cause = Cause {
    letter: '-',
    class: "success",
    meaning: "sysprep ended well",
    cure: "nothing to do",
    ..SYSPREP
};

pub(super) const SETUP_SUCCESS: Cause = Cause {
    letter: '-',
    class: "success",
    meaning: "this part of the first boot ended well",
    cure: "nothing to do",
    ..SETUP
};

pub(super) const NO_FAILURE: Cause = Cause {
    letter: '-',
    class: "success",
    meaning: "no failure is recorded: the errors here are such as good runs write too",
    cure: "nothing to do, if the log is whole",
    ..SYSPREP
};

/// For a log beside which there is a better one.
pub(super) const QUIET: Cause = Cause {
    letter: '-',
    class: "no_failure",
    meaning: "no error is recorded in these lines of Setup or servicing",
    cure: "look at the logs of the step that failed, if one did",
    phase: Phase::Unknown,
    ..SETUP
};

pub(super) const EXTERNAL: Cause = Cause {
    class: "external_provider",
    strength: Strength::Consequence,
    lines: &[&["external providers", "hit failure"]],
    meaning: "another program's part in sysprep failed",
    cure: "the line names its DLL: remove or repair its registration under SysPrepExternal",
    ..SYSPREP
};

pub(super) const INCOMPLETE: Cause = Cause {
    letter: '?',
    class: "incomplete",
    phase: Phase::Unknown,
    meaning: "the log tells neither a failure nor an end",
    cure: "look for what follows: the whole setupact.log, or the later file of the same folder",
    ..SYSPREP
};

pub(super) const UNKNOWN: Cause = Cause {
    letter: '?',
    class: "unknown",
    phase: Phase::Unknown,
    meaning: "this failure is not known here",
    cure: "look at what the failing part does, and at the lines before its failure; the code says what it ran into",
    ..SYSPREP
};

/// All causes, in the order in which they are tried: the special ones before the general ones.
pub(super) fn all() -> impl Iterator<Item = &'static Cause> {
    let tables = sysprep::CAUSES.iter().chain(setup::CAUSES);
    let others = devices::CAUSES.iter().chain(cloudbase::CAUSES).chain(setupdiag::CAUSES);
    tables.chain([&EXTERNAL]).chain(others).chain(silence::causes())
}

impl Cause {
    /// Whether a line, in small letters, gives the cause away.
    pub(super) fn is_told_by(&self, line: &str) -> bool {
        let told = self
            .lines
            .iter()
            .any(|words| words.iter().all(|word| line.contains(word)));
        told && !self.not.iter().any(|word| line.contains(word))
    }

    /// The same for a line that nobody can tell is one of a log: only texts that are long enough to be quotes count.
    pub(super) fn is_quoted_by(&self, line: &str) -> bool {
        let long = |words: &&[&str]| words.iter().map(|word| word.len()).sum::<usize>() >= QUOTE;
        let told = |words: &[&str]| words.iter().all(|word| line.contains(word));
        self.lines.iter().copied().any(|words| long(&words) && told(words)) && self.is_told_by(line)
    }

    /// Whether a failing part, in small letters, is one of this cause's.
    pub(super) fn is_part(&self, part: &str) -> bool {
        self.parts.iter().any(|known| part.contains(known))
    }

    /// Whether a code alone can give it away.
    pub fn has_code(&self, code: u32) -> bool {
        self.codes.contains(&code)
    }

    /// The texts that give it away, for people.
    pub fn signs(&self) -> Vec<String> {
        let lines = self.lines.iter().map(|words| words.join(" … "));
        let parts = self.parts.iter().map(|part| format!("a failure in {part}"));
        let codes = self.codes.iter().map(|code| format!("the code 0x{code:08x}"));
        lines.chain(parts).chain(codes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_of_the_tables_has_signs() {
        for cause in sysprep::CAUSES.iter().chain(setup::CAUSES) {
            assert!(!cause.signs().is_empty(), "{}", cause.class);
        }
    }

    #[test]
    fn every_cause_is_complete_and_told_in_small_letters() {
        for cause in all() {
            assert!(
                !cause.class.is_empty() && !cause.meaning.is_empty() && !cause.cure.is_empty(),
                "{cause:?}"
            );
            for text in cause
                .lines
                .iter()
                .copied()
                .flatten()
                .chain(cause.parts)
                .chain(cause.not)
            {
                assert_eq!(*text, text.to_lowercase(), "{}", cause.class);
            }
            assert!(
                !cause.meaning.ends_with('.') && !cause.cure.ends_with('.'),
                "{}",
                cause.class
            );
        }
    }
}
