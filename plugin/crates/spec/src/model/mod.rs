//! What a spec says, typed. Doc comments of these types become the descriptions in the JSON Schema.
//!
//! [`SpecFile`] is the document as it is written, [`Spec`] one build that follows from it: variables are filled in, one
//! combination of the matrix is chosen, and steps of other files stand where they were used.

mod base;
mod cloud;
mod connect;
mod file;
mod finish;
mod image;
mod resolved;
mod units;
mod variables;
mod verify;

pub use base::{AddressKind, Base, BaseImage, RootVolume, VolumeSpec};
pub use cloud::{Cloud, Provider};
pub use connect::{Auth, Connect, Transport, Trust, WayIn, Winrm};
pub use file::{FileCopy, OnError, SpecFile, StepMap};
pub use finish::{Cleanup, CloudbaseInit, CloudbaseMode, Fix, Generalize, GeneralizeMode};
pub use image::{DiskFormat, Image, Visibility};
/// The answer file's options are the answer file crate's own.
pub use reseal_unattend::Options as Unattend;
/// The file that an answer file starts from.
pub use reseal_unattend::options::Base as AnswerBase;
pub use resolved::{OnFailure, Origin, Policy, ScriptText, SkippedStep, Spec, SpecStep};
pub use units::{Limit, Size};
pub use variables::{Variable, VariableType};
pub use verify::Verify;
