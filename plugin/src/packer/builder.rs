//! The builder: a spec through the same pipeline as `reseal build`, with the template's provisioners in its middle.

use std::sync::Arc;

use async_trait::async_trait;
use reseal_packer::{Artifact, BoxError, Build, Builder, Configs, ObjectSpec, Prepared};

use super::kept::{self, Kept};
use super::order::{self, Order, SECTIONS, Unclear};
use super::run::Run;
use super::{Rim, generated};

/// `source "reseal" "x" { … }`
pub(super) struct Image {
    rim: Rim,
    kept: Kept,
}

impl Image {
    pub(super) fn new(rim: Rim) -> Self {
        Self {
            rim,
            kept: Kept::default(),
        }
    }

    /// Reads and checks; nothing is contacted.
    fn check(&self, configs: &Configs) -> Result<Vec<String>, Unclear> {
        let order = Order::read(configs, &SECTIONS)?;
        match kept::check(&order, configs, &self.rim) {
            Ok(warnings) => Ok(warnings),
            Err(Unclear::Wrong(errors)) => {
                // An empty line between complaints of many lines.
                let ended = errors.into_iter().map(|error| format!("{error}\n")).collect();
                Err(Unclear::Wrong(ended))
            }
            Err(unclear) => Err(unclear),
        }
    }
}

#[async_trait]
impl Builder for Image {
    fn config_spec(&self) -> ObjectSpec {
        order::options(&SECTIONS)
    }

    async fn prepare(&self, configs: Configs) -> Prepared {
        let (warnings, errors) = match self.check(&configs) {
            Ok(warnings) => {
                self.kept.keep(configs);
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
        let configs = self.kept.get()?;
        let run = Run {
            order: &Order::read(&configs, &SECTIONS)?,
            core: &configs.core,
            rim: &self.rim,
        };
        let made = run.to_the_end(build).await?;
        Ok(Some(Arc::new(made)))
    }
}

/// What cannot be checked yet.
const LATER: &str = "some values come from data sources that were not read; the spec is checked when they are \
                     (`packer validate -evaluate-datasources`, or `packer build`)";
