//! The four features that a provider promises for the first boot of an image, what keeps each of them, and what breaks it.
//!
//! Before the capture [`outlook`] reads Cloudbase-Init's files and says what will come; afterwards the clone proves it.

use serde::{Deserialize, Serialize};

use crate::system::{CloudbasePrepared, License};

/// A feature of the first boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// A new machine SID, and the server's name as the computer's.
    Identity,
    /// Drive C: grows to the size of the flavour's disk.
    Drive,
    /// Windows is activated by a key management service.
    Activation,
    /// A random password, encrypted with the user's key pair.
    Password,
}

impl Promise {
    /// All of them, in the order in which a clone keeps them.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Drive, Self::Activation, Self::Password];

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Identity => "new SID and computer name",
            Self::Drive => "drive extension",
            Self::Activation => "KMS activation",
            Self::Password => "password injection",
        }
    }
}

/// What will become of a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// The promise.
    pub promise: Promise,
    /// What keeps it; `None` when nothing does.
    pub kept_by: Option<String>,
    /// What stands against it.
    pub problems: Vec<String>,
}

impl Outlook {
    /// Something keeps it and nothing stands against it.
    pub fn is_good(&self) -> bool {
        self.kept_by.is_some() && self.problems.is_empty()
    }
}

/// What will become of each promise. `in_specialize` tells whether the answer file runs Cloudbase-Init in its specialize
/// pass.
pub fn outlook(facts: &CloudbasePrepared, in_specialize: bool) -> Vec<Outlook> {
    let scene = Scene { facts, in_specialize };
    Promise::ALL
        .into_iter()
        .map(|promise| match promise {
            Promise::Identity => scene.identity(),
            Promise::Drive => scene.drive(),
            Promise::Activation => scene.activation(),
            Promise::Password => scene.password(),
        })
        .collect()
}

/// Whether this licence is one that a key management service activates.
pub fn is_kms_client(license: &License) -> bool {
    license.channel.to_ascii_uppercase().contains("GVLK")
        || license.description.to_ascii_uppercase().contains("KMSCLIENT")
}

struct Scene<'a> {
    facts: &'a CloudbasePrepared,
    in_specialize: bool,
}

impl Scene<'_> {
    /// What keeps the service from running on the clone, if anything.
    fn silent(&self) -> Option<String> {
        if !self.facts.present {
            return Some("Cloudbase-Init is not installed".to_owned());
        }
        let mode = self
            .facts
            .start_mode
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        match mode.as_str() {
            "disabled" if !self.facts.starts_after_setup => Some("its service is disabled".to_owned()),
            "manual" if !self.facts.starts_after_setup => {
                Some("its service starts on demand, and SetupComplete.cmd does not start it".to_owned())
            }
            _ => None,
        }
    }

    /// Whether the service runs a plugin; without a list of its own it runs all of them.
    fn serves(&self, class: &str) -> bool {
        self.facts.config.runs(class, true)
    }

    /// Whether the run inside the specialize pass has a plugin; its usual list is short.
    fn specializes(&self, class: &str) -> bool {
        let usual = ["MTUPlugin", "SetHostNamePlugin", "ExtendVolumesPlugin"].contains(&class);
        self.in_specialize && self.facts.unattend_config.runs(class, usual)
    }

    /// A promise that one plugin keeps.
    fn plugin(&self, promise: Promise, class: &str) -> Outlook {
        let mut problems = Vec::new();
        let mut kept_by = None;
        if self.facts.present && self.specializes(class) {
            kept_by = Some(format!("Cloudbase-Init's {class} in the specialize pass"));
        } else if let Some(why) = self.silent() {
            problems.push(why);
        } else if self.serves(class) {
            kept_by = Some(format!("Cloudbase-Init's {class}"));
        } else {
            problems.push(missing(&self.facts.config.path, class));
        }
        Outlook {
            promise,
            kept_by,
            problems,
        }
    }

    fn identity(&self) -> Outlook {
        let mut outlook = self.plugin(Promise::Identity, "SetHostNamePlugin");
        // The SID is Windows' own work; without the plugin the name is random or the answer file's.
        let name = outlook.kept_by.take();
        let by = name.map_or_else(
            || "generalize and specialize; the name is the answer file's or a random one".to_owned(),
            |name| format!("generalize and specialize; the name by {name}"),
        );
        Outlook {
            promise: Promise::Identity,
            kept_by: Some(by),
            problems: vec![],
        }
    }

    fn drive(&self) -> Outlook {
        let mut outlook = self.plugin(Promise::Drive, "ExtendVolumesPlugin");
        for partition in self.facts.behind.as_deref().unwrap_or_default() {
            outlook.problems.push(format!(
                "a partition ({}, {} MB) lies behind C: and keeps it from growing",
                partition.kind,
                partition.bytes >> 20
            ));
        }
        outlook
    }

    fn password(&self) -> Outlook {
        let mut outlook = self.plugin(Promise::Password, "SetUserPasswordPlugin");
        let services = self.facts.config.values.get("metadata_services");
        let posts = |list: &String| list.contains("HttpService") || list.contains("EC2Service");
        if services.is_some_and(|list| !posts(list)) {
            outlook.problems.push(
                "`metadata_services` names no service that can take a password: a configuration drive cannot"
                    .to_owned(),
            );
        }
        outlook
    }

    fn activation(&self) -> Outlook {
        let plugin = self.facts.activates() && self.silent().is_none();
        let license = self.facts.license.as_ref();
        let host = license
            .map(|license| license.kms_host.clone())
            .filter(|host| !host.is_empty());
        let (kept_by, problem) = match (plugin, license.filter(|license| is_kms_client(license))) {
            (true, _) => (Some("Cloudbase-Init's WindowsLicensingPlugin".to_owned()), None),
            (false, Some(_)) => {
                let by = host.map_or_else(
                    || "Windows' own KMS client, which finds its host in the DNS".to_owned(),
                    |host| format!("Windows' own KMS client ({host})"),
                );
                (Some(by), None)
            }
            (false, None) => {
                let why = "the key is no KMS client key, and `activate_windows` is off in cloudbase-init.conf";
                (None, Some(why.to_owned()))
            }
        };
        Outlook {
            promise: Promise::Activation,
            kept_by,
            problems: problem.into_iter().collect(),
        }
    }
}

fn missing(path: &str, class: &str) -> String {
    if path.is_empty() {
        return format!("no configuration of Cloudbase-Init was found, and so no {class}");
    }
    format!("`plugins` in {path} leaves out {class}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn facts(change: &serde_json::Value) -> CloudbasePrepared {
        let mut facts = json!({
            "present": true, "start_mode": "Manual", "starts_after_setup": true,
            "config": {"path": "C:\\c.conf", "found": true, "values": {}},
            "unattend_config": {"path": "C:\\u.conf", "found": true, "values": {"plugins": "x.mtu.MTUPlugin,x.SetHostNamePlugin,x.ExtendVolumesPlugin"}},
            "behind": [], "license": {"status": 1, "channel": "Volume:GVLK", "kms_host": "kms.example"},
        });
        for (key, value) in change.as_object().unwrap() {
            facts[key] = value.clone();
        }
        serde_json::from_value(facts).unwrap()
    }

    fn broken(change: &serde_json::Value, in_specialize: bool) -> Vec<Promise> {
        let outlook = outlook(&facts(change), in_specialize);
        assert_eq!(outlook.len(), 4);
        outlook
            .iter()
            .filter(|one| !one.is_good())
            .map(|one| one.promise)
            .collect()
    }

    #[test]
    fn each_promise_breaks_for_its_own_reason() {
        use Promise::{Activation, Drive, Password};
        let config =
            |values: serde_json::Value| json!({"config": {"path": "C:\\c.conf", "found": true, "values": values}});
        assert_eq!(broken(&json!({}), true), []);
        assert_eq!(broken(&json!({}), false), []);
        assert_eq!(broken(&json!({"starts_after_setup": false}), true), [Password]);
        assert_eq!(broken(&json!({"starts_after_setup": false}), false), [Drive, Password]);
        assert_eq!(
            broken(&json!({"start_mode": "Auto", "starts_after_setup": false}), true),
            []
        );
        assert_eq!(broken(&json!({"present": false}), false), [Drive, Password]);
        assert_eq!(
            broken(&json!({"behind": [{"type": "Recovery", "bytes": 500_000_000}]}), true),
            [Drive]
        );
        assert_eq!(
            broken(&config(json!({"plugins": "a.SetHostNamePlugin"})), true),
            [Password]
        );
        assert_eq!(
            broken(&config(json!({"plugins": "a.SetHostNamePlugin"})), false),
            [Drive, Password]
        );
        assert_eq!(
            broken(&config(json!({"metadata_services": "x.ConfigDriveService"})), true),
            [Password]
        );
        assert_eq!(
            broken(&json!({"license": {"status": 1, "channel": "Retail"}}), true),
            [Activation]
        );
        assert_eq!(broken(&json!({"license": null}), true), [Activation]);
        let mut licensed = config(json!({"activate_windows": "True"}));
        licensed["license"] = json!(null);
        assert_eq!(broken(&licensed, true), []);
    }

    #[test]
    fn what_keeps_a_promise_is_named() {
        let by: Vec<String> = outlook(&facts(&json!({})), true)
            .into_iter()
            .filter_map(|one| one.kept_by)
            .collect();
        assert!(by[0].contains("SetHostNamePlugin in the specialize pass"), "{by:?}");
        assert!(by[1].contains("ExtendVolumesPlugin in the specialize pass"), "{by:?}");
        assert!(by[2].contains("kms.example"), "{by:?}");
        assert!(by[3].contains("SetUserPasswordPlugin"), "{by:?}");
    }
}
