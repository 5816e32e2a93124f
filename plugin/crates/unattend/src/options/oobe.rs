//! The welcome screens, and language.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The welcome screens of the first boot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Oobe {
    /// Does not show the licence terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_eula_page: Option<bool>,
    /// Does not ask for the Administrator's password; servers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_local_account_screen: Option<bool>,
    /// Does not show the maker's registration page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_oem_registration_screen: Option<bool>,
    /// Does not ask for a Microsoft account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_online_account_screens: Option<bool>,
    /// Does not ask for a wireless network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_wireless_setup: Option<bool>,
    /// The kind of network. Deprecated since Windows 10, harmless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_location: Option<NetworkLocation>,
    /// Express settings: 1 or 2 turns them on, 3 off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3))]
    pub protect_your_pc: Option<u8>,
    /// Skips the machine's part of the welcome. Deprecated since Windows 8, still in the files of clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_machine_oobe: Option<bool>,
    /// Skips the user's part of the welcome. Deprecated since Windows 8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_user_oobe: Option<bool>,
}

/// A kind of network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NetworkLocation {
    /// At home.
    Home,
    /// At work.
    Work,
    /// In public.
    Other,
}

impl NetworkLocation {
    /// The word in the answer file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::Work => "Work",
            Self::Other => "Other",
        }
    }
}

/// Language, formats and keyboard. Windows asks at first boot unless input, system, UI and user locale are all given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct International {
    /// Keyboard: a language tag (`ko-KR`) or `0412:00000412`; several are separated by `;`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_locale: Option<String>,
    /// The language of programs that do not know Unicode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_locale: Option<String>,
    /// The language of Windows' own screens; it must be installed in the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ui_language: Option<String>,
    /// The language that stands in where `ui_language` has no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ui_language_fallback: Option<String>,
    /// Formats of dates, times and numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_locale: Option<String>,
}
