//! What a build tells the template: `build.ID`, `build.Password` and the like.

use reseal_packer::GeneratedData;
use reseal_pipeline::world::Visit;

/// Names beyond those that every builder has.
pub(super) const NAMES: [&str; 4] = ["ResealBuildID", "ResealRunFolder", "SourceImageID", "SourceImageName"];

/// The image that a build starts from.
#[derive(Clone)]
pub(super) struct BaseImage {
    /// Its id.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
}

/// What is known before there is a machine.
pub(super) struct Known<'a> {
    /// The build's folder.
    pub(super) folder: String,
    /// What it starts from.
    pub(super) base: &'a BaseImage,
    /// Packer's own id of this run.
    pub(super) packer_run: String,
}

/// What provisioners learn of the machine.
pub(super) fn data(known: &Known<'_>, visit: &Visit) -> GeneratedData {
    GeneratedData::expected()
        .with("ID", visit.server.to_string())
        .with("Host", visit.door.address.clone())
        .with("Port", visit.door.port)
        .with("User", visit.door.username.clone())
        .with("Password", visit.password.clone())
        .with("WinRMPassword", visit.password.clone())
        .with("ConnType", "winrm")
        .with("PackerRunUUID", known.packer_run.clone())
        .with("ResealBuildID", visit.build.to_string())
        .with("ResealRunFolder", known.folder.clone())
        .with("SourceImageID", known.base.id.clone())
        .with("SourceImageName", known.base.name.clone())
}
