//! U001 to U004: the root, passes and the identity of components; U027: Setup's own copy.

use std::collections::HashMap;
use std::str::FromStr as _;

use reseal_diag::{Span, nearest};
use roxmltree::{Node, NodeId};

use super::template;
use crate::document::AnswerFile;
use crate::finding::Finding;
use crate::placeholder::is_template;
use crate::target::{Architecture, Context, Pass, Target};
use crate::xml::{self, UNATTEND, name_span, span};

/// The public key token of all of Windows' own components.
pub(crate) const TOKEN: &str = "31bf3856ad364e35";

/// Checks name and namespace of the root; `false` when nothing below can make sense.
pub(super) fn check_root(root: Node<'_, '_>, findings: &mut Vec<Finding>) -> bool {
    let name = root.tag_name();
    if name.name() != "unattend" {
        let found = format!(
            "the root element is `{}`, and that of an answer file is `unattend`",
            name.name()
        );
        findings.push(Finding::error("U001", name_span(root), found));
        return name.name().eq_ignore_ascii_case("unattend");
    }
    if name.namespace() != Some(UNATTEND) {
        let found = match name.namespace() {
            Some(other) => format!("the root element is in the namespace `{other}`, which Setup does not read"),
            None => "the root element is in no namespace, so Setup does not read it".to_owned(),
        };
        let help = format!("write `<unattend xmlns=\"{UNATTEND}\">`");
        findings.push(Finding::error("U001", name_span(root), found).help(help));
    }
    true
}

/// Checks everything down to the components' start tags.
pub(super) fn check(file: &AnswerFile<'_, '_>, target: &Target, findings: &mut Vec<Finding>) {
    let mut passes: HashMap<Pass, Span> = HashMap::new();
    for node in xml::elements(file.root) {
        match node.tag_name().name() {
            "settings" => check_settings(file, node, target, &mut passes, findings),
            "servicing" => {}
            _ if node.tag_name().namespace() != Some(UNATTEND) => {}
            "component" => findings.push(
                Finding::error("U002", name_span(node), "a component stands outside of any `settings`")
                    .help("put it into `<settings pass=\"…\">`"),
            ),
            other if nearest(other, ["settings", "servicing"]).is_none() => findings.push(
                Finding::hint(
                    "U006",
                    name_span(node),
                    format!("`{other}` is nothing that Setup knows"),
                )
                .help("Setup passes over it, Windows SIM refuses it; give it a namespace of its own"),
            ),
            other => findings.push(stranger(node, other, &["settings", "servicing"])),
        }
    }
    check_doubles(file, findings);
    check_lost_namespace(file, findings);
    check_prefix(file.root, findings);
}

/// The prefix `wcm` bound to another namespace, so that no action and no key is seen.
fn check_prefix(root: Node<'_, '_>, findings: &mut Vec<Finding>) {
    let declares = |node: &Node<'_, '_>| {
        let own = node.lookup_namespace_uri(Some("wcm"));
        let above = node
            .parent_element()
            .and_then(|parent| parent.lookup_namespace_uri(Some("wcm")));
        own.is_some_and(|uri| uri != xml::WCM) && own != above
    };
    for node in root.descendants().filter(|node| node.is_element() && declares(node)) {
        let uri = node.lookup_namespace_uri(Some("wcm")).unwrap_or_default();
        let place = declaration(node, uri);
        let said = "the prefix `wcm` stands for another namespace here";
        let finding = if is_harmless(node, uri) {
            Finding::hint("U001", place, said).help("nothing is lost below, but it would be")
        } else {
            Finding::error("U001", place, said).help("no `wcm:action` and no `wcm:keyValue` is seen below")
        };
        findings.push(finding.suggest(place, xml::WCM, "use the right one"));
    }
}

/// Where the namespace is written in a start tag.
fn declaration(node: Node<'_, '_>, uri: &str) -> Span {
    let start = node.range().start;
    let tag = root_text(node).get(node.range()).unwrap_or("");
    tag.find(&format!("{uri}\""))
        .or_else(|| tag.find(&format!("{uri}'")))
        .map_or(name_span(node), |at| Span::new(start + at, start + at + uri.len()))
}

fn root_text<'i>(node: Node<'_, 'i>) -> &'i str {
    node.document().input_text()
}

/// Whether no attribute is lost by a wrong namespace. With `https`, as converted web pages have it, whole lists of items
/// without an action are in use; a key would be missed.
fn is_harmless(node: Node<'_, '_>, uri: &str) -> bool {
    let mut lost = node
        .descendants()
        .flat_map(|one| one.attributes())
        .filter(|one| one.namespace() == Some(uri));
    let only_scheme = uri.strip_prefix("https") == xml::WCM.strip_prefix("http");
    lost.all(|one| only_scheme && one.name() == "action")
}

/// `xmlns=""`, as programs leave it behind that add elements without their namespace.
fn check_lost_namespace(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    let lost = file.root.descendants().filter(|node| {
        let parent = node.parent_element().and_then(|parent| parent.tag_name().namespace());
        node.is_element() && node.tag_name().namespace().is_none_or(str::is_empty) && parent == Some(UNATTEND)
    });
    for node in lost {
        let said = format!(
            "`{}` is in no namespace, so Setup does not see it",
            node.tag_name().name()
        );
        findings.push(Finding::error("U001", name_span(node), said).help("remove `xmlns=\"\"`"));
    }
}

fn stranger(node: Node<'_, '_>, name: &str, known: &[&'static str]) -> Finding {
    let finding = Finding::error("U006", name_span(node), format!("`{name}` does not belong here"));
    match nearest(name, known.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding,
    }
}

fn check_settings(
    file: &AnswerFile<'_, '_>,
    node: Node<'_, '_>,
    target: &Target,
    passes: &mut HashMap<Pass, Span>,
    findings: &mut Vec<Finding>,
) {
    let place = name_span(node);
    let Some(attribute) = xml::attribute(node, "pass") else {
        let found = Finding::error("U002", place, "`settings` without `pass`");
        findings.push(found.help("say which configuration pass it is for"));
        return;
    };
    let value = span(attribute.range_value());
    match Pass::from_str(attribute.value().trim()) {
        Ok(pass) => {
            check_spelling(attribute.value(), pass, value, findings);
            check_idle(file, pass, value, target.context, findings);
            if let Some(first) = passes.get(&pass) {
                findings.push(
                    Finding::warning("U003", value, format!("a second `settings` for the pass `{pass}`"))
                        .related(*first, "the first one")
                        .help("put all components of a pass into one `settings`"),
                );
            } else {
                passes.insert(pass, value);
            }
        }
        Err(_) if is_template(attribute.value()) => {}
        Err(_) => findings.push(unknown_pass(attribute.value(), value)),
    }
    check_processed(node, findings);
    for child in xml::elements(node) {
        match child.tag_name().name() {
            "component" => check_identity(child, findings),
            _ if child.tag_name().namespace() != Some(UNATTEND) => {}
            other => findings.push(stranger(child, other, &["component"])),
        }
    }
}

/// No passes, and written on purpose: an installer's way to switch a pass off, and a name that schemas have.
const UNUSED_PASSES: &[&str] = &["disabled", "oobeUser"];

fn unknown_pass(written: &str, value: Span) -> Finding {
    if UNUSED_PASSES.contains(&written) {
        let said = format!("`{written}` is no configuration pass, so Setup leaves these settings out");
        return Finding::hint("U002", value, said).help("that is the purpose, perhaps; else remove them");
    }
    let words = Pass::ALL.iter().map(|pass| pass.word());
    let finding = Finding::error("U002", value, format!("there is no configuration pass `{written}`"));
    match nearest(written, words.clone()) {
        Some(near) => finding
            .help(format!("did you mean `{near}`?"))
            .suggest(value, near, "use the known name"),
        None => finding.help(format!("passes are {}", words.collect::<Vec<_>>().join(", "))),
    }
}

fn check_spelling(written: &str, pass: Pass, value: Span, findings: &mut Vec<Finding>) {
    if written != pass.word() {
        findings.push(
            Finding::warning("U002", value, format!("the pass is spelt `{pass}`")).fix(
                value,
                pass.word(),
                "spell it as Setup does",
            ),
        );
    }
}

/// Passes that the context never comes to. In a file that serves an installation from media as well they do no harm.
fn check_idle(file: &AnswerFile<'_, '_>, pass: Pass, value: Span, context: Context, findings: &mut Vec<Finding>) {
    let (idle, why): (fn(Pass) -> bool, &str) = match context {
        Context::Sysprep => (
            |pass| matches!(pass, Pass::WindowsPe | Pass::OfflineServicing),
            "sysprep and the first boot of an image never run it",
        ),
        Context::Offline => (
            |pass| pass != Pass::OfflineServicing,
            "DISM applies `offlineServicing` only",
        ),
        Context::Auto | Context::Setup => return,
    };
    if !idle(pass) {
        return;
    }
    let said = format!("the pass `{pass}` has no effect here");
    let finding = if file.parts.iter().any(|part| !idle(part.pass)) {
        Finding::hint("U002", value, said)
    } else {
        Finding::warning("U002", value, said)
    };
    findings.push(finding.help(format!("{why}; its settings may be left out")));
}

fn check_processed(node: Node<'_, '_>, findings: &mut Vec<Finding>) {
    let processed = node
        .attributes()
        .find(|one| one.name().eq_ignore_ascii_case("wasPassProcessed"));
    if let Some(attribute) = processed.filter(|one| one.value().trim().eq_ignore_ascii_case("true")) {
        findings.push(
            Finding::hint(
                "U027",
                span(attribute.range()),
                "this pass is marked as done, so Setup skips it",
            )
            .help("the file is a copy from `Panther` of a machine already set up; remove the attribute"),
        );
    }
}

const IDENTITY: &[&str] = &[
    "name",
    "processorArchitecture",
    "publicKeyToken",
    "language",
    "versionScope",
];

fn check_identity(node: Node<'_, '_>, findings: &mut Vec<Finding>) {
    for attribute in node.attributes().filter(|one| one.namespace().is_none()) {
        if !IDENTITY.contains(&attribute.name()) {
            findings.push(unknown_attribute(attribute.name(), span(attribute.range_qname())));
        }
    }
    let place = name_span(node);
    let get = |name| xml::attribute(node, name);
    for name in ["name", "processorArchitecture", "publicKeyToken", "language"] {
        if get(name).is_none() {
            findings.push(missing(node, name, place));
        }
    }
    for attribute in ["name", "publicKeyToken", "language"].into_iter().filter_map(get) {
        findings.extend(padded(attribute.value(), span(attribute.range_value())));
    }
    if let Some(attribute) = get("processorArchitecture") {
        check_architecture(attribute.value(), span(attribute.range_value()), findings);
    }
    check_rest(node, findings);
}

/// A blank at the end of a name makes it another one.
fn padded(value: &str, place: Span) -> Option<Finding> {
    let trimmed = value.trim();
    (trimmed != value && !trimmed.is_empty()).then(|| {
        Finding::error("U004", place, "there is a blank before or after the value").fix(place, trimmed, "remove it")
    })
}

fn missing(node: Node<'_, '_>, name: &str, place: Span) -> Finding {
    let finding = Finding::error("U004", place, format!("the component has no `{name}`"));
    let value = match name {
        "publicKeyToken" => TOKEN,
        "language" => "neutral",
        _ => return finding.help("without it Setup does not know which component is meant"),
    };
    let known = node
        .attribute("name")
        .is_some_and(|name| crate::catalogue::catalogue().component(name).is_some());
    let finding = finding.help(format!("add `{name}=\"{value}\"`"));
    let near_miss = node
        .attributes()
        .any(|one| nearest(one.name(), IDENTITY.iter().copied()) == Some(name));
    if known && !near_miss {
        finding.fix(
            Span::new(place.end, place.end),
            format!(" {name}=\"{value}\""),
            "add it",
        )
    } else {
        finding
    }
}

fn unknown_attribute(name: &str, place: Span) -> Finding {
    let finding = |near: &str| {
        Finding::error("U004", place, format!("a component has no attribute `{name}`"))
            .help(format!("did you mean `{near}`?"))
            .suggest(place, near, "use the known name")
    };
    match nearest(name, IDENTITY.iter().copied()) {
        Some(near) => finding(near),
        None => Finding::hint("U004", place, format!("`{name}` is not an attribute that Setup knows")),
    }
}

fn check_architecture(value: &str, place: Span, findings: &mut Vec<Finding>) {
    match Architecture::from_word(value.trim()) {
        Some(known) if known.word() == value => {}
        Some(known) => findings.push(
            Finding::hint("U004", place, format!("the architecture is spelt `{known}`")).fix(
                place,
                known.word(),
                "spell it as Windows does",
            ),
        ),
        None if is_template(value) => {}
        None => {
            let near = match value.trim().to_ascii_lowercase().as_str() {
                "x64" | "x86_64" | "x86-64" | "ia32e" | "64" => Some("amd64"),
                "i386" | "i686" | "ia32" | "32" => Some("x86"),
                "aarch64" => Some("arm64"),
                other => nearest(other, Architecture::ALL.iter().map(|one| one.word())),
            };
            // The older ones exist; nobody images them any more.
            if ["ia64", "arm"].contains(&value.trim().to_ascii_lowercase().as_str()) {
                return;
            }
            let finding = Finding::error("U004", place, format!("there is no architecture `{value}`"));
            findings.push(match near {
                Some(near) => finding
                    .help(format!("did you mean `{near}`?"))
                    .fix(place, near, "use the known name"),
                None => finding.help("Windows knows amd64, arm64, x86 and wow64"),
            });
        }
    }
}

fn check_rest(node: Node<'_, '_>, findings: &mut Vec<Finding>) {
    let known = node
        .attribute("name")
        .is_some_and(|name| crate::catalogue::catalogue().component(name).is_some());
    if let Some(token) = xml::attribute(node, "publicKeyToken") {
        let place = span(token.range_value());
        if known && !token.value().trim().eq_ignore_ascii_case(TOKEN) && !is_template(token.value()) {
            findings.push(
                Finding::error("U004", place, "this is not the public key token of Windows' components")
                    .help(format!(
                        "it is `{TOKEN}`; with another one Setup does not find the component"
                    ))
                    .fix(place, TOKEN, "use Windows' token"),
            );
        }
    }
    if let Some(language) = xml::attribute(node, "language")
        && !language.value().trim().eq_ignore_ascii_case("neutral")
        && !is_template(language.value())
    {
        findings.push(
            Finding::warning(
                "U004",
                span(language.range_value()),
                "the components of answer files are `neutral`",
            )
            .help("set languages in Microsoft-Windows-International-Core, not here"),
        );
    }
    if let Some(scope) = xml::attribute(node, "versionScope") {
        let fits = ["nonSxS", "SxS"]
            .iter()
            .any(|one| one.eq_ignore_ascii_case(scope.value().trim()));
        if !fits && !is_template(scope.value()) {
            let place = span(scope.range_value());
            findings.push(
                Finding::warning("U004", place, format!("there is no version scope `{}`", scope.value())).fix(
                    place,
                    "nonSxS",
                    "use `nonSxS`",
                ),
            );
        }
    }
}

/// U003: a component twice in one `settings`; two `settings` for one pass are a matter of their own.
fn check_doubles(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    let mut seen: HashMap<(NodeId, String), Span> = HashMap::new();
    let certain = |node: &Node<'_, '_>| node.parent().is_some_and(|parent| !template::chooses(parent));
    for part in file.parts.iter().filter(|part| certain(&part.node)) {
        let lower = |name: &str| part.node.attribute(name).unwrap_or("").trim().to_ascii_lowercase();
        let identity = ["name", "processorArchitecture", "language"].map(lower).join("|");
        let place = xml::attribute(part.node, "name").map_or(name_span(part.node), |name| span(name.range_value()));
        let settings = part.node.parent().map_or(part.node.id(), |settings| settings.id());
        if let Some(first) = seen.get(&(settings, identity.clone())) {
            findings.push(
                Finding::error(
                    "U003",
                    place,
                    format!("`{}` stands twice in the pass `{}`", part.name, part.pass),
                )
                .related(*first, "the first one")
                .help("put all its settings into one; Setup refuses the file with 0x8022001b"),
            );
        } else {
            seen.insert((settings, identity), place);
        }
    }
}
