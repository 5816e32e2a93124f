//! The ids of the steps that others speak of.

/// The build's one-time identity.
pub const IDENTITY: &str = "build/identity";
/// The key pair.
pub const KEYPAIR: &str = "cloud/keypair";
/// The security group.
pub const GROUP: &str = "cloud/security-group";
/// The build machine.
pub const SERVER: &str = "cloud/server";
/// The build machine runs.
pub const READY: &str = "cloud/server-ready";
/// The build machine's address.
pub const ADDRESS: &str = "cloud/address";
/// The way into the build machine.
pub const CONNECT: &str = "guest/connect";
/// The spec's files.
pub const FILES: &str = "guest/files";
/// Others' work.
pub const PROVISION: &str = "guest/provision";
/// All restarts that are due.
pub const SETTLE: &str = "guest/settle";
/// Cleaning.
pub const HYGIENE: &str = "guest/hygiene";
/// The answer file.
pub const ANSWER_FILE: &str = "guest/answer-file";
/// Cloudbase-Init is ready for the first boot.
pub const CLOUDBASE: &str = "guest/cloudbase-init";
/// No secrets in the guest.
pub const RESIDUE: &str = "guest/residue";
/// Sysprep can succeed.
pub const PREFLIGHT: &str = "guest/preflight";
/// Sysprep.
pub const SYSPREP: &str = "guest/sysprep";
/// The guest may shut down.
pub const RELEASE: &str = "guest/release";
/// The machine is off.
pub const SHUTOFF: &str = "cloud/shutoff";
/// The image is asked for.
pub const CAPTURE: &str = "image/capture";
/// The image is there.
pub const ACTIVE: &str = "image/active";
/// The image says what it is.
pub const DESCRIBE: &str = "image/describe";
/// The image has its name.
pub const PUBLISH: &str = "image/publish";
/// The second machine.
pub const VERIFY_SERVER: &str = "verify/server";
/// The second machine runs.
pub const VERIFY_READY: &str = "verify/server-ready";
/// The second machine's address.
pub const VERIFY_ADDRESS: &str = "verify/address";
/// The injected password; proved by a log-in where the cloud hands it out.
pub const VERIFY_PASSWORD: &str = "verify/password";
/// The way into the second machine with the injected password.
pub const VERIFY_LOGIN: &str = "verify/login";
/// The way into the second machine.
pub const VERIFY_CONNECT: &str = "verify/connect";
/// What the first boot must have done.
pub const VERIFY_PROOF: &str = "verify/proof";
/// The clone has a new identity.
pub const VERIFY_IDENTITY: &str = "verify/identity";
/// The clone's drive fills its disk.
pub const VERIFY_DRIVE: &str = "verify/drive";
/// The clone is activated.
pub const VERIFY_ACTIVATION: &str = "verify/activation";

/// The section of the spec that a step is about, as a JSON pointer. Steps of the software have a place of their own.
pub fn section(step: &str) -> Option<&'static str> {
    match step {
        SERVER | READY | ADDRESS => Some("/base"),
        GROUP => Some("/base/allow_from"),
        CONNECT => Some("/connect"),
        FILES => Some("/files"),
        ANSWER_FILE => Some("/unattend"),
        CLOUDBASE => Some("/cloudbase_init"),
        HYGIENE | PREFLIGHT | SYSPREP | RELEASE => Some("/generalize"),
        CAPTURE | ACTIVE | DESCRIBE | PUBLISH => Some("/image"),
        verify if verify.starts_with("verify/") => Some("/verify"),
        _ => None,
    }
}
