//! The post-processor: boots an image, whoever made it, and checks it.
//!
//! The steps are those that prove an image in a build, in the same engine and with a journal of their own: what a killed proof
//! leaves, `reseal cleanup` removes.

use std::sync::Arc;

use async_trait::async_trait;
use reseal_engine::hooks::NoHooks;
use reseal_machine::cloud::Observed;
use reseal_machine::{Clock, ImageId};
use reseal_packer::{BoxError, Configs, GENERATED_DATA, GeneratedData, ObjectSpec, PostProcessor, Process, Processed};
use reseal_pipeline::lock::Resolved;
use reseal_pipeline::plan::{self, Choices, Planned};
use reseal_spec::Spec;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::Rim;
use super::document::Opened;
use super::kept::{self, Kept};
use super::order::{self, Order, Unclear};
use super::run::Run;
use super::screen::Screen;
use super::visit::verdict;
use crate::cli::{open, tell};
use crate::console::{Closing, Console};
use crate::rim::clock::SystemClock;
use crate::session::{self, Attendance, Direction, Policy, Prepared, Setting};

/// The sections that say where to boot and what to check.
const SECTIONS: [&str; 6] = ["cloud", "base", "connect", "unattend", "cloudbase_init", "verify"];

/// `post-processor "reseal-verify" { … }`
pub(super) struct Verify {
    rim: Rim,
    kept: Kept,
}

impl Verify {
    pub(super) fn new(rim: Rim) -> Self {
        Self {
            rim,
            kept: Kept::default(),
        }
    }

    fn check(&self, configs: &Configs) -> Result<Order, Unclear> {
        let order = order(&configs.options)?;
        kept::check(&order, configs, &self.rim).map(|_| order)
    }
}

#[async_trait]
impl PostProcessor for Verify {
    fn config_spec(&self) -> ObjectSpec {
        order::options(&SECTIONS)
    }

    async fn configure(&self, configs: Configs) -> Result<(), BoxError> {
        self.kept.unless_wrong(self.check(&configs), configs, &self.rim)
    }

    async fn process(&self, job: Process) -> Result<Processed, BoxError> {
        let configs = self.kept.get()?;
        let id = job.artifact.id().await;
        let data = GeneratedData::read(&job.artifact.state(GENERATED_DATA).await);
        data.secrets().for_each(|secret| self.rim.scrubber.learn(&secret));
        let run = Run {
            order: &order(&configs.filled(&data))?,
            core: &configs.core,
            rim: &self.rim,
        };
        let ui = Arc::clone(&job.ui);
        let proved = Screen::during(ui, |screen| Box::pin(prove(&run, &id, screen, &job.cancel))).await;
        match proved {
            Ok(()) => Ok(Processed::kept(job.artifact)),
            Err(why) => Err(self.rim.scrubber.text(&why).into()),
        }
    }
}

fn order(options: &Map<String, Value>) -> Result<Order, Unclear> {
    let order = Order::written(options, &SECTIONS)?;
    Ok(order.for_any_cloud().that_boots())
}

/// Boots the image of an artifact and checks it; everything that was made for that goes again.
async fn prove(run: &Run<'_>, artifact: &str, screen: Arc<Screen>, cancel: &CancellationToken) -> Result<(), String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(run.rim.env.hurry()));
    let (id, facts) = session::new_build(clock.as_ref());
    let opened = Opened::read(run.order, &run.core.build_name, run.rim, facts)?;
    let spec = opened.chosen(run.order)?;
    let console = Console::on(screen, &run.rim.env, run.rim.scrubber.clone());
    let setting = run.setting(&console, &opened, spec, clock, cancel).await?;
    let image = image(&setting, artifact).await?;
    let prepared = prepare(run, &console, &opened, spec, &setting, &image).await?;
    let begun = session::begin(&setting, &opened.document.path, &prepared, &id)
        .map_err(|error| format!("cannot begin: {error} (`runs` keeps runs elsewhere)"))?;
    let plan = &prepared.planned.plan;
    let watcher = console.watch(plan, &setting.runs, &id);
    let attendance = Attendance {
        observer: &watcher,
        hooks: &NoHooks,
        on_error: Policy::Cleanup,
    };
    let ended = session::carry_on(&setting, begun, Direction::Forward, attendance)
        .await
        .map_err(|error| format!("the journal cannot be written: {error}"))?;
    console.ended(&Closing {
        build: &id,
        runs: &setting.runs,
        plan,
        ended: &ended,
        watcher: &watcher,
        rehearsed: false,
        manifest: None,
    });
    verdict(&ended, &prepared)
}

/// The image that an artifact is: its id, also with a region before it.
async fn image(setting: &Setting, artifact: &str) -> Result<ImageId, String> {
    let id = ImageId::new(artifact.rsplit(':').next().unwrap_or(artifact));
    match setting.cloud.image(&id).await {
        Ok(Observed::Present(_)) => Ok(id),
        Ok(Observed::Gone) => Err(format!("the artifact `{artifact}` is no image of this cloud")),
        Err(error) => Err(error.to_string()),
    }
}

async fn prepare(
    run: &Run<'_>,
    console: &Console,
    opened: &Opened,
    spec: &Spec,
    setting: &Setting,
    image: &ImageId,
) -> Result<Prepared, String> {
    let facts = match session::gather(spec, setting).await {
        Ok(facts) => facts,
        Err(why) => {
            tell::unplanned(console, &opened.document, &why);
            return Err("the proof cannot be planned".to_owned());
        }
    };
    let wishes = open::wishes(spec, &run.rim.env, &setting.clock, &run.rim.scrubber, false, false);
    let choices = Choices {
        runner: vec![wishes.runner.unwrap_or_else(|| "0.0.0.0/0".to_owned())],
        ..Choices::default()
    };
    let plan = plan::proof(spec, &facts, &choices, image).map_err(|problems| {
        tell::problems(console, &opened.document, &problems);
        "the proof cannot be planned".to_owned()
    })?;
    Ok(Prepared {
        planned: Planned {
            plan,
            problems: vec![],
            restarts: 0,
            unchanged: None,
        },
        spec: spec.clone(),
        resolved: Resolved::default(),
        differences: None,
    })
}
