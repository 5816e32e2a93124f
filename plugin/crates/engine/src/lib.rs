//! Runs a list of reversible actions with a journal, and unwinds it.
//!
//! Knows nothing of Windows, clouds, YAML or Packer. A [`Plan`] is a list of [`Step`]s; each names an [`Action`] from a
//! [`Registry`]. [`Engine::run`] carries the plan out: intent on disk, then the call, then the result on disk. After a
//! crash a step is *not begun*, *finished* or *perhaps*; "perhaps" is answered by [`Action::find`].
//!
//! Start reading at [`action`], then [`run`], then [`unwind`].

pub mod action;
pub mod context;
pub mod hooks;
pub mod observer;
pub mod plan;
pub mod registry;
pub mod run;
pub mod scrub;
pub mod unwind;

pub use action::{Action, ActionError, FailureClass};
pub use context::{Context, Verdict};
pub use hooks::{Hooks, NoHooks, Point, Strike};
pub use observer::{Observer, Signal};
pub use plan::{Leaves, Origin, Plan, Policy, Step};
pub use registry::Registry;
pub use run::{Ended, Engine, Halt, OnError, Stop};
pub use scrub::Scrub;
