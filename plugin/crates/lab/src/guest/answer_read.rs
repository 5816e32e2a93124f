//! What an answer file says, once it has been found to be good.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use roxmltree::Node;

use super::answer::{Answer, NS};
use crate::winrm::bytes::from_utf16le;

/// The text of a child.
pub(super) fn text_of<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.children()
        .find(|child| child.has_tag_name((NS, name)))
        .and_then(|child| child.text())
}

/// Every leaf below a pass and component, by path; of lists, the last item.
type Leaves = BTreeMap<(String, String, String), String>;

pub(super) fn read(settings: &[Node<'_, '_>]) -> Answer {
    let mut leaves = Leaves::new();
    for node in settings {
        let pass = node.attribute("pass").unwrap_or_default();
        for component in node.children().filter(Node::is_element) {
            let name = component.attribute("name").unwrap_or_default();
            collect(component, (pass, name), "", &mut leaves);
        }
    }
    let get = |pass: &str, component: &str, path: &str| {
        leaves
            .get(&(
                pass.to_owned(),
                format!("Microsoft-Windows-{component}"),
                path.to_owned(),
            ))
            .cloned()
    };
    let either =
        |component: &str, path: &str| get("oobeSystem", component, path).or_else(|| get("specialize", component, path));
    let yes = |path: &str| {
        get("oobeSystem", "Shell-Setup", path).is_some_and(|text| matches!(text.trim(), "true" | "True" | "1"))
    };
    let commands = settings
        .iter()
        .filter(|node| node.attribute("pass") == Some("specialize"));
    let copy_profile = get("specialize", "Shell-Setup", "CopyProfile");
    let mut paths = commands
        .flat_map(Node::descendants)
        .filter(|node| node.has_tag_name((NS, "Path")));
    let oobe = |name: &str| get("oobeSystem", "International-Core", name);
    Answer {
        computer_name: get("specialize", "Shell-Setup", "ComputerName").filter(|name| !name.is_empty() && name != "*"),
        time_zone: either("Shell-Setup", "TimeZone"),
        system_locale: oobe("SystemLocale"),
        user_locale: oobe("UserLocale"),
        ui_language: oobe("UILanguage"),
        input_locale: oobe("InputLocale"),
        administrator_password: password(&get, "UserAccounts/AdministratorPassword", "AdministratorPassword"),
        local_accounts: accounts(settings),
        copy_profile: copy_profile.is_some_and(|text| matches!(text.trim(), "true" | "True" | "1")),
        cloudbase_in_specialize: paths.any(|path| path.text().unwrap_or_default().contains("cloudbase-init")),
        skip_machine_oobe: yes("OOBE/SkipMachineOOBE"),
        hide_eula: yes("OOBE/HideEULAPage"),
        hide_local_account: yes("OOBE/HideLocalAccountScreen"),
    }
}

fn collect(node: Node<'_, '_>, place: (&str, &str), path: &str, leaves: &mut Leaves) {
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        let inner = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}/{name}")
        };
        if !child.children().any(|inside| inside.is_element()) {
            let text = child.text().unwrap_or_default().to_owned();
            leaves.insert((place.0.to_owned(), place.1.to_owned(), inner.clone()), text);
        }
        collect(child, place, &inner, leaves);
    }
}

fn password(get: &dyn Fn(&str, &str, &str) -> Option<String>, path: &str, suffix: &str) -> Option<String> {
    let text = get("oobeSystem", "Shell-Setup", &format!("{path}/Value"))?;
    let plain = get("oobeSystem", "Shell-Setup", &format!("{path}/PlainText"));
    reveal(&text, plain.as_deref(), suffix)
}

pub(super) fn reveal(text: &str, plain: Option<&str>, suffix: &str) -> Option<String> {
    if plain.is_none_or(|plain| plain.trim().eq_ignore_ascii_case("true")) {
        return Some(text.to_owned());
    }
    let bytes = BASE64_STANDARD.decode(text.trim()).ok()?;
    from_utf16le(&bytes)?.strip_suffix(suffix).map(ToOwned::to_owned)
}

fn accounts(settings: &[Node<'_, '_>]) -> Vec<(String, String)> {
    let oobe = settings
        .iter()
        .filter(|node| node.attribute("pass") == Some("oobeSystem"));
    let found = oobe
        .flat_map(Node::descendants)
        .filter(|node| node.has_tag_name((NS, "LocalAccount")));
    let read = found.filter_map(|node| {
        let password = node.children().find(|child| child.has_tag_name((NS, "Password")))?;
        let value = text_of(password, "Value").unwrap_or_default();
        let plain = text_of(password, "PlainText");
        Some((text_of(node, "Name")?.to_owned(), reveal(value, plain, "Password")?))
    });
    read.collect()
}
