//! The provisioners: a part of a spec in a machine of any other builder, through that builder's own connection.
//!
//! The same actions as in a build of ours, in the same engine. Its journal is in a folder for temporary files, because nobody
//! goes on with it: the machine belongs to somebody else.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use reseal_engine::hooks::NoHooks;
use reseal_engine::{Ended, Observer, Signal, Stop};
use reseal_journal::{Entry, Event};
use reseal_machine::{BuildId, Clock, Communicator as Machine};
use reseal_packer::{BoxError, Configs, CoreVariables, ObjectSpec, Provision, Provisioner, Visitor};
use reseal_pipeline::facts::{self, LocalFacts};
use reseal_pipeline::lock::Resolved;
use reseal_pipeline::plan::{self, Part, Planned};
use reseal_spec::Spec;
use serde_json::{Map, Value};

use super::Rim;
use super::document::Opened;
use super::kept::{self, Kept};
use super::nowhere::Nowhere;
use super::order::{Order, Unclear};
use super::screen::Screen;
use crate::console::Console;
use crate::rim::clock::SystemClock;
use crate::session::{self, Attendance, Direction, Others, Policy, Prepared, Setting};

/// The sections that each provisioner takes.
const SOFTWARE: [&str; 2] = ["files", "software"];
const GENERALIZE: [&str; 3] = ["unattend", "cloudbase_init", "generalize"];

/// `provisioner "reseal-software" { … }` and `provisioner "reseal-generalize" { … }`
pub(super) struct Visiting {
    part: Part,
    rim: Rim,
    kept: Kept,
}

impl Visiting {
    pub(super) fn new(part: Part, rim: Rim) -> Self {
        Self {
            part,
            rim,
            kept: Kept::default(),
        }
    }

    fn sections(&self) -> &'static [&'static str] {
        match self.part {
            Part::Software => &SOFTWARE,
            Part::Generalize => &GENERALIZE,
        }
    }

    fn order(&self, options: &Map<String, Value>) -> Result<Order, Unclear> {
        Order::written(options, self.sections()).map(Order::for_any_cloud)
    }

    fn check(&self, configs: &Configs) -> Result<Order, Unclear> {
        let order = self.order(&configs.options)?;
        kept::check(&order, configs, &self.rim).map(|_| order)
    }
}

#[async_trait]
impl Provisioner for Visiting {
    fn config_spec(&self) -> ObjectSpec {
        super::order::options(self.sections())
    }

    async fn prepare(&self, configs: Configs) -> Result<(), BoxError> {
        self.kept.unless_wrong(self.check(&configs), configs, &self.rim)
    }

    async fn provision(&self, job: Provision) -> Result<(), BoxError> {
        let configs = self.kept.get()?;
        job.data.secrets().for_each(|secret| self.rim.scrubber.learn(&secret));
        let visit = Visit {
            part: self.part,
            order: &self.order(&configs.filled(&job.data))?,
            core: &configs.core,
            rim: &self.rim,
        };
        let ui = Arc::clone(&job.ui);
        let done = Screen::during(ui, |screen| Box::pin(visit.go(job, screen))).await;
        done.map_err(|why| self.rim.scrubber.text(&why).into())
    }
}

/// One visit.
struct Visit<'a> {
    part: Part,
    order: &'a Order,
    core: &'a CoreVariables,
    rim: &'a Rim,
}

impl Visit<'_> {
    async fn go(&self, job: Provision, screen: Arc<Screen>) -> Result<(), String> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(self.rim.env.hurry()));
        let (id, facts) = session::new_build(clock.as_ref());
        let opened = Opened::read(self.order, &self.core.build_name, self.rim, facts)?;
        let spec = opened.chosen(self.order)?;
        let prepared = self.prepared(&opened, spec)?;
        let console = Console::on(Arc::<Screen>::clone(&screen), &self.rim.env, self.rim.scrubber.clone());
        let journal = Temporary::new(&id);
        let setting = Setting {
            clock,
            cloud: Arc::new(Nowhere),
            runs: journal.0.clone(),
            folder: opened.folder.clone(),
            scrubber: self.rim.scrubber.clone(),
            stop: Stop::default(),
        };
        let (fired, told) = (job.cancel.clone(), setting.stop.clone());
        tokio::spawn(async move {
            fired.cancelled().await;
            told.cancel.cancel();
        });
        let visitor = Arc::new(Visitor::new(job.communicator, folder(&id)));
        let ended = self
            .carry_out(&console, &setting, &opened, &prepared, &id, &visitor)
            .await;
        visitor.leave().await;
        verdict(&ended?, &prepared)
    }

    fn prepared(&self, opened: &Opened, spec: &Spec) -> Result<Prepared, String> {
        let mut local = LocalFacts::new();
        for path in facts::local_paths(spec) {
            let fact = opened.folder.measure(&path);
            local.insert(
                path.clone(),
                fact.map_err(|error| format!("cannot read `{path}`: {error}"))?,
            );
        }
        Ok(Prepared {
            planned: Planned {
                plan: plan::visit(spec, &local, self.part),
                problems: vec![],
                restarts: 0,
                unchanged: None,
            },
            spec: spec.clone(),
            resolved: Resolved::default(),
            differences: None,
        })
    }

    async fn carry_out(
        &self,
        console: &Console,
        setting: &Setting,
        opened: &Opened,
        prepared: &Prepared,
        id: &BuildId,
        visitor: &Arc<Visitor>,
    ) -> Result<Ended, String> {
        let begun = session::begin(setting, &opened.document.path, prepared, id)
            .map_err(|error| format!("cannot begin: {error}"))?;
        let watcher = console.watch(&prepared.planned.plan, &setting.runs, id);
        let guest_only = GuestOnly(&watcher);
        let attendance = Attendance {
            observer: &guest_only,
            hooks: &NoHooks,
            on_error: Policy::Cleanup,
        };
        let guest: Arc<dyn Machine> = Arc::<Visitor>::clone(visitor);
        let others = Others {
            provisioners: None,
            guest: Some(guest),
        };
        session::carry_on_among(setting, begun, Direction::Forward, attendance, others)
            .await
            .map_err(|error| format!("the journal cannot be written: {error}"))
    }
}

/// Passes on what happens in the guest: there is no image and nothing to take back, so nothing is said of that.
struct GuestOnly<'a>(&'a dyn Observer);

impl Observer for GuestOnly<'_> {
    fn event(&self, entry: &Entry) {
        let about_builds = matches!(
            entry.event,
            Event::BuildStarted { .. } | Event::UnwindStarted { .. } | Event::BuildClosed { .. }
        );
        if !about_builds {
            self.0.event(entry);
        }
    }

    fn signal(&self, signal: &Signal) {
        self.0.signal(signal);
    }
}

/// Nobody else's folder in the guest.
fn folder(id: &BuildId) -> String {
    let id: String = id.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    format!("C:\\Windows\\Temp\\reseal-visit-{id}")
}

/// How it ended, with everything that a person can do about it.
pub(super) fn verdict(ended: &Ended, prepared: &Prepared) -> Result<(), String> {
    match ended {
        Ended::Succeeded { .. } => Ok(()),
        Ended::Failed { step, failure, .. } | Ended::Held { step, failure } => {
            let step = prepared.planned.plan.step(step);
            let title = step.map_or("a step", |step| step.title.as_str());
            let mut lines = vec![format!("{title}: {}", failure.message)];
            lines.extend(
                step.and_then(|step| step.origin.as_ref())
                    .map(|origin| format!(" --> {origin}")),
            );
            lines.extend(failure.said.iter().map(|line| format!("  | {line}")));
            lines.extend(failure.hints.iter().map(|hint| format!("hint: {hint}")));
            Err(lines.join("\n"))
        }
        Ended::CleanedUp { .. } => Err("cancelled".to_owned()),
        Ended::Died => Err("killed".to_owned()),
    }
}

/// A folder for a journal that nobody needs afterwards.
struct Temporary(PathBuf);

impl Temporary {
    fn new(id: &BuildId) -> Self {
        Self(crate::rim::spool::temporary(&format!("reseal-visit-{id}")))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is the system's to remove.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
