//! What is done inside a guest, in the order of a build.

mod answer_file;
mod apps;
mod ask;
mod boot_watch;
mod cloudbase;
mod connect;
mod detached;
mod features;
mod files;
mod first_boot;
mod hygiene;
mod logs;
mod meet;
mod preflight;
mod provision;
mod reboot;
mod settle;
mod step;
mod sysprep;
mod sysprep_end;
mod sysprep_outside;
mod sysprep_watch;
mod verify;

pub use answer_file::{AnswerFileParams, BaseFile};
pub use apps::Suspect;
pub use cloudbase::CloudbaseParams;
pub use connect::{Account, ConnectParams};
pub use features::PromiseParams;
pub use files::{FileItem, FileParams};
pub use first_boot::FirstBootParams;
pub use hygiene::{HygieneParams, ResidueParams};
pub use meet::MeetParams;
pub use preflight::PreflightParams;
pub use provision::ProvisionParams;
pub use settle::SettleParams;
pub use step::{StepOutput, StepParams};
pub use sysprep::{ReleaseParams, SysprepParams};
pub use verify::{Locales, PasswordParams, ProofParams};

use reseal_engine::Registry;

use crate::world::World;

/// Adds the actions to a registry.
pub(super) fn register(registry: &mut Registry, world: &World) {
    registry.add("guest.connect", connect::Connect(world.clone()));
    registry.add("guest.meet", meet::Meet(world.clone()));
    registry.add("guest.files", files::Push(world.clone()));
    registry.add("guest.step", step::Run(world.clone()));
    registry.add("guest.provision", provision::Provision(world.clone()));
    registry.add("guest.settle", settle::Settle(world.clone()));
    registry.add("guest.answer_file", answer_file::Push(world.clone()));
    registry.add("guest.cloudbase", cloudbase::Prepare(world.clone()));
    registry.add("guest.hygiene", hygiene::Clean(world.clone()));
    registry.add("guest.residue", hygiene::Search(world.clone()));
    registry.add("guest.preflight", preflight::Check(world.clone()));
    registry.add("guest.sysprep", sysprep::Generalize(world.clone()));
    registry.add("guest.release", sysprep::Release(world.clone()));
    registry.add("verify.first_boot", first_boot::Follow(world.clone()));
    registry.add("verify.promise", features::Check(world.clone()));
    registry.add("verify.password", verify::Password(world.clone()));
    registry.add("verify.proof", verify::Prove(world.clone()));
}
