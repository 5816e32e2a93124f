//! The builder: a spec through the same pipeline as `reseal build`, with the template's provisioners in its middle.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use reseal_packer::{Artifact, BoxError, Build, Builder, Configs, CoreVariables, ObjectSpec, Prepared};

use super::document::Opened;
use super::order::{self, Order, SECTIONS, Unclear};
use super::run::Run;
use super::{Rim, generated};
use crate::cli::open;

/// `source "reseal" "x" { … }`
pub(super) struct Image {
    rim: Rim,
    kept: Mutex<Option<(Order, CoreVariables)>>,
}

impl Image {
    pub(super) fn new(rim: Rim) -> Self {
        Self {
            rim,
            kept: Mutex::default(),
        }
    }

    /// Reads and checks; nothing is contacted.
    fn check(&self, configs: &Configs) -> Result<(Order, Vec<String>), Unclear> {
        let order = Order::read(configs, &SECTIONS)?;
        let opened = Opened::read(&order, &configs.core.build_name, &self.rim, open::build_facts());
        let opened = opened.map_err(|why| Unclear::Wrong(vec![why]))?;
        let (errors, warnings) = opened.complaints();
        if !errors.is_empty() {
            // An empty line between complaints of many lines.
            let ended = errors.into_iter().map(|error| format!("{error}\n")).collect();
            return Err(Unclear::Wrong(ended));
        }
        opened.chosen(&order).map_err(|why| Unclear::Wrong(vec![why]))?;
        Ok((order, warnings))
    }
}

#[async_trait]
impl Builder for Image {
    fn config_spec(&self) -> ObjectSpec {
        order::options(&SECTIONS)
    }

    async fn prepare(&self, configs: Configs) -> Prepared {
        let (warnings, errors) = match self.check(&configs) {
            Ok((order, warnings)) => {
                *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((order, configs.core));
                (warnings, vec![])
            }
            Err(Unclear::Unknown) => (vec![LATER.to_owned()], vec![]),
            Err(Unclear::Wrong(errors)) => (vec![], errors),
        };
        let clean = |texts: Vec<String>| texts.iter().map(|text| self.rim.scrubber.text(text)).collect();
        Prepared {
            generated_vars: generated::NAMES.map(str::to_owned).to_vec(),
            warnings: clean(warnings),
            errors: clean(errors),
        }
    }

    async fn run(&self, build: Build) -> Result<Option<Arc<dyn Artifact>>, BoxError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (order, core) = kept.ok_or("the source was not prepared")?;
        let run = Run {
            order: &order,
            core: &core,
            rim: &self.rim,
        };
        let made = run.to_the_end(build).await?;
        Ok(Some(Arc::new(made)))
    }
}

/// What cannot be checked yet.
const LATER: &str = "some values come from data sources that were not read; the spec is checked when they are \
                     (`packer validate -evaluate-datasources`, or `packer build`)";
