//! The names under which Packer finds plugins.

/// The API that every Packer since 1.7 speaks.
pub(crate) const API: (&str, &str) = ("5", "0");
/// A component with this name has the plugin's own name in templates.
pub const DEFAULT_COMPONENT: &str = "-packer-default-plugin-name-";

/// Go's name of the operating system this was compiled for.
pub fn go_os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    }
}

/// Go's name of the processor this was compiled for.
pub fn go_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        arch => arch,
    }
}

/// `packer-plugin-NAME_vVERSION_x5.0_OS_ARCH[.exe]`; Packer looks for nothing else. Metadata of a version (`+…`) is not
/// part of it.
pub fn binary_name(name: &str, version: &str, os: &str, arch: &str) -> String {
    let (major, minor) = API;
    let version = version.split('+').next().unwrap_or_default();
    let end = if os == "windows" { ".exe" } else { "" };
    format!("packer-plugin-{name}_v{version}_x{major}.{minor}_{os}_{arch}{end}")
}

/// The file beside the binary that holds 64 hexadecimal digits and nothing else; without it Packer ignores the binary.
pub fn checksum_name(binary_name: &str) -> String {
    format!("{binary_name}_SHA256SUM")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_packer_looks_for_them() {
        let name = binary_name("reseal", "1.0.0", "linux", "amd64");
        assert_eq!(name, "packer-plugin-reseal_v1.0.0_x5.0_linux_amd64");
        assert_eq!(
            checksum_name(&name),
            "packer-plugin-reseal_v1.0.0_x5.0_linux_amd64_SHA256SUM"
        );
        let name = binary_name("x", "1.0.0-dev+abc", "windows", "amd64");
        assert_eq!(name, "packer-plugin-x_v1.0.0-dev_x5.0_windows_amd64.exe");
    }
}
