//! For whom we write: chosen by arguments, environment and terminal.

use indicatif::ProgressDrawTarget;

use super::ci::Ci;
use crate::cli::{Colour, Look};
use crate::rim::env::Env;

/// For whom we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// A person at a terminal.
    Live,
    /// A log.
    Plain(Ci),
    /// A program that reads JSON Lines.
    Json,
    /// A program that reads Packer's lines.
    Machine,
    /// Packer itself, which runs us and shows what we say.
    Packer,
}

impl Face {
    pub(super) fn of(look: &Look, env: &Env, terminal: bool) -> Self {
        let ci = Ci::of(env);
        let dumb = env.get("TERM").is_some_and(|term| term == "dumb");
        if look.json {
            Self::Json
        } else if look.machine_readable {
            Self::Machine
        } else if ci == Ci::None && env.get("CI").is_none() && !dumb && terminal {
            Self::Live
        } else {
            Self::Plain(ci)
        }
    }

    pub(super) fn has_colour(self, look: &Look, env: &Env) -> bool {
        match (self, look.color) {
            (Self::Json | Self::Machine | Self::Packer, _) | (_, Colour::Never) | (Self::Plain(_), Colour::Auto) => {
                false
            }
            (_, Colour::Always) => true,
            (Self::Live, Colour::Auto) => env.get("NO_COLOR").is_none(),
        }
    }

    pub(super) fn draw_target(self) -> ProgressDrawTarget {
        if self == Self::Live {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        }
    }
}

/// Whether the terminal shows more than ASCII.
pub(super) fn unicode(env: &Env) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env.get(name));
    let utf8 = |locale: String| {
        let locale = locale.to_uppercase();
        locale.contains("UTF-8") || locale.contains("UTF8")
    };
    cfg!(windows) || locale.is_some_and(utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str, value: &str) -> Env {
        Env::of([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn the_face_follows_the_surroundings() {
        let look = Look::default();
        let check = |env: &Env, terminal: bool, expect: Face| assert_eq!(Face::of(&look, env, terminal), expect);
        check(&Env::default(), true, Face::Live);
        check(&Env::default(), false, Face::Plain(Ci::None));
        check(&env("CI", "1"), true, Face::Plain(Ci::None));
        check(&env("TERM", "dumb"), true, Face::Plain(Ci::None));
        check(&env("GITHUB_ACTIONS", "true"), false, Face::Plain(Ci::GitHub));
        check(&env("GITLAB_CI", "true"), true, Face::Plain(Ci::GitLab));
    }

    #[test]
    fn colour_can_be_asked_for_and_refused() {
        let with = |color| Look {
            color,
            ..Look::default()
        };
        assert!(Face::Live.has_colour(&with(Colour::Auto), &Env::default()));
        assert!(!Face::Live.has_colour(&with(Colour::Auto), &env("NO_COLOR", "1")));
        assert!(!Face::Live.has_colour(&with(Colour::Never), &Env::default()));
        assert!(Face::Plain(Ci::None).has_colour(&with(Colour::Always), &Env::default()));
        assert!(!Face::Json.has_colour(&with(Colour::Always), &Env::default()));
    }
}
