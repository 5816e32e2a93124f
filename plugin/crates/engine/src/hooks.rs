//! Ways to hurt the engine on purpose: used by tests and by `rehearse --chaos`.

/// A moment in a step's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Point {
    /// `StepStarted` is on disk, nothing was done.
    Started,
    /// It was done, its result is not on disk.
    Done,
    /// Its result is on disk.
    Recorded,
    /// `UndoStarted` is on disk, nothing was taken back.
    UndoStarted,
    /// It was taken back; that is not on disk.
    Undone,
}

/// What to do at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// Nothing.
    Pass,
    /// Fail as if the cloud had refused (before the call), or as if the answer was lost (after it).
    Fail,
    /// Do it once more.
    Repeat,
    /// Stop at once, as if the process had been killed. Nothing more is written.
    Die,
}

/// Decides at every point.
pub trait Hooks: Send + Sync {
    /// What happens at `point` of `step`.
    fn at(&self, point: Point, step: &str) -> Strike;
}

/// Lets everything pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {
    fn at(&self, _point: Point, _step: &str) -> Strike {
        Strike::Pass
    }
}

impl<F: Fn(Point, &str) -> Strike + Send + Sync> Hooks for F {
    fn at(&self, point: Point, step: &str) -> Strike {
        self(point, step)
    }
}
