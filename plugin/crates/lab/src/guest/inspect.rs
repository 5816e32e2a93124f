//! What tests ask of a machine or of a captured disk.

use super::files::Content;
use super::machine::Guest;
use super::windows::{ADMINISTRATORS, Windows};
use crate::room::Disk;

/// A machine's or disk's state, for tests.
#[derive(Debug, Clone, Default)]
pub struct Inspect {
    /// The computer's name.
    pub computer_name: String,
    /// The machine's SID.
    pub machine_sid: String,
    /// What clients did that no client may do.
    pub violations: Vec<String>,
    /// What happened, in order: `boot`, `op install_msi`, `sysprep started`, …
    pub history: Vec<String>,
    /// Paths of all files.
    pub files: Vec<String>,
    /// Accounts that may log on.
    pub accounts: Vec<String>,
    /// Administrators among them.
    pub administrators: Vec<String>,
    /// Scheduled tasks of ours.
    pub tasks: Vec<String>,
    /// Listeners: `http`, `https SHA-256`.
    pub listeners: Vec<String>,
    /// Installed programs: name and version.
    pub products: Vec<String>,
    /// Features.
    pub features: Vec<String>,
    /// Services: name, start, and `running` or `stopped`.
    pub services: Vec<String>,
    /// `ImageState`.
    pub image_state: String,
    /// `GeneralizationState`.
    pub generalization_state: u32,
    /// The dialog that stopped Setup.
    pub stuck: Option<String>,
    /// What was on the screen, line by line.
    pub screen: Vec<String>,
    disk: Option<Windows>,
}

impl std::fmt::Debug for Windows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Windows")
            .field("computer_name", &self.computer_name)
            .finish_non_exhaustive()
    }
}

impl Inspect {
    /// A running or stopped machine.
    pub fn of_guest(guest: &Guest) -> Self {
        let state = guest.state();
        Self {
            violations: state.violations.clone(),
            history: state.history.clone(),
            tasks: tasks(&state.live.tasks, &state.disk),
            stuck: state.live.stuck.clone(),
            screen: state.live.screen.clone(),
            ..Self::of_windows(&state.disk)
        }
    }

    /// A captured disk; `None` when it is not one of the lab's.
    pub fn of_disk(disk: &Disk) -> Option<Self> {
        disk.0.downcast_ref::<Windows>().map(Self::of_windows)
    }

    fn of_windows(disk: &Windows) -> Self {
        let accounts = disk.users.values().filter(|user| user.enabled);
        let administrators = accounts.clone().filter(|user| user.groups.contains(ADMINISTRATORS));
        let https = disk
            .winrm
            .thumbprint
            .iter()
            .map(|thumbprint| format!("https {thumbprint}"));
        Self {
            computer_name: disk.computer_name.clone(),
            machine_sid: disk.machine_sid.clone(),
            files: disk
                .files
                .all()
                .filter(|entry| entry.content.is_some())
                .map(|entry| entry.path.clone())
                .collect(),
            accounts: accounts.map(|user| user.name.clone()).collect(),
            administrators: administrators.map(|user| user.name.clone()).collect(),
            tasks: tasks(&std::collections::BTreeMap::new(), disk),
            listeners: disk
                .winrm
                .http
                .then(|| "http".to_owned())
                .into_iter()
                .chain(https)
                .collect(),
            products: disk
                .products
                .iter()
                .map(|product| format!("{} {}", product.name, product.version))
                .collect(),
            features: disk.features.iter().cloned().collect(),
            services: disk.services.values().map(describe).collect(),
            image_state: disk.setup.image_state.to_owned(),
            generalization_state: disk.setup.generalization,
            disk: Some(disk.clone()),
            ..Self::default()
        }
    }

    /// Every place whose text holds `needle`, in UTF-8, UTF-16 or base64.
    pub fn grep(&self, needle: &str) -> Vec<String> {
        let Some(disk) = &self.disk else { return Vec::new() };
        let files = disk.files.all().filter(|entry| {
            entry
                .content
                .as_ref()
                .is_some_and(|content| contains(content.kept(), needle) > 0)
        });
        let files = files.map(|entry| entry.path.clone());
        let values = disk.registry.values().flat_map(|key| {
            let found = key
                .values
                .iter()
                .filter(|(_, (_, data))| data.to_string().contains(needle));
            found.map(|(name, _)| format!("{}\\{name}", key.path))
        });
        let variables = disk.environment.iter().filter(|(_, value)| value.contains(needle));
        let variables = variables.map(|(name, _)| format!("environment variable {name}"));
        let rules = disk
            .firewall
            .iter()
            .filter(|(_, rule)| rule.to_string().contains(needle));
        files
            .chain(values)
            .chain(variables)
            .chain(rules.map(|(name, _)| format!("firewall rule {name}")))
            .collect()
    }

    /// A file's text.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.disk.as_ref()?.files.text(path)
    }

    /// A file's SHA-256.
    pub fn sha256(&self, path: &str) -> Option<String> {
        self.disk.as_ref()?.files.content(path).map(Content::sha256)
    }

    /// A registry value's data, as the operation gave them.
    pub fn registry(&self, key: &str, value: &str) -> Option<&serde_json::Value> {
        self.disk
            .as_ref()?
            .registry
            .get(&key.to_lowercase())?
            .values
            .get(value)
            .map(|(_, data)| data)
    }
}

/// Tasks of work, and the one that keeps the listener.
fn tasks(work: &std::collections::BTreeMap<String, super::ops::task::Task>, disk: &Windows) -> Vec<String> {
    work.keys()
        .chain(disk.guard.as_ref().map(|guard| &guard.task))
        .cloned()
        .collect()
}

fn describe(service: &super::windows::Service) -> String {
    let state = if service.running { "running" } else { "stopped" };
    format!("{} {} {state}", service.name, service.start)
}

/// How often `bytes` hold `needle`, in UTF-8, UTF-16LE or base64 of it.
pub fn contains(bytes: &[u8], needle: &str) -> usize {
    use base64::Engine as _;
    if needle.is_empty() {
        return 0;
    }
    let base64 = base64::prelude::BASE64_STANDARD
        .encode(needle)
        .trim_end_matches('=')
        .to_owned();
    let base64: String = base64.chars().take(base64.len().saturating_sub(1).max(4)).collect();
    let forms = [
        needle.as_bytes().to_vec(),
        crate::winrm::bytes::utf16le(needle),
        base64.into_bytes(),
    ];
    forms
        .iter()
        .map(|form| bytes.windows(form.len()).filter(|window| window == form).count())
        .sum()
}
