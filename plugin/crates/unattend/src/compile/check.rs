//! Wants against the catalogue, before any file is touched.

use reseal_diag::{Diagnostic, nearest};

use super::Problem;
use super::want::{Body, Content, Element, Text, Want};
use crate::catalogue::{
    Component, Kind, Setting, TagFault, catalogue, check_input, check_tag, check_value, find_zone, guess_zone,
};
use crate::lint::{account_fault, name_fault};
use crate::placeholder::{has_secret, masked};
use crate::target::Target;

/// What is wrong with the wants.
pub(super) fn check(wants: &[Want], target: &Target) -> Vec<Problem> {
    wants.iter().flat_map(|want| check_want(want, target)).collect()
}

fn check_want(want: &Want, target: &Target) -> Vec<Problem> {
    let Some(component) = want.known() else {
        return vec![unknown_component(want)];
    };
    let (setting, mut problems) = match resolve(want, component) {
        Ok(setting) => (setting, vec![]),
        Err(problem) => return vec![problem],
    };
    problems.extend(check_place(want, setting, target));
    match &want.content {
        Content::Nothing => {}
        Content::Text(text) => problems.extend(check_leaf(&want.option, component, setting, text)),
        Content::Item(element) => problems.extend(check_item(want, component, setting, element)),
    }
    problems
}

fn unknown_component(want: &Want) -> Problem {
    let near = nearest(&want.component, catalogue().components().iter().map(|one| one.name));
    let message = format!("the component `{}` is not in the catalogue", want.component);
    let diagnostic = match near {
        Some(near) => Diagnostic::error("U006", message).help(format!("did you mean `{near}`?")),
        None => {
            Diagnostic::warning("U006", message).help("if the image has no such component, the first boot may stop")
        }
    };
    Problem::option(&want.option, diagnostic)
}

/// The setting of a path, or a complaint about the first step that does not exist.
fn resolve(want: &Want, component: &'static Component) -> Result<&'static Setting, Problem> {
    let mut level = &component.settings;
    let mut owner = component.name;
    let mut found = None;
    for step in &want.path {
        let next = level.iter().find(|one| one.name.eq_ignore_ascii_case(step));
        let Some(setting) = next.filter(|one| !one.name.starts_with('@')) else {
            return Err(unknown_setting(want, owner, step, level));
        };
        (level, owner, found) = (&setting.children, setting.name, Some(setting));
    }
    found
        .or_else(|| match &want.content {
            Content::Item(element) => component.child(&element.name),
            _ => None,
        })
        .ok_or_else(|| unknown_setting(want, owner, "", level))
}

fn unknown_setting(want: &Want, owner: &str, name: &str, level: &'static [Setting]) -> Problem {
    let diagnostic = Diagnostic::error("U006", format!("`{owner}` has no setting `{name}`"));
    let near = nearest(
        name,
        level.iter().map(|one| one.name).filter(|one| !one.starts_with('@')),
    );
    let diagnostic = match near {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => match catalogue().owners(name).next() {
            Some(other) => diagnostic.help(format!("it belongs to `{}`", other.name)),
            None => diagnostic.help("Setup refuses a file with unknown settings"),
        },
    };
    Problem::option(&want.option, diagnostic)
}

fn check_place(want: &Want, setting: &'static Setting, target: &Target) -> Option<Problem> {
    if matches!(want.content, Content::Nothing) {
        return None;
    }
    if !setting.passes.is_empty() && !setting.passes.has(want.pass) {
        let message = format!(
            "`{}` is not read in the pass `{}`, only in {}",
            setting.name, want.pass, setting.passes
        );
        return Some(Problem::option(&want.option, Diagnostic::error("U007", message)));
    }
    let windows = target.windows?;
    let server_only = setting.applies_to == "Windows Server" && !windows.is_server();
    server_only.then(|| {
        let message = format!("`{}` is for servers and has no effect on {windows}", setting.name);
        Problem::option(
            &want.option,
            Diagnostic {
                severity: reseal_diag::Severity::Note,
                ..Diagnostic::warning("U023", message)
            },
        )
    })
}

fn check_leaf(option: &str, component: &Component, setting: &'static Setting, text: &Text) -> Option<Problem> {
    let complain = |diagnostic| Some(Problem::option(option, diagnostic));
    if setting.value.is_none() {
        let message = format!("`{}` takes {}, not a text", setting.name, inner_names(setting));
        return complain(Diagnostic::error("U021", message));
    }
    if setting.kind == Kind::Item {
        let message = format!("`{}` is an item of a list: write a list", setting.name);
        return complain(Diagnostic::error("U021", message));
    }
    if text.secret && !is_key(setting) && masked(&text.template) != text.template {
        return complain(
            Diagnostic::error("U104", format!("`{}` may not be written out in a spec", setting.name))
                .help("declare a variable with `sensitive: true` and write `${name}` here"),
        );
    }
    if text.template.trim().is_empty() {
        // An empty password is a password.
        if text.obscured.is_some() || setting.secret && setting.empty_ok == Some(true) {
            return None;
        }
        let message = format!("`{}` is empty", setting.name);
        return complain(
            Diagnostic::error("U008", message).help("leave it out, or say `null` to take it out of the base"),
        );
    }
    if has_secret(&text.template) || text.obscured.is_some() {
        return None;
    }
    special(option, component, setting, &text.template).or_else(|| {
        let fault = check_value(setting, &text.template)?;
        let shown = if text.secret {
            fault.message.split(", not ").next().unwrap_or("").to_owned()
        } else {
            fault.message
        };
        let diagnostic = Diagnostic::error("U008", format!("`{}` {shown}", setting.name));
        complain(match fault.suggestion {
            Some(suggestion) => diagnostic.help(format!("did you mean `{suggestion}`?")),
            None => diagnostic,
        })
    })
}

/// Product keys are written into specs; whoever minds takes a variable.
fn is_key(setting: &Setting) -> bool {
    ["ProductKey", "Key"].contains(&setting.name)
}

fn inner_names(setting: &'static Setting) -> String {
    let names: Vec<String> = setting
        .children
        .iter()
        .take(6)
        .map(|child| format!("`{}`", child.name))
        .collect();
    names.join(", ")
}

/// Settings with rules of their own.
fn special(option: &str, component: &Component, setting: &'static Setting, text: &str) -> Option<Problem> {
    let complain = |diagnostic| Some(Problem::option(option, diagnostic));
    match (component.name, setting.path) {
        ("Microsoft-Windows-Shell-Setup", "TimeZone") if find_zone(text).is_none() => {
            let diagnostic = Diagnostic::error("U011", format!("there is no time zone `{text}`"));
            complain(match guess_zone(text) {
                Some(zone) => diagnostic.help(format!("did you mean `{}`?", zone.id)),
                None => {
                    diagnostic.help("write an id such as `Korea Standard Time`, or an IANA name such as `Asia/Seoul`")
                }
            })
        }
        ("Microsoft-Windows-Shell-Setup", "ComputerName") if text != "*" => {
            let fault = name_fault(text)?;
            let message = format!("`{text}` is not a computer name: {fault}");
            complain(Diagnostic::error("U010", message).help("use letters, digits and hyphens, 15 at most; or `*`"))
        }
        ("Microsoft-Windows-Shell-Setup", "AutoLogon/Username" | "UserAccounts/LocalAccounts/LocalAccount[]/Name") => {
            let fault = account_fault(text)?;
            complain(Diagnostic::error(
                "U025",
                format!("`{text}` cannot be the name of an account: {fault}"),
            ))
        }
        ("Microsoft-Windows-International-Core", name) => locale(option, name, text),
        _ => None,
    }
}

fn locale(option: &str, name: &str, text: &str) -> Option<Problem> {
    let fault = if name == "InputLocale" {
        text.split(';')
            .filter(|one| !one.is_empty())
            .find_map(|one| check_input(one).err())
    } else {
        check_tag(text)
    }?;
    let diagnostic = match fault {
        TagFault::Unlisted => return None,
        TagFault::OnlyKeyboard => Diagnostic::error("U012", format!("`{text}` is a keyboard without its language"))
            .help("write both, such as `0412:00000412`"),
        TagFault::Wrong(guess) => {
            let diagnostic = Diagnostic::error("U012", format!("`{text}` is not a language that Windows knows"));
            match guess {
                Some(guess) => diagnostic.help(format!("did you mean `{guess}`?")),
                None => diagnostic.help("write a tag such as `ko-KR`"),
            }
        }
    };
    Some(Problem::option(option, diagnostic))
}

fn check_item(want: &Want, component: &Component, list: &'static Setting, element: &Element) -> Vec<Problem> {
    let item = if list.kind == Kind::Item && list.name.eq_ignore_ascii_case(&element.name) {
        Some(list)
    } else {
        list.child(&element.name)
    };
    match item {
        Some(item) => check_element(&want.option, component, item, element),
        None => vec![unknown_setting(want, list.name, &element.name, &list.children)],
    }
}

fn check_element(option: &str, component: &Component, setting: &'static Setting, element: &Element) -> Vec<Problem> {
    let complain = |message: String| vec![Problem::option(option, Diagnostic::error("U021", message))];
    match &element.body {
        Body::NextOrder => vec![],
        Body::Text(text) if setting.kind == Kind::Item && setting.value.is_some() => {
            text_item(option, setting, text).into_iter().collect()
        }
        Body::Text(text) => check_leaf(option, component, setting, text).into_iter().collect(),
        Body::Elements(_)
            if setting.value.is_some() && setting.children.iter().all(|one| one.name.starts_with('@')) =>
        {
            complain(format!("`{}` takes a text", setting.name))
        }
        Body::Elements(children) if children.is_empty() => complain(format!("`{}` is empty", setting.name)),
        Body::Elements(children) => children
            .iter()
            .flat_map(|child| match setting.child(&child.name) {
                Some(known) => check_element(&pointer(option, child), component, known, child),
                None => complain(format!("`{}` has no setting `{}`", setting.name, child.name)),
            })
            .collect(),
    }
}

/// The options of typed commands and accounts are named a little differently from their elements; the item's own
/// pointer is exact enough for them.
fn pointer(option: &str, child: &Element) -> String {
    if option.starts_with("/set/") {
        format!("{option}/{}", child.name)
    } else {
        option.to_owned()
    }
}

fn text_item(option: &str, setting: &'static Setting, text: &Text) -> Option<Problem> {
    if text.template.trim().is_empty() {
        return Some(Problem::option(
            option,
            Diagnostic::error("U008", format!("`{}` is empty", setting.name)),
        ));
    }
    let fault = check_value(setting, &text.template).filter(|_| !has_secret(&text.template))?;
    Some(Problem::option(
        option,
        Diagnostic::error("U008", format!("`{}` {}", setting.name, fault.message)),
    ))
}
