//! What a build leaves in an image: facts before capture, and what they mean.

mod facts;
mod judge;
mod rules;

pub use self::facts::{Agent, AnswerFileLeft, Certificate, Facts, Listener, Sum, Undo, UserFiles, WinRmPolicy};
pub use self::judge::{Options, judge};
pub use self::rules::RULES;
