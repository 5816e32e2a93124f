//! The editions of Windows that the lab plays, by the names of providers' images.

/// What differs between one Windows and another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// `Windows Server 2022 Standard`.
    pub product_name: String,
    /// `ServerStandard`.
    pub edition_id: &'static str,
    /// `Server` or `Server Core`.
    pub installation_type: &'static str,
    /// The build number.
    pub build: u32,
    /// The update build revision.
    pub ubr: u32,
    /// `1607`, `1809`, `2009`.
    pub release_id: &'static str,
    /// `21H2`, `24H2`, or nothing.
    pub display_version: Option<&'static str>,
    /// `NET Framework Setup\NDP\v4\Full\Release`.
    pub dotnet_release: u32,
    /// The display language.
    pub language: &'static str,
    /// The OEM code page.
    pub code_page: u32,
}

impl Profile {
    /// The profile that an image's name asks for: Server 2022 Standard in English when it says nothing.
    pub fn of_image(name: &str) -> Self {
        let year = ["2016", "2019", "2025"]
            .into_iter()
            .find(|year| name.contains(year))
            .unwrap_or("2022");
        let (build, ubr, release_id, display_version, dotnet_release) = match year {
            "2016" => (14_393, 7428, "1607", None, 394_802),
            "2019" => (17_763, 6054, "1809", None, 461_814),
            "2025" => (26_100, 2894, "2009", Some("24H2"), 533_320),
            _ => (20_348, 2700, "2009", Some("21H2"), 528_449),
        };
        let words: Vec<&str> = name.split([' ', '(', ')', '-', '_', '.']).collect();
        let says = |word: &str| words.iter().any(|found| found.eq_ignore_ascii_case(word));
        let datacenter = says("DC") || says("Datacenter");
        let korean = says("KO") || says("KR") || says("ko-KR");
        let edition = if datacenter { "Datacenter" } else { "Standard" };
        Self {
            product_name: format!("Windows Server {year} {edition}"),
            edition_id: if datacenter {
                "ServerDatacenter"
            } else {
                "ServerStandard"
            },
            installation_type: if says("Core") { "Server Core" } else { "Server" },
            build,
            ubr,
            release_id,
            display_version,
            dotnet_release,
            language: if korean { "ko-KR" } else { "en-US" },
            code_page: if korean { 949 } else { 437 },
        }
    }

    /// `Win32_OperatingSystem.Caption`.
    pub fn caption(&self) -> String {
        format!("Microsoft {}", self.product_name)
    }

    /// The version of the PowerShell in the box.
    pub fn powershell(&self) -> String {
        format!("5.1.{}.{}", self.build, self.ubr)
    }

    /// Whether there is a desktop.
    pub fn desktop(&self) -> bool {
        self.installation_type == "Server"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images() {
        let profile = Profile::of_image("Windows 2019 STD(2026.03.10.) KO");
        assert_eq!(
            (profile.build, profile.language, profile.code_page),
            (17_763, "ko-KR", 949)
        );
        let profile = Profile::of_image("Windows Server 2025 Datacenter Core");
        assert_eq!((profile.edition_id, profile.desktop()), ("ServerDatacenter", false));
        assert_eq!(Profile::of_image("something").build, 20_348);
    }
}
