//! Reads the logs of sysprep and of a clone's first boot: which of the known causes is it, which lines say so, and what
//! is not known.
//!
//! It takes logs as people have them: whole files, logs of errors alone, excerpts from a forum. A log with several runs
//! is judged by the last. What good runs write too is no sign of failure, and a failure that is not in the tables is
//! called unknown, with the part that failed and what its code means.
//!
//! [`examine`] is the door; the causes are in `rules`, the codes in [`crate::codes`].

mod clean;
mod cloudbase;
mod devices;
mod entry;
mod judge;
mod noise;
mod number;
mod part;
mod rules;
mod runs;
mod setup;
mod setupdiag;

pub use entry::{Entry, Level, entries};
pub use part::Part;
pub use rules::Cause;

use rules::Strength;

/// Whether the machine is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Sysprep only looked; nothing has changed, and it may run again after the cure.
    Validation,
    /// Sysprep had begun to change the system; it cannot be repaired.
    Execution,
    /// It happened on the clone, at its first boot.
    FirstBoot,
    /// The log does not say.
    Unknown,
}

/// A log and how it is called.
#[derive(Debug, Clone, Copy)]
pub struct Log<'a> {
    /// Its path or name, as evidence will say it.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// A line that made it conclude.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The log.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// The message.
    pub text: String,
}

impl Evidence {
    fn of(entry: &Entry, file: &str) -> Self {
        Self {
            file: file.to_owned(),
            line: entry.line,
            text: entry.text.clone(),
        }
    }
}

/// The rank of what ended well.
const SEALED: u8 = 4;
/// The rank of what only servicing says.
const SERVICING: u8 = 5;

/// What one run, or one log of a first boot, says.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The cause.
    pub cause: &'static Cause,
    /// The code that it ended with.
    pub code: Option<u32>,
    /// Whether the machine is still good.
    pub phase: Phase,
    /// The part that failed, where one is named.
    pub part: Option<Part>,
    /// The thing that the reason names: a package, a setting, a DLL.
    pub subject: Option<String>,
    /// The lines that say so.
    pub evidence: Vec<Evidence>,
    /// Its time, where the log says it.
    pub when: Option<String>,
}

impl Finding {
    /// Whether nothing failed.
    pub fn is_good(&self) -> bool {
        self.cause.letter == '-'
    }

    /// Whether the cause is known.
    pub fn is_known(&self) -> bool {
        self.cause.letter != '?'
    }

    /// The smaller, the more there is to say. What servicing once ran into comes behind a sysprep that ended well, and that
    /// a log beside the point is good says nothing about the others.
    fn rank(&self) -> u8 {
        match (self.cause.letter, self.cause.strength) {
            _ if self.cause.class == "incomplete" => 6,
            _ if self.cause.class == "no_failure" => 7,
            ('-', Strength::Aside | Strength::Consequence) => 7,
            ('-', _) => SEALED,
            ('?', _) => 2,
            (_, Strength::Code) => SERVICING,
            (_, Strength::Aside) => 3,
            (_, Strength::Consequence) => 1,
            _ => 0,
        }
    }
}

/// What all logs together say.
#[derive(Debug, Clone)]
pub struct Report {
    /// The answer.
    pub verdict: Finding,
    /// What else was found: other logs, things that stopped nothing.
    pub also: Vec<Finding>,
    /// Earlier runs that failed.
    pub earlier: Vec<Finding>,
    /// What the logs do not tell.
    pub not_known: Vec<String>,
}

/// Reads logs together. Nothing where none of them is a log of sysprep, setup or servicing.
pub fn examine(logs: &[Log<'_>]) -> Option<Report> {
    let mut found: Vec<Finding> = Vec::new();
    let mut report = Gathered::default();
    for log in logs {
        let all = entries(log.text);
        let all: Vec<&Entry> = all.iter().collect();
        let mut runs: Vec<Finding> = runs::runs(&all)
            .iter()
            .filter_map(|run| judge::run(run, log.name))
            .collect();
        let last = runs.pop();
        report
            .earlier
            .extend(runs.into_iter().filter(|run| !run.is_good() && run.is_known()));
        let setup = setup::judge(&all, log.name);
        report.also.extend(setup.asides);
        let tools = setupdiag::judge(log)
            .or_else(|| devices::judge(log))
            .or_else(|| cloudbase::judge(log));
        let (aside, main) = match tools.or(setup.main) {
            Some(tool) if !tool.is_good() && tool.cause.strength == Strength::Aside => (Some(tool), None),
            other => (None, other),
        };
        report.also.extend(aside);
        found.extend(last.into_iter().chain(main));
    }
    report.answer(found)
}

#[derive(Default)]
struct Gathered {
    also: Vec<Finding>,
    earlier: Vec<Finding>,
}

impl Gathered {
    /// The gravest finding is the answer, the latest among equals; a log of errors yields to its folder's whole log.
    fn answer(mut self, mut found: Vec<Finding>) -> Option<Report> {
        prefer_whole_logs(&mut found);
        found.sort_by(|a, b| a.rank().cmp(&b.rank()).then_with(|| b.when.cmp(&a.when)));
        if found.iter().all(|one| one.rank() > SERVICING) && !self.also.is_empty() {
            found.insert(0, self.also.remove(0));
        }
        let mut found = found.into_iter();
        let verdict = found.next()?;
        self.also.extend(found.filter(|one| adds(one, &verdict)));
        self.earlier
            .retain(|one| one.when.is_some() || one.cause.class != verdict.cause.class);
        let not_known = not_known(&verdict, &self.earlier);
        Some(Report {
            verdict,
            also: self.also,
            earlier: self.earlier,
            not_known,
        })
    }
}

/// Whether a finding is worth a line beside the answer: what nobody understands, or what only follows, is not beside a
/// cause of the same log.
fn adds(one: &Finding, verdict: &Finding) -> bool {
    let file = |one: &Finding| one.evidence.first().map(|line| line.file.clone());
    let follows = !one.is_known() || one.cause.strength == Strength::Consequence;
    let explained = verdict.is_known() && follows && file(one) == file(verdict);
    let telling = one.rank() < SEALED || one.rank() == SERVICING;
    telling && one.cause.class != verdict.cause.class && !explained
}

/// `setuperr.log` repeats what `setupact.log` beside it says, without the runs that went well.
fn prefer_whole_logs(found: &mut Vec<Finding>) {
    let place = |one: &Finding| one.evidence.first().map(|line| line.file.to_lowercase());
    let whole: Vec<String> = found
        .iter()
        .filter_map(place)
        .filter_map(|file| file.strip_suffix("setupact.log").map(str::to_owned))
        .collect();
    found.retain(|one| {
        let folder = place(one).and_then(|file| file.strip_suffix("setuperr.log").map(str::to_owned));
        folder.is_none_or(|folder| !whole.contains(&folder))
    });
}

fn not_known(verdict: &Finding, earlier: &[Finding]) -> Vec<String> {
    let mut gaps = Vec::new();
    if !verdict.is_known() {
        gaps.push("the cause: no rule fits these lines".to_owned());
    }
    if let Some(code) = verdict.code.filter(|code| crate::codes::find(*code).is_none()) {
        gaps.push(format!("what 0x{code:08x} means"));
    }
    if let Some(code) = only_by_code(verdict) {
        gaps.push(format!(
            "the reason in words: that it is {} only the code 0x{code:08x} says",
            verdict.cause.class
        ));
    }
    if verdict.cause.class == "earlier_failure" && earlier.is_empty() {
        gaps.push("why the earlier run failed: its lines are not in these logs".to_owned());
    }
    if verdict.cause.class == "success" && verdict.cause.meaning.contains("no failure is recorded") {
        gaps.push("whether sysprep succeeded: only setupact.log has the proof".to_owned());
    }
    if verdict.phase == Phase::Unknown && !verdict.is_good() {
        gaps.push("whether the machine is still good".to_owned());
    }
    gaps
}

/// The code that alone gave a cause away which other lines would have told.
fn only_by_code(verdict: &Finding) -> Option<u32> {
    let cause = verdict.cause;
    let told = |line: &Evidence| cause.is_told_by(&line.text.to_lowercase());
    let has_words = cause.scope == rules::Scope::Sysprep && cause.strength != Strength::Part && !cause.lines.is_empty();
    let code_alone = has_words && !verdict.evidence.iter().any(told);
    verdict.code.filter(|code| code_alone && cause.has_code(*code))
}

/// All causes that have a name, for looking them up.
pub fn causes() -> impl Iterator<Item = &'static Cause> {
    rules::all()
}
