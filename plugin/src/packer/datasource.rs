//! The data source: the image that a build would start from.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use reseal_machine::Clock;
use reseal_machine::cloud::Image;
use reseal_packer::{BoxError, Configs, Datasource, ObjectSpec, Type};
use reseal_pipeline::facts;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Rim;
use super::document::Opened;
use super::order::{self, Order, Unclear};
use crate::cli::open;
use crate::rim::clock::SystemClock;
use crate::wiring;

/// The sections that say which image of which cloud; what else a spec needs does not matter here.
const SECTIONS: [&str; 2] = ["cloud", "base"];
/// A data source has no name of its own.
const NAME: &str = "image";

/// `data "reseal-image" "x" { … }`
pub(super) struct BaseImage {
    rim: Rim,
    kept: Mutex<Option<Order>>,
}

impl BaseImage {
    pub(super) fn new(rim: Rim) -> Self {
        Self {
            rim,
            kept: Mutex::default(),
        }
    }

    fn open(&self, order: &Order) -> Result<Opened, String> {
        let opened = Opened::read(order, NAME, &self.rim, open::build_facts())?;
        let (errors, _) = opened.complaints();
        if errors.is_empty() {
            opened.chosen(order)?;
            Ok(opened)
        } else {
            Err(errors.join("\n\n"))
        }
    }

    async fn find(&self, order: &Order) -> Result<Image, String> {
        let opened = self.open(order)?;
        let spec = opened.chosen(order)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(self.rim.env.hurry()));
        let cloud = wiring::cloud(&spec.cloud, &self.rim.env, clock, &self.rim.scrubber).await;
        let cloud = cloud.map_err(|error| error.to_string())?;
        let found = facts::base_image(cloud.as_ref(), &spec.base.image).await;
        found
            .map_err(|error| error.to_string())?
            .map_err(|problem| format!("{}{}", problem.message, helps(&problem.help)))
    }

    fn clean(&self, why: &str) -> BoxError {
        self.rim.scrubber.text(why).into()
    }
}

#[async_trait]
impl Datasource for BaseImage {
    fn config_spec(&self) -> ObjectSpec {
        order::options(&SECTIONS)
    }

    fn output_spec(&self) -> ObjectSpec {
        ObjectSpec::new()
            .optional("id", Type::String)
            .optional("name", Type::String)
            .optional("created_at", Type::String)
            .optional("visibility", Type::String)
            .optional("min_disk_gb", Type::Number)
            .optional("min_ram_mb", Type::Number)
            .optional("size", Type::Number)
            .optional("tags", Type::list(Type::String))
            .optional("properties", Type::map(Type::String))
    }

    async fn configure(&self, configs: Configs) -> Result<(), BoxError> {
        let order = match Order::read(&configs, &SECTIONS) {
            Ok(order) => order.for_any_cloud(),
            Err(Unclear::Unknown) => return Ok(()),
            Err(Unclear::Wrong(errors)) => return Err(self.clean(&errors.join("\n"))),
        };
        self.open(&order).map_err(|why| self.clean(&why))?;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(order);
        Ok(())
    }

    async fn execute(&self, cancel: CancellationToken) -> Result<Value, BoxError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let order = kept.ok_or("the data source was not configured")?;
        let found = tokio::select! {
            found = self.find(&order) => found.map_err(|why| self.clean(&why))?,
            () = cancel.cancelled() => return Err("cancelled".into()),
        };
        Ok(output(&found))
    }
}

fn output(image: &Image) -> Value {
    json!({
        "id": image.id.as_str(),
        "name": image.name,
        "created_at": image.created_at.map(|time| time.to_string()),
        "visibility": image.visibility,
        "min_disk_gb": image.min_disk_gb,
        "min_ram_mb": image.min_ram_mb,
        "size": image.size,
        "tags": image.tags,
        "properties": image.properties,
    })
}

fn helps(help: &[String]) -> String {
    help.iter().map(|help| format!("\nhint: {help}")).collect()
}
