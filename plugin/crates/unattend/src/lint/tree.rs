//! U006 to U008, U015, U021 to U023: every element against the catalogue.

use std::collections::HashMap;

use reseal_diag::{Span, nearest};
use roxmltree::Node;

use super::{is_convenience, template};
use crate::catalogue::{Component, Kind, Setting, Status, Type, catalogue, check_value, is_true};
use crate::document::{AnswerFile, Part};
use crate::finding::Finding;
use crate::placeholder::is_template;
use crate::target::{Pass, Target, Windows};
use crate::xml::{self, UNATTEND, name_span, text_span};

/// Checks all components.
pub(super) fn check(file: &AnswerFile<'_, '_>, target: &Target, findings: &mut Vec<Finding>) {
    for part in &file.parts {
        match part.known {
            Some(component) => check_component(part, component, target, findings),
            None => findings.extend(unknown_component(part)),
        }
    }
}

fn unknown_component(part: &Part<'_, '_>) -> Option<Finding> {
    if part.name.is_empty() || is_template(part.name) {
        return None;
    }
    let place = xml::attribute(part.node, "name").map(|name| xml::span(name.range_value()))?;
    let near = nearest(part.name, catalogue().components().iter().map(|one| one.name))
        .filter(|near| strsim::damerau_levenshtein(&near.to_lowercase(), &part.name.to_lowercase()) <= 3);
    Some(match near {
        Some(near) => Finding::error("U006", place, format!("Windows has no component `{}`", part.name))
            .help(format!("did you mean `{near}`?"))
            .suggest(place, near, "use the known name"),
        None => Finding::warning(
            "U006",
            place,
            format!("the component `{}` is not in the catalogue", part.name),
        )
        .help("if the image has no such component, its settings are left out, or Setup stops"),
    })
}

struct Scope<'t> {
    component: &'static Component,
    pass: Pass,
    target: &'t Target,
}

fn check_component(part: &Part<'_, '_>, component: &'static Component, target: &Target, findings: &mut Vec<Finding>) {
    let scope = Scope {
        component,
        pass: part.pass,
        target,
    };
    check_loose_text(part.node, component.name, findings);
    if idle_as_a_whole(part, component) {
        findings.push(idle_component(part, component));
        // What was meant tells which settings there are.
        let meant = sibling(part, component).unwrap_or(component);
        check_children(&scope, part.node, &meant.settings, None, true, findings);
    } else {
        check_children(&scope, part.node, &component.settings, None, false, findings);
    }
}

/// Whether no setting of the component is read in the pass, as far as anything is known about passes.
fn idle_as_a_whole(part: &Part<'_, '_>, component: &Component) -> bool {
    !component.passes.is_empty() && !component.passes.has(part.pass)
}

fn idle_component(part: &Part<'_, '_>, component: &Component) -> Finding {
    let place = xml::attribute(part.node, "name").map_or(name_span(part.node), |name| xml::span(name.range_value()));
    let said = format!(
        "`{}` is not read in the pass `{}`, only in {}",
        component.name, part.pass, component.passes
    );
    let finding = if is_convenience(component.name) {
        Finding::hint("U007", place, said)
    } else {
        Finding::error("U007", place, said)
    };
    match sibling(part, component) {
        Some(sibling) => finding.help(format!("in this pass it is called `{}`", sibling.name)),
        None => finding.help("move it to a pass where it is read; here it has no effect"),
    }
}

/// The component's namesake in Windows PE, or outside of it, when that is read in the pass.
fn sibling(part: &Part<'_, '_>, component: &Component) -> Option<&'static Component> {
    let name = match component.name.strip_suffix("-WinPE") {
        Some(plain) => plain.to_owned(),
        None => format!("{}-WinPE", component.name),
    };
    catalogue()
        .component(&name)
        .filter(|sibling| sibling.passes.has(part.pass))
}

/// Checks the elements below `node` against `known`. `idle` says that a parent was already reported for its pass.
fn check_children(
    scope: &Scope<'_>,
    node: Node<'_, '_>,
    known: &'static [Setting],
    parent: Option<&'static Setting>,
    idle: bool,
    findings: &mut Vec<Finding>,
) {
    let mut seen: HashMap<&'static str, Span> = HashMap::new();
    for child in xml::elements(node) {
        let name = child.tag_name().name();
        if child
            .tag_name()
            .namespace()
            .is_some_and(|own| own != UNATTEND && !own.is_empty())
        {
            continue;
        }
        let found = known
            .iter()
            .find(|one| one.name.eq_ignore_ascii_case(name) && !one.name.starts_with('@'));
        let Some(setting) = found else {
            findings.push(unknown_setting(scope, child, known, parent));
            continue;
        };
        if setting.kind != Kind::Item && !template::chooses(node) {
            check_once(setting, child, &mut seen, findings);
        }
        let idle = check_setting(scope, setting, child, idle, findings);
        if !is_text_only(setting) {
            check_children(scope, child, &setting.children, Some(setting), idle, findings);
        }
    }
    check_required(node, known, parent, findings);
}

fn check_once(
    setting: &'static Setting,
    node: Node<'_, '_>,
    seen: &mut HashMap<&'static str, Span>,
    findings: &mut Vec<Finding>,
) {
    let place = name_span(node);
    match seen.get(setting.name) {
        Some(first) => findings.push(
            Finding::error("U003", place, format!("`{}` is set twice", setting.name))
                .related(*first, "the first one")
                .help("Setup refuses a setting that stands twice; keep one"),
        ),
        None => {
            seen.insert(setting.name, place);
        }
    }
}

/// Checks one element; returns whether it, or a parent, is in a pass where it is not read.
fn check_setting(
    scope: &Scope<'_>,
    setting: &'static Setting,
    node: Node<'_, '_>,
    idle: bool,
    findings: &mut Vec<Finding>,
) -> bool {
    let place = name_span(node);
    let written = node.tag_name().name();
    if written != setting.name {
        let found = format!("the reference spells it `{}`", setting.name);
        findings.push(Finding::hint("U022", place, found).help("Setup does not mind; people who search do"));
    }
    let now_idle = idle || check_pass(scope, setting, node, findings);
    check_status(setting, place, findings);
    check_edition(scope, setting, place, findings);
    check_content(setting, node, findings);
    now_idle
}

fn check_pass(scope: &Scope<'_>, setting: &'static Setting, node: Node<'_, '_>, findings: &mut Vec<Finding>) -> bool {
    if setting.passes.is_empty() || setting.passes.has(scope.pass) {
        return false;
    }
    let said = format!(
        "`{}` is not read in the pass `{}`, only in {}",
        setting.name, scope.pass, setting.passes
    );
    let place = name_span(node);
    // Of settings that left the reference, the passes are known from old pages only.
    let finding = if matches!(setting.status, Status::Removed(_)) {
        Finding::hint("U007", place, said)
    } else if changes_nothing(setting, node) {
        Finding::hint("U007", place, said).help("it says what Windows does anyway, so nothing is lost")
    } else {
        Finding::error("U007", place, said)
            .help("Setup leaves it out without a word; move it to a pass where it is read")
    };
    findings.push(finding);
    true
}

/// Whether the value is what Windows does without the setting. A computer gets a random name, as `*` gives it.
fn changes_nothing(setting: &Setting, node: Node<'_, '_>) -> bool {
    let text = xml::text(node);
    let text = text.trim();
    let default = if setting.path == "ComputerName" {
        "*"
    } else {
        setting.default
    };
    !text.is_empty() && text.eq_ignore_ascii_case(default)
}

fn check_status(setting: &'static Setting, place: Span, findings: &mut Vec<Finding>) {
    let since = |version: &str| {
        if version.is_empty() {
            String::new()
        } else {
            format!(" since {version}")
        }
    };
    let said = match setting.status {
        Status::Current => return,
        Status::Deprecated(version) => format!("`{}` is deprecated{}", setting.name, since(version)),
        Status::Removed(version) => format!("`{}` is no longer in the reference{}", setting.name, since(version)),
        Status::Reserved => format!("`{}` is not supported for public use", setting.name),
    };
    let finding = Finding::hint("U015", place, said);
    findings.push(match setting.note {
        "" => finding,
        note => finding.help(note),
    });
}

/// U023: settings that the target's build does not know, or not yet.
fn check_edition(scope: &Scope<'_>, setting: &'static Setting, place: Span, findings: &mut Vec<Finding>) {
    let Some(build) = scope.target.build() else { return };
    let Some(first) = first_build(setting.applies_to) else {
        return;
    };
    if build < first {
        let name = scope
            .target
            .windows
            .map_or_else(|| format!("build {build}"), |one| one.to_string());
        findings.push(
            Finding::error("U023", place, format!("{name} does not know `{}`", setting.name)).help(format!(
                "it applies to {}; older Setups refuse the file with 0x80220001",
                setting.applies_to
            )),
        );
    }
    if setting.applies_to == "not Windows 11" && scope.target.windows == Some(Windows::Windows11) {
        findings.push(Finding::hint(
            "U023",
            place,
            format!("`{}` has no effect on Windows 11", setting.name),
        ));
    }
}

/// The first build that a restriction names.
fn first_build(applies_to: &str) -> Option<u32> {
    Some(match applies_to {
        "from Windows 10 1511" => 10586,
        "from 1607" => 14393,
        "from 1703" => 15063,
        "from 1709" => 16299,
        "from 1803" => 17134,
        "from 1809" => 17763,
        "Windows 11" => 22000,
        "Windows 11 24H2" => 26100,
        "not Windows 11" => 0,
        _ => return None,
    })
}

fn check_content(setting: &'static Setting, node: Node<'_, '_>, findings: &mut Vec<Finding>) {
    if setting.value.is_none() {
        if setting.kind != Kind::Leaf {
            check_loose_text(node, setting.name, findings);
        }
        return;
    }
    if let Some(inner) = xml::elements(node).next().filter(|_| is_text_only(setting)) {
        findings.push(elements_in_text(setting, inner));
        return;
    }
    let text = xml::text(node);
    if text.trim().is_empty() {
        findings.extend(check_empty(setting, node));
    } else if setting.path == "UserData/AcceptEula" && text.trim().eq_ignore_ascii_case("false") {
        let said = "`AcceptEula` is not `true`".to_owned();
        findings.extend(
            node.parent()
                .map(|parent| stops_at_terms(parent, text_span(node), said)),
        );
    } else if !is_template(&text) || is_command(setting) && !text.contains("{{") && !text.contains("${") {
        findings.extend(check_text(setting, node, &text));
    }
}

/// Commands use `%NAME%` and `$(…)` themselves, which are no marks of a template there.
fn is_command(setting: &Setting) -> bool {
    ["Path", "CommandLine"].contains(&setting.name) && setting.path.contains("Command[]/")
}

fn elements_in_text(setting: &'static Setting, inner: Node<'_, '_>) -> Finding {
    let said = format!("`{}` takes a text, not elements", setting.name);
    let finding = Finding::error("U021", name_span(inner), said);
    if setting.has_key_attribute() {
        finding.help("the key is the attribute `wcm:keyValue` of the item, and the value its own text")
    } else {
        finding
    }
}

/// Whether only text may stand in it.
fn is_text_only(setting: &Setting) -> bool {
    setting.value.is_some() && setting.children.iter().all(|child| child.name.starts_with('@'))
}

fn check_text(setting: &'static Setting, node: Node<'_, '_>, text: &str) -> Option<Finding> {
    let fault = check_value(setting, text)?;
    let place = text_span(node);
    let message = format!("`{}` {}", setting.name, fault.message);
    let finding = Finding::error("U008", place, message).help("Setup refuses the file with 0x80220005");
    Some(match fault.suggestion {
        Some(value) if setting.value == Some(Type::Boolean) => finding.fix(place, value, format!("write `{value}`")),
        Some(value) => finding.suggest(place, value, format!("did you mean `{value}`?")),
        None => finding,
    })
}

/// An empty element. Templates in daily use leave keys, names and credentials empty for a person to fill in.
fn check_empty(setting: &'static Setting, node: Node<'_, '_>) -> Option<Finding> {
    let typed = !matches!(setting.value, Some(Type::Text | Type::Path));
    if setting.empty_ok == Some(true) || (setting.empty_ok.is_none() && !typed) {
        return None;
    }
    let place = name_span(node);
    let message = format!("`{}` is empty", setting.name);
    let form = setting.secret
        || [
            "Credentials",
            "Identification",
            "UserData",
            "Organization",
            "ProductKey",
            "SupportProvider",
            "InstallFrom",
            "Label",
        ]
        .iter()
        .any(|form| setting.path.split('/').any(|step| step == *form));
    Some(if form {
        Finding::hint("U008", place, message).help("the reference forbids that; fill it in or leave the element out")
    } else {
        Finding::error("U008", place, message).help("leave the element out, or give it a value")
    })
}

/// U021: text where only elements may stand.
fn check_loose_text(node: Node<'_, '_>, name: &str, findings: &mut Vec<Finding>) {
    let loose = node
        .children()
        .find(|child| child.is_text() && child.text().is_some_and(|text| !text.trim().is_empty()));
    let Some(loose) = loose else { return };
    if is_template(loose.text().unwrap_or("")) {
        return;
    }
    let raw = node.document().input_text().get(loose.range()).unwrap_or("");
    let lead = raw.len() - raw.trim_start().len();
    let start = loose.range().start + lead;
    let span = Span::new(start, start + raw.trim().len());
    let message = format!("`{name}` takes elements, not a text");
    // Beside elements it is passed over: working files have such notes.
    findings.push(if xml::elements(node).next().is_some() {
        Finding::hint("U021", span, message).help("Setup passes over it; a note belongs into a comment")
    } else {
        Finding::error("U021", span, message).help(format!("the text belongs into an element below `{name}`"))
    });
}

/// U028: children that must be there.
fn check_required(
    node: Node<'_, '_>,
    known: &'static [Setting],
    parent: Option<&'static Setting>,
    findings: &mut Vec<Finding>,
) {
    let Some(parent) = parent else { return };
    for setting in known
        .iter()
        .filter(|setting| setting.required && setting.name != "LogonCount")
    {
        let key = parent.list_key == Some(setting.name);
        let missing = xml::child(node, setting.name).is_none() && has_own_elements(node);
        if !key && missing && !template::chooses(node) {
            findings.push(missing_child(node, parent, setting));
        }
    }
}

fn missing_child(node: Node<'_, '_>, parent: &'static Setting, setting: &'static Setting) -> Finding {
    let said = format!("`{}` has no `{}`", parent.name, setting.name);
    if setting.name == "AcceptEula" {
        return stops_at_terms(node, name_span(node), said);
    }
    Finding::warning("U028", name_span(node), said).help("the reference asks for it")
}

/// Who names no place for Windows sits before the screen anyway.
fn stops_at_terms(user_data: Node<'_, '_>, place: Span, said: String) -> Finding {
    let unwatched = user_data.parent().is_some_and(|setup| {
        let any = xml::text_at(setup, "ImageInstall/OSImage/InstallToAvailablePartition");
        let named = ["DiskConfiguration/Disk", "ImageInstall/OSImage/InstallTo"];
        any.is_some_and(|text| is_true(&text)) || named.iter().any(|path| xml::at(setup, path).is_some())
    });
    let finding = if unwatched {
        Finding::warning("U028", place, said)
    } else {
        Finding::hint("U028", place, said)
    };
    finding.help("Setup shows the licence terms and waits")
}

fn has_own_elements(node: Node<'_, '_>) -> bool {
    xml::elements(node).next().is_some()
}

fn unknown_setting(
    scope: &Scope<'_>,
    node: Node<'_, '_>,
    known: &'static [Setting],
    parent: Option<&'static Setting>,
) -> Finding {
    let name = node.tag_name().name();
    let place = name_span(node);
    let owner = parent.map_or(scope.component.name, |parent| parent.name);
    if scope.component.settings.is_empty() && matches!(scope.component.status, Status::Removed(_)) {
        return Finding::hint(
            "U006",
            place,
            format!("the settings of `{owner}` are no longer in the reference"),
        );
    }
    let finding = Finding::error("U006", place, format!("`{owner}` has no setting `{name}`"));
    if parent.is_some_and(Setting::has_key_attribute) && ["key", "value"].contains(&name.to_ascii_lowercase().as_str())
    {
        return finding.help("the key is the attribute `wcm:keyValue` of the item, and the value its own text");
    }
    let near = nearest(
        name,
        known.iter().map(|one| one.name).filter(|one| !one.starts_with('@')),
    );
    if let Some(near) = near {
        let (span, text) = xml::renamed(node, near);
        return finding
            .help(format!("did you mean `{near}`?"))
            .suggest(span, text, "use the known name");
    }
    match owners(scope, name, parent) {
        owners if owners.is_empty() => {
            let finding = finding.help("Setup refuses the file with 0x80220001");
            match parent.and_then(|_| listed(known)) {
                Some(names) => finding.help(format!("`{owner}` has {names}")),
                None => finding,
            }
        }
        owners => finding.help(format!("it belongs to {owners}")),
    }
}

/// The names of a few settings.
fn listed(known: &[Setting]) -> Option<String> {
    let names: Vec<String> = known
        .iter()
        .filter(|one| !one.name.starts_with('@'))
        .map(|one| format!("`{}`", one.name))
        .collect();
    (1..=8).contains(&names.len()).then(|| names.join(", "))
}

/// Where else a setting of this name exists.
fn owners(scope: &Scope<'_>, name: &str, parent: Option<&'static Setting>) -> String {
    let own = scope
        .component
        .all()
        .into_iter()
        .find(|one| one.name.eq_ignore_ascii_case(name) && one.children.is_empty() == (one.kind == Kind::Leaf));
    if let Some(own) = own.filter(|own| parent.is_none_or(|parent| !own.path.starts_with(parent.path))) {
        return format!("`{}` of this component", own.path.replace("[]", ""));
    }
    let names: Vec<String> = catalogue()
        .owners(name)
        .take(3)
        .map(|component| format!("`{}`", component.name))
        .collect();
    names.join(" or ")
}

#[cfg(test)]
mod tests {
    use crate::lint::lint_text;
    use crate::target::Target;

    /// The text after the first suggestion of the first finding.
    fn suggestion(inside: &str) -> String {
        let text = format!(
            "<unattend xmlns='urn:schemas-microsoft-com:unattend'><settings pass='oobeSystem'><component \
             name='Microsoft-Windows-Shell-Setup' processorArchitecture='amd64' publicKeyToken='31bf3856ad364e35' \
             language='neutral'>{inside}</component></settings></unattend>"
        );
        let finding = lint_text(&text, &Target::default()).into_iter().next().unwrap();
        let fix = finding.fix.unwrap();
        let cut = |from, to| text.get(from..to).unwrap();
        let whole = format!(
            "{}{}{}",
            cut(0, fix.span.start),
            fix.replacement,
            cut(fix.span.end, text.len())
        );
        whole
            .split("language='neutral'>")
            .nth(1)
            .unwrap()
            .split("</component>")
            .next()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn a_misspelt_name_is_changed_in_both_tags() {
        assert_eq!(suggestion("<TimeZon>UTC</TimeZon>"), "<TimeZone>UTC</TimeZone>");
        assert_eq!(suggestion("<OOBEE><a/></OOBEE >"), "<OOBE><a/></OOBE>");
        assert_eq!(suggestion("<TimeZon/>"), "<TimeZone/>");
    }

    #[test]
    fn a_misplaced_setting_is_sent_to_its_owner() {
        let text = "<unattend xmlns='urn:schemas-microsoft-com:unattend'><settings pass='specialize'><component \
                    name='Microsoft-Windows-Shell-Setup' processorArchitecture='amd64' \
                    publicKeyToken='31bf3856ad364e35' language='neutral'><RunSynchronous/></component></settings></unattend>";
        let finding = lint_text(text, &Target::default()).into_iter().next().unwrap();
        assert_eq!(finding.code, "U006");
        assert_eq!(
            finding.help,
            ["it belongs to `Microsoft-Windows-Deployment` or `Microsoft-Windows-Setup`"]
        );
    }
}
