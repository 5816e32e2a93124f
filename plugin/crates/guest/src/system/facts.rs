//! Who the guest is: identity, inventory, and the facts that prove an image.

use serde::{Deserialize, Serialize};

use super::Query;
use crate::script::{Script, script};

/// Asks the guest who it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Identity {}

/// Who the guest is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IdentityFacts {
    /// The computer's name.
    pub computer_name: String,
    /// `ProductName` of the registry.
    pub product_name: String,
    /// The system's caption.
    pub caption: String,
    /// E.g. `ServerStandard`.
    pub edition_id: String,
    /// `Server`, `Server Core` or `Client`.
    pub installation_type: String,
    /// The build number, e.g. 20348.
    pub build: u32,
    /// The update revision.
    pub ubr: u32,
    /// E.g. `21H2`.
    pub display_version: String,
    /// E.g. `2009`.
    pub release_id: String,
    /// 1 client, 2 domain controller, 3 server.
    pub product_type: u32,
    /// `AMD64`, `ARM64` or `x86`.
    pub architecture: String,
    /// The answering process is a 64-bit one.
    pub process_64bit: bool,
    /// The display language.
    pub ui_culture: String,
    /// The installed language.
    pub system_locale: String,
    /// E.g. 437 or 949.
    pub oem_code_page: u32,
    /// The time zone's id.
    pub time_zone: String,
    /// The guest's clock.
    pub now_utc: String,
    /// When it was booted.
    pub boot_utc: String,
    /// Counts the boots, where Windows keeps it.
    pub boot_id: Option<u64>,
    /// Whether it is in a domain.
    pub domain_joined: bool,
    /// Domain or work group.
    pub domain: String,
    /// The (virtual) hardware.
    pub model: String,
    /// The account that answers.
    pub user: String,
    /// Its SID.
    pub user_sid: String,
    /// The machine's SID.
    pub machine_sid: Option<String>,
    /// It has the full token.
    pub elevated: bool,
    /// `FullLanguage` or a restricted mode.
    pub language_mode: String,
    /// PowerShell's version.
    pub ps_version: String,
    /// .NET Framework's release number.
    pub dotnet_release: u32,
    /// Free bytes on C:.
    pub free_bytes: u64,
}

impl Query for Identity {
    type Answer = IdentityFacts;
    const SCRIPT: Script = script!("identity", "values");
}

/// Asks for everything in "Programs and Features".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Products {}

/// The inventory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductsList {
    /// The entries.
    pub items: Vec<Product>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// `machine64`, `machine32` or `user`.
    pub scope: String,
    /// The key's name; an MSI's product code.
    pub id: String,
    /// The display name.
    pub name: String,
    /// The display version.
    pub version: String,
    /// The publisher.
    pub publisher: String,
    /// Installed by Windows Installer.
    pub msi: bool,
    /// Not shown to users.
    pub hidden: bool,
}

impl Query for Products {
    type Answer = ProductsList;
    const SCRIPT: Script = script!("products", "values");
}

/// Asks a machine made from an image for what proves the image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct VerifyFacts {}

/// What proves an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VerifyFactsResult {
    /// The computer's name.
    pub computer_name: String,
    /// The machine's SID; differs from the build machine's.
    pub machine_sid: Option<String>,
    /// `IMAGE_STATE_COMPLETE` when the first boot has ended well.
    pub image_state: String,
    /// How Windows is licensed.
    pub license: Option<License>,
    /// The size of C:.
    pub drive_c_bytes: u64,
    /// The largest gap on the system disk.
    pub disk_unallocated_bytes: Option<u64>,
    /// Language of programs without Unicode.
    pub system_locale: String,
    /// Formats.
    pub user_locale: String,
    /// Display language.
    pub ui_language: String,
    /// Keyboard, e.g. `0412:00000412`.
    pub input_locale: String,
    /// The time zone's id.
    pub time_zone: String,
    /// Cloudbase-Init's state.
    pub cloudbase: CloudbaseState,
    /// The oldest event of the System log.
    pub oldest_system_event_utc: Option<String>,
    /// Local accounts.
    pub users: Vec<String>,
    /// Profile folders.
    pub profiles: Vec<String>,
    /// How often sysprep may still run.
    pub rearm_count: Option<u64>,
    /// What the build left behind.
    pub traces: Vec<String>,
}

/// How Windows is licensed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct License {
    /// 1 licensed, 0 unlicensed, 2 to 6 grace and notification.
    pub status: u32,
    /// E.g. `Windows(R) Operating System, VOLUME_KMSCLIENT channel`.
    pub description: String,
    /// E.g. `Volume:GVLK`.
    pub channel: String,
    /// Minutes left.
    pub grace_minutes: u64,
    /// The KMS host in use.
    pub kms_host: String,
}

/// Cloudbase-Init on a machine made from the image.
#[expect(clippy::struct_excessive_bools, reason = "the contract has as many")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CloudbaseState {
    /// It is installed.
    pub present: bool,
    /// `Auto` when SetupComplete.cmd has done its work.
    pub start_mode: Option<String>,
    /// Its service runs at this moment.
    pub running: bool,
    /// The instance ids that it knows.
    pub instances: Vec<String>,
    /// Its log says that all plugins have run.
    pub plugins_done: bool,
    /// Its log says that it has set the password and posted it.
    pub password_set: bool,
}

impl Query for VerifyFacts {
    type Answer = VerifyFactsResult;
    const SCRIPT: Script = script!("verify_facts", "values", "cloudbase");
}
