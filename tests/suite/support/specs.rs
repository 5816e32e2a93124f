//! Small specs for both families of cloud.

use reseal_lab::Mode;

/// Cloud, base and connection of a spec for the lab's cloud of that family.
pub(crate) fn machine(mode: Mode) -> &'static str {
    match mode {
        Mode::Nhn => {
            r#"
cloud: { provider: nhn }
base:
  image: { name: "Windows 2022 STD*EN*", newest: true }
  flavor: m2.c2m4
  root_volume: { size: 60 GB, type: General SSD }
  network: Default Network
"#
        }
        Mode::Openstack => {
            r"
cloud: { provider: openstack }
base:
  image: { name: windows-server-2022 }
  flavor: m1.large
  root_volume: { size: 60 GB }
  network: private
  address: floating
  floating_network: public
"
        }
    }
}

/// A small spec: `software` and everything else in `rest` as YAML.
pub(crate) fn small(mode: Mode, rest: &str) -> String {
    format!(
        "reseal: 1\nname: small\n{}\nunattend: {{ base: guest, time_zone: UTC }}\n\
         image: {{ name: \"small-${{build.date}}\", min_disk: 60 GB, min_ram: 2 GB }}\n{rest}\n",
        machine(mode)
    )
}
