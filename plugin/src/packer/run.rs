//! One build that Packer runs: the same session as `reseal build`, watched and steered by Packer.

use std::sync::{Arc, Mutex};

use reseal_engine::hooks::NoHooks;
use reseal_engine::{Ended, Stop};
use reseal_journal::{BuildState, Journal, RunDir};
use reseal_machine::{BuildId, Clock, ImageId};
use reseal_packer::{BoxError, Build, CoreVariables, ImageMetadata};
use reseal_pipeline::world::Provisioners;
use reseal_spec::Spec;
use reseal_spec::model::Provider;
use tokio_util::sync::CancellationToken;

use super::Rim;
use super::artifact::Product;
use super::asker::Person;
use super::document::Opened;
use super::generated::BaseImage;
use super::order::Order;
use super::provisioning::Template;
use super::screen::Screen;
use super::veil::Veiled;
use crate::cli::{open, tell};
use crate::console::{Closing, Console};
use crate::lockfile;
use crate::rim::clock::SystemClock;
use crate::session::{self, Attendance, Direction, Others, Policy, Prepared, Setting, Wishes};
use crate::wiring;

/// What one build is made of.
pub(super) struct Run<'a> {
    /// What the template asks for.
    pub(super) order: &'a Order,
    /// What Packer says.
    pub(super) core: &'a CoreVariables,
    /// What all components share.
    pub(super) rim: &'a Rim,
}

/// Why no image was made; the screen has told the particulars.
type Failed = String;

impl Run<'_> {
    /// Builds the image, or takes everything back.
    pub(super) async fn to_the_end(&self, build: Build) -> Result<Product, BoxError> {
        let made = Screen::during(Arc::clone(&build.ui), |screen| self.build(build, screen)).await;
        made.map_err(|why| self.rim.scrubber.text(&why).into())
    }

    async fn build(&self, build: Build, screen: Arc<Screen>) -> Result<Product, Failed> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(self.rim.env.hurry()));
        let (id, facts) = session::new_build(clock.as_ref());
        let opened = Opened::read(self.order, &self.core.build_name, self.rim, facts)?;
        let spec = opened.chosen(self.order)?;
        let console = Console::on(Arc::<Screen>::clone(&screen), &self.rim.env, self.rim.scrubber.clone());
        let setting = self.setting(&console, &opened, spec, clock, &build.cancel).await?;
        let prepared = self.prepare(&console, &opened, spec, &setting).await?;
        let template = Template {
            hook: Arc::clone(&build.hook),
            ui: Arc::new(Veiled {
                ui: Arc::clone(&build.ui),
                scrubber: self.rim.scrubber.clone(),
            }),
            screen: Arc::clone(&screen),
            base: BaseImage {
                id: prepared.resolved.base_id.clone(),
                name: prepared.resolved.base_name.clone(),
            },
            folder: RunDir::new(&setting.runs, id.as_str()).path().display().to_string(),
            packer_run: self.rim.env.get("PACKER_RUN_UUID").unwrap_or_default(),
            visited: Mutex::default(),
        };
        let work = Work {
            run: self,
            console: &console,
            setting: &setting,
            opened: &opened,
            prepared: &prepared,
            template: Arc::new(template),
        };
        work.carry_out(&id, &build, screen).await
    }

    /// The cloud, and everything else that a build stands on; stops with Packer.
    pub(super) async fn setting(
        &self,
        console: &Console,
        opened: &Opened,
        spec: &Spec,
        clock: Arc<dyn Clock>,
        cancel: &CancellationToken,
    ) -> Result<Setting, Failed> {
        let scrubber = &self.rim.scrubber;
        let asked = wiring::cloud(&spec.cloud, &self.rim.env, Arc::clone(&clock), scrubber);
        let cloud = tokio::select! {
            asked = asked => asked,
            () = cancel.cancelled() => return Err(CANCELLED.to_owned()),
        };
        let cloud = cloud.map_err(|error| {
            tell::cloud(console, &error);
            error.to_string()
        })?;
        let stop = Stop::default();
        let (fired, told) = (cancel.clone(), stop.clone());
        tokio::spawn(async move {
            fired.cancelled().await;
            told.cancel.cancel();
        });
        Ok(Setting {
            stop,
            ..open::setting(clock, cloud, &self.order.runs, &opened.folder, scrubber)
        })
    }

    async fn prepare(
        &self,
        console: &Console,
        opened: &Opened,
        spec: &Spec,
        setting: &Setting,
    ) -> Result<Prepared, Failed> {
        let (env, scrubber) = (&self.rim.env, &self.rim.scrubber);
        let (force, locked) = (self.core.force, self.order.locked);
        let wishes = Wishes {
            provisioners: true,
            ..open::wishes(spec, env, &setting.clock, scrubber, force, locked)
        };
        let prepared = tokio::select! {
            prepared = session::prepare_with(&opened.document, spec, setting, &wishes) => prepared,
            () = setting.stop.cancel.cancelled() => return Err(CANCELLED.to_owned()),
        };
        match prepared {
            Ok(prepared) => {
                tell::problems(console, &opened.document, &prepared.planned.problems);
                for line in prepared.differences.iter().flatten() {
                    console.say(&format!("other than the lock: {line}"));
                }
                Ok(prepared)
            }
            Err(why) => {
                tell::unplanned(console, &opened.document, &why);
                Err("the build cannot be planned".to_owned())
            }
        }
    }
}

/// A planned build in work.
struct Work<'a> {
    run: &'a Run<'a>,
    console: &'a Console,
    setting: &'a Setting,
    opened: &'a Opened,
    prepared: &'a Prepared,
    template: Arc<Template>,
}

impl Work<'_> {
    async fn carry_out(&self, id: &BuildId, build: &Build, screen: Arc<Screen>) -> Result<Product, Failed> {
        let setting = self.setting;
        let opened = session::begin(setting, &self.opened.document.path, self.prepared, id)
            .map_err(|error| format!("cannot begin: {error} (`runs` keeps runs elsewhere)"))?;
        let plan = &self.prepared.planned.plan;
        let watcher = self.console.watch(plan, &setting.runs, id);
        let person = Person {
            core: self.run.core,
            ui: Arc::clone(&build.ui),
            screen,
            template: &self.template,
            stop: setting.stop.clone(),
        };
        let attendance = Attendance {
            observer: &watcher,
            hooks: &NoHooks,
            on_error: Policy::Ask(&person),
        };
        let template: Arc<dyn Provisioners> = Arc::<Template>::clone(&self.template);
        let others = Others {
            provisioners: Some(template),
            guest: None,
        };
        let carried = session::carry_on_among(setting, opened, Direction::Forward, attendance, others);
        let ended = Box::pin(carried)
            .await
            .map_err(|error| format!("the journal cannot be written: {error}"))?;
        self.console.ended(&Closing {
            build: id,
            runs: &setting.runs,
            plan,
            ended: &ended,
            watcher: &watcher,
            rehearsed: false,
            manifest: None,
        });
        self.outcome(id, &ended)
    }

    fn outcome(&self, id: &BuildId, ended: &Ended) -> Result<Product, Failed> {
        match ended {
            Ended::Succeeded { .. } => {
                self.lock();
                self.product(id)
            }
            Ended::Failed { failure, .. } | Ended::Held { failure, .. } if failure.class == "cancelled" => {
                Err(CANCELLED.to_owned())
            }
            Ended::Failed { step, failure, .. } | Ended::Held { step, failure } => {
                let plan = &self.prepared.planned.plan;
                let title = plan.step(step).map_or(step.as_str(), |step| step.title.as_str());
                Err(format!("{title}: {}", failure.message))
            }
            Ended::CleanedUp { .. } => Err(CANCELLED.to_owned()),
            Ended::Died => Err("the build was killed".to_owned()),
        }
    }

    /// What was built is what the next build is compared with. Sections in a template have no file to stand beside.
    fn lock(&self) {
        if self.run.order.spec.is_none() {
            return;
        }
        let path = &self.opened.document.path;
        if let Err(error) = lockfile::write(path, &self.prepared.spec.name, &self.prepared.resolved) {
            self.console
                .warn(&format!("cannot write `{}`: {error}", lockfile::path(path).display()));
        }
    }

    fn product(&self, id: &BuildId) -> Result<Product, Failed> {
        let run = RunDir::new(&self.setting.runs, id.as_str());
        let (_, state) = Journal::read(&run).map_err(|error| format!("the journal cannot be read: {error}"))?;
        let (image, name) = self.published(&state).ok_or("the journal names no image")?;
        let (spec, base) = (&self.prepared.spec, &self.template.base);
        let metadata = ImageMetadata {
            image_id: image.to_string(),
            provider: provider(spec.cloud.provider).to_owned(),
            region: spec.cloud.region.clone().unwrap_or_default(),
            labels: vec![
                ("name".to_owned(), name.clone()),
                ("spec".to_owned(), spec.name.clone()),
                ("fingerprint".to_owned(), self.prepared.planned.plan.content.clone()),
                ("base_image".to_owned(), base.name.clone()),
            ],
            source_image_id: base.id.clone(),
        };
        Ok(Product {
            cloud: Arc::clone(&self.setting.cloud),
            image,
            name,
            build: id.to_string(),
            data: self.template.data().unwrap_or_default(),
            metadata,
        })
    }

    fn published(&self, state: &BuildState) -> Option<(ImageId, String)> {
        let commit = self.prepared.planned.plan.steps.iter().find(|step| step.commits)?;
        let output = state.output(&commit.id)?;
        let text = |key: &str| Some(output.get(key)?.as_str()?.to_owned());
        Some((ImageId::new(text("image")?), text("name")?))
    }
}

fn provider(provider: Provider) -> &'static str {
    match provider {
        Provider::Nhn => "nhncloud",
        Provider::Openstack | Provider::Lab => "openstack",
    }
}

/// The words of Packer's own builders.
const CANCELLED: &str = "Build was cancelled.";
