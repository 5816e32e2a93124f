//! The program as Packer's plugin: what Packer starts, and the components that it finds in it.
//!
//! | component | in a template | what it is |
//! |---|---|---|
//! | [`builder`] | `source "reseal" "x"` | a spec through the same pipeline, with the template's provisioners in its middle |
//! | [`visit`] | `provisioner "reseal-software" {}`, `provisioner "reseal-generalize" {}` | a part of a spec in any builder's machine |
//! | [`datasource`] | `data "reseal-image" "x" {}` | the image that a build would start from |
//! | [`proof`] | `post-processor "reseal-verify" {}` | boots an image, whoever made it, and checks it |
//!
//! Standard output belongs to Packer's handshake; whatever else there is to say goes through Packer's own screen
//! ([`screen`]) or, as a log, to standard error ([`log`]).

mod artifact;
mod asker;
mod builder;
mod datasource;
mod document;
mod generated;
mod kept;
mod log;
mod nowhere;
mod order;
mod proof;
mod provisioning;
mod run;
mod schema;
mod screen;
mod veil;
mod visit;

use std::time::Duration;

use reseal_packer::{DEFAULT_COMPONENT, Launch, Plugin, PluginError};
use reseal_pipeline::plan::Part;

use crate::VERSION;
use crate::exit::Exit;
use crate::rim::env::{self, Env};
use crate::scrub::Scrubber;
use visit::Visiting;

/// How long a build may take back what it has created when Packer is gone. What is left then is in the build's journal.
const GRACE: Duration = Duration::from_mins(10);

/// What everything here has in common.
#[derive(Clone)]
pub(crate) struct Rim {
    /// The environment.
    env: Env,
    /// Knows all secrets.
    scrubber: Scrubber,
}

/// Does what Packer has started the process for.
pub fn main(launch: Launch) -> Exit {
    let env = Env::read();
    let scrubber = Scrubber::default();
    log::begin(&env, &scrubber);
    // One component, mostly waiting: Packer starts many processes of us at the same time.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return Exit::Internal };
    let plugin = plugin(Rim { env, scrubber }).surroundings(env::surroundings());
    let served = runtime.block_on(plugin.launch(launch, &mut std::io::stdout()));
    runtime.shutdown_background();
    match served {
        Ok(()) => Exit::Ok,
        Err(error) => {
            log::refused(&by_hand(&error));
            Exit::Input
        }
    }
}

fn plugin(rim: Rim) -> Plugin {
    Plugin::new(VERSION)
        .grace(GRACE)
        .builder(DEFAULT_COMPONENT, builder::Image::new(rim.clone()))
        .provisioner("software", Visiting::new(Part::Software, rim.clone()))
        .provisioner("generalize", Visiting::new(Part::Generalize, rim.clone()))
        .datasource("image", datasource::BaseImage::new(rim.clone()))
        .post_processor("verify", proof::Verify::new(rim))
}

/// What a person reads who has typed what only Packer types.
fn by_hand(error: &PluginError) -> String {
    match error {
        PluginError::StartedByHand => format!(
            "{error}\nhint: `reseal packer install` puts this program where Packer looks for plugins; then use it in a \
             template with `source \"reseal\" \"x\" {{ … }}`\nhint: `reseal build SPEC` builds without Packer"
        ),
        error => error.to_string(),
    }
}
