//! The provider's public images: several pages of them on NHN, old and new, Windows and Linux.
//!
//! Made once per process and shared by all labs. Ids follow from the names.

use std::sync::OnceLock;

use jiff::Timestamp;

use super::super::ids::uuid_of;
use super::super::mode::Mode;

/// A public image.
#[derive(Debug)]
pub(crate) struct BaseImage {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) size: u64,
    pub(crate) min_disk_gb: u32,
    pub(crate) min_ram_mb: u32,
    pub(crate) properties: Vec<(&'static str, String)>,
}

/// The public images of a cloud, newest first.
pub(crate) fn public(mode: Mode) -> &'static [BaseImage] {
    static NHN: OnceLock<Vec<BaseImage>> = OnceLock::new();
    static OPENSTACK: OnceLock<Vec<BaseImage>> = OnceLock::new();
    match mode {
        Mode::Nhn => NHN.get_or_init(|| newest_first(nhn())),
        Mode::Openstack => OPENSTACK.get_or_init(|| newest_first(openstack())),
    }
}

fn newest_first(mut images: Vec<BaseImage>) -> Vec<BaseImage> {
    images.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    images
}

/// Release days, the newest last; the provider writes them with dots.
const WINDOWS_DAYS: &[(&str, &str)] = &[
    ("2025-03-11", "2025.03.11."),
    ("2025-06-10", "2025.06.10."),
    ("2025-09-09", "2025.09.09."),
    ("2025-12-09", "2025.12.09."),
    ("2026-03-10", "2026.03.10."),
];
const LINUX_DAYS: &[(&str, &str)] = &[
    ("2025-05-20", "2025.05.20"),
    ("2025-08-26", "2025.08.26"),
    ("2025-11-25", "2025.11.25"),
    ("2026-02-24", "2026.02.24"),
];
const LINUXES: &[(&str, &str, &str)] = &[
    ("Ubuntu Server 20.04.6 LTS", "Ubuntu", "Server 20.04 LTS"),
    ("Ubuntu Server 22.04.5 LTS", "Ubuntu", "Server 22.04 LTS"),
    ("Ubuntu Server 24.04.2 LTS", "Ubuntu", "Server 24.04 LTS"),
    ("Debian 11.11 Bullseye", "Debian", "11.11"),
    ("Debian 12.9 Bookworm", "Debian", "12.9"),
    ("Rocky Linux 8.10", "Rocky", "8.10"),
    ("Rocky Linux 9.5", "Rocky", "9.5"),
    ("Rocky Linux 9.5 Container", "Rocky", "9.5"),
    ("CentOS 7.9", "CentOS", "7.9"),
    ("Ubuntu Server 22.04.5 LTS with NVIDIA", "Ubuntu", "Server 22.04 LTS"),
    (
        "Ubuntu Server 24.04.2 LTS with PostgreSQL",
        "Ubuntu",
        "Server 24.04 LTS",
    ),
    ("Rocky Linux 8.10 with MySQL", "Rocky", "8.10"),
    ("Ubuntu Server 22.04.5 LTS with Kafka", "Ubuntu", "Server 22.04 LTS"),
    ("Debian 12.9 Bookworm Container", "Debian", "12.9"),
    ("Rocky Linux 9.5 with Redis", "Rocky", "9.5"),
];

fn nhn() -> Vec<BaseImage> {
    let mut images = Vec::new();
    for (day, dotted) in WINDOWS_DAYS {
        for year in ["2016", "2019", "2022", "2025"] {
            for language in ["EN", "KO"] {
                let version = format!("{year} STD");
                let name = format!("Windows {version}({dotted}) {language}");
                images.push(nhn_windows(&name, day, &version, Capture::Allowed));
            }
        }
    }
    for language in ["EN", "KO"] {
        images.push(nhn_windows(
            &format!("Windows 2022 STD (2023.11.21) {language}"),
            "2023-11-21",
            "2022 STD",
            Capture::Allowed,
        ));
        for year in ["2019", "2022"] {
            let name = format!("Windows {year} STD with MS-SQL {year} STD(2025.11.11.) {language}");
            images.push(nhn_windows(
                &name,
                "2025-11-11",
                &format!("{year} STD"),
                Capture::Refused,
            ));
        }
    }
    for (day, dotted) in LINUX_DAYS {
        for (name, distro, version) in LINUXES {
            images.push(nhn_linux(&format!("{name} ({dotted})"), day, distro, version));
        }
    }
    images
}

/// Whether images may be made of servers from this image; MS-SQL's may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Capture {
    Allowed,
    Refused,
}

fn nhn_windows(name: &str, day: &str, version: &str, capture: Capture) -> BaseImage {
    let allowed = if capture == Capture::Allowed { "true" } else { "false" };
    let mut properties = nhn_properties(name, day);
    properties.extend([
        ("os_type", "Windows".to_owned()),
        ("os_distro", "Windows".to_owned()),
        ("os_version", version.to_owned()),
        ("login_username", "Administrator".to_owned()),
        ("nhncloud_allow_image_create", allowed.to_owned()),
    ]);
    image(name, day, 14_000_000_000, 50, 2048, properties)
}

fn nhn_linux(name: &str, day: &str, distro: &str, version: &str) -> BaseImage {
    let mut properties = nhn_properties(name, day);
    properties.extend([
        ("os_type", "Linux".to_owned()),
        ("os_distro", distro.to_owned()),
        ("os_version", version.to_owned()),
        ("login_username", distro.to_lowercase()),
        ("nhncloud_allow_image_create", "true".to_owned()),
    ]);
    image(name, day, 1_500_000_000, 20, 1024, properties)
}

/// What every image of 2026 carries.
fn nhn_properties(name: &str, day: &str) -> Vec<(&'static str, String)> {
    let description = name.split_once(") ").map_or(name, |(start, _)| start);
    let mut properties = vec![
        ("description", format!("{description})").replace("))", ")")),
        ("release_date", day.to_owned()),
    ];
    let fixed = [
        ("os_architecture", "amd64"),
        ("hypervisor_type", "qemu"),
        ("min_cpu", "1"),
        ("max_cpu", "128"),
        ("monitoring_agent", "sysmon"),
        ("tc_env", "sysmon,dhcp"),
        ("project_domain", "NORMAL"),
        ("hw_qemu_guest_agent", "yes"),
        ("hw_cpu_sockets", "1"),
        ("hw_vif_multiqueue_enabled", "true"),
        ("nhncloud_product", "compute"),
        ("nhncloud_category", "os"),
        ("nhncloud_allow_autoscale", "true"),
        ("nhncloud_allow_compute_flavor", "true"),
        ("nhncloud_allow_cpu_flavor", "true"),
        ("nhncloud_allow_download", "false"),
        ("nhncloud_allow_gpu_flavor", "false"),
        ("nhncloud_allow_imagebuilder", "false"),
        ("nhncloud_allow_instance_template", "true"),
        ("nhncloud_allow_local_bootdisk_flavor", "true"),
        ("nhncloud_allow_nks_cpu_flavor", "false"),
        ("nhncloud_allow_nks_gpu_flavor", "false"),
        ("nhncloud_allow_user_script", "true"),
    ];
    properties.extend(fixed.map(|(key, value)| (key, value.to_owned())));
    properties
}

const UPSTREAM_LINUXES: &[&str] = &[
    "cirros-0.6.3",
    "debian-11",
    "debian-12",
    "debian-13",
    "ubuntu-20.04",
    "ubuntu-22.04",
    "ubuntu-24.04",
    "rocky-8",
    "rocky-9",
    "almalinux-8",
    "almalinux-9",
    "fedora-41",
    "fedora-42",
    "opensuse-leap-15.6",
    "flatcar-stable",
    "talos-1.9",
    "freebsd-14",
    "centos-stream-9",
    "centos-stream-10",
    "arch-2026.01",
];

fn openstack() -> Vec<BaseImage> {
    let mut images = Vec::new();
    for year in ["2016", "2019", "2022", "2025"] {
        images.push(upstream_windows(&format!("windows-server-{year}"), "2026-03-11", year));
        images.push(upstream_windows(
            &format!("windows-server-{year}-20251209"),
            "2025-12-09",
            year,
        ));
    }
    for name in UPSTREAM_LINUXES {
        let properties = vec![("os_type", "linux".to_owned()), ("hw_disk_bus", "virtio".to_owned())];
        images.push(image(name, "2026-02-02", 600_000_000, 5, 512, properties));
    }
    images
}

fn upstream_windows(name: &str, day: &str, year: &str) -> BaseImage {
    let fixed = [
        ("os_type", "windows"),
        ("os_distro", "windows"),
        ("os_version", year),
        ("os_admin_user", "Administrator"),
        ("architecture", "x86_64"),
        ("hw_disk_bus", "scsi"),
        ("hw_scsi_model", "virtio-scsi"),
        ("hw_vif_model", "virtio"),
        ("hw_qemu_guest_agent", "yes"),
        ("hw_firmware_type", "uefi"),
        ("hw_machine_type", "q35"),
    ];
    let properties = fixed.map(|(key, value)| (key, value.to_owned()));
    image(name, day, 12_000_000_000, 40, 2048, properties.into())
}

fn image(
    name: &str,
    day: &str,
    size: u64,
    min_disk_gb: u32,
    min_ram_mb: u32,
    properties: Vec<(&'static str, String)>,
) -> BaseImage {
    let created = format!("{day}T02:00:00Z").parse().unwrap_or(Timestamp::UNIX_EPOCH);
    BaseImage {
        id: uuid_of(&format!("image/{name}")),
        name: name.to_owned(),
        created,
        size,
        min_disk_gb,
        min_ram_mb,
        properties,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nhn_has_pages_of_images_and_the_newest_windows_is_on_the_first() {
        let images = public(Mode::Nhn);
        assert!(images.len() > 100, "{}", images.len());
        assert!(
            images
                .iter()
                .take(20)
                .any(|image| image.name == "Windows 2022 STD(2026.03.10.) EN")
        );
        let ids: std::collections::BTreeSet<_> = images.iter().map(|image| &image.id).collect();
        assert_eq!(ids.len(), images.len(), "ids are unique");
        let image = images
            .iter()
            .find(|image| image.name == "Windows 2022 STD(2026.03.10.) EN")
            .unwrap();
        assert!(
            image
                .properties
                .contains(&("description", "Windows 2022 STD(2026.03.10.)".to_owned()))
        );
        assert!(images.iter().all(|image| image.created > Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn upstream_has_more_than_one_page_of_25() {
        assert!(public(Mode::Openstack).len() > 25);
        assert!(
            public(Mode::Openstack)
                .iter()
                .any(|image| image.name == "windows-server-2022")
        );
    }
}
