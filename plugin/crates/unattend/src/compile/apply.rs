//! Applies wants to the text of an answer file.

use reseal_diag::Diagnostic;
use roxmltree::{Document, Node};

use super::Problem;
use super::edit::{self, Edit};
use super::element::{Style, Writer, escape, escape_attribute};
use super::want::{Body, Content, Element, Mode, Want};
use crate::catalogue::number;
use crate::document::AnswerFile;
use crate::lint::TOKEN;
use crate::placeholder::{is_template, masked};
use crate::secrets;
use crate::target::{Architecture, Pass};
use crate::xml::{self, UNATTEND, WCM};

/// The highest number that Setup takes for `Order`.
const LAST_ORDER: u64 = 500;

/// An answer file without settings.
pub(super) fn skeleton() -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<unattend xmlns=\"{UNATTEND}\" xmlns:wcm=\"{WCM}\">\n</unattend>\n"
    )
}

/// The base as UTF-8: the declaration must not go on about another encoding.
pub(super) fn normalise(base: &str) -> String {
    let head = base
        .find("?>")
        .and_then(|end| base.get(..end))
        .filter(|head| head.contains("<?xml"));
    let value = head.and_then(|head| {
        let at = head.find("encoding")? + "encoding".len();
        let open = head.get(at..)?.find(['"', '\''])? + at;
        let quote = head.get(open..)?.chars().next()?;
        let close = head.get(open + 1..)?.find(quote)? + open + 1;
        Some(open + 1..close)
    });
    match value {
        Some(range)
            if base
                .get(range.clone())
                .is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) =>
        {
            Edit {
                range,
                with: "utf-8".to_owned(),
            }
            .apply(base)
        }
        _ => base.to_owned(),
    }
}

/// The architecture that most components of a file are for.
pub(super) fn architecture(document: &Document<'_>) -> Option<Architecture> {
    let file = AnswerFile::read(document);
    let count = |one: Architecture| file.parts.iter().filter(|part| part.architecture == Some(one)).count();
    [Architecture::Arm64, Architecture::X86, Architecture::Amd64]
        .into_iter()
        .filter(|one| count(*one) > 0)
        .max_by_key(|one| count(*one))
}

/// Puts the architecture where a template has left a mark such as `%ARCH%` for it.
pub(super) fn fill_architecture(text: &str, architecture: Architecture) -> String {
    let mut text = text.to_owned();
    while let Some(edit) = architecture_mark(&text, architecture) {
        text = edit.apply(&text);
    }
    text
}

fn architecture_mark(text: &str, architecture: Architecture) -> Option<Edit> {
    let document = Document::parse(text).ok()?;
    let mut components = document
        .descendants()
        .filter(|node| node.tag_name().name() == "component");
    components.find_map(|node| {
        let mark = xml::attribute(node, "processorArchitecture").filter(|one| is_template(one.value()))?;
        Some(Edit {
            range: mark.range_value(),
            with: architecture.word().to_owned(),
        })
    })
}

/// Masks the secrets that the base has brought along.
pub(super) fn mask_secrets(text: &str) -> String {
    let Ok(document) = Document::parse(text) else {
        return String::new();
    };
    let file = AnswerFile::read(&document);
    let mut edits: Vec<Edit> = file
        .entries
        .iter()
        .filter(|entry| entry.setting.secret && !entry.setting.passes.is_empty())
        .filter(|entry| {
            let value = xml::text(entry.node);
            masked(value.trim()) != value.trim() && crate::catalogue::kms_owner(&value).is_none()
        })
        .map(|entry| edit::set_text(entry.node, "***"))
        .collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.range.start));
    let text = edits.iter().fold(text.to_owned(), |text, edit| edit.apply(&text));
    mask_by_name(text)
}

/// Secrets of settings that are not in the catalogue.
fn mask_by_name(mut text: String) -> String {
    for place in secrets::places(&text).into_iter().rev() {
        text.replace_range(place, "***");
    }
    text
}

/// Applies the wants in order.
pub(super) fn apply(
    text: &str,
    wants: &[Want],
    architecture: Architecture,
    mode: &Mode<'_>,
) -> Result<String, Problem> {
    wants.iter().try_fold(text.to_owned(), |text, want| {
        let document = Document::parse(&text).map_err(|_| broken(want))?;
        let job = Job {
            want,
            architecture,
            mode,
        };
        let edit = job.edit(document.root_element())?;
        Ok(edit.map_or_else(|| text.clone(), |edit| edit.apply(&text)))
    })
}

/// INVARIANT: every edit leaves a well-formed text; a property test holds that.
fn broken(want: &Want) -> Problem {
    Problem::option(
        &want.option,
        Diagnostic::error("U105", "the file cannot be put together here"),
    )
}

struct Job<'j> {
    want: &'j Want,
    architecture: Architecture,
    mode: &'j Mode<'j>,
}

impl Job<'_> {
    /// The change that makes the want true; `None` when it already is.
    fn edit(&self, root: Node<'_, '_>) -> Result<Option<Edit>, Problem> {
        let Some(component) = self.component(root) else {
            return self.new_component(root);
        };
        let mut node = component;
        for (index, step) in self.want.path.iter().enumerate() {
            match xml::child(node, step) {
                Some(child) => node = child,
                None => return self.insert_below(node, index),
            }
        }
        match &self.want.content {
            Content::Nothing => Ok(Some(edit::remove(node))),
            Content::Text(text) => {
                let escaped = escape(&text.render(&self.want.option, self.mode)?);
                Ok(Some(edit::set_text(node, &escaped)))
            }
            Content::Item(item) => self.item(node, item).map(Some),
        }
    }

    /// The component element, preferably one that has the first step of the path.
    fn component<'a, 'i>(&self, root: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
        let wanted = self.want.architecture.unwrap_or(self.architecture);
        let fits = |node: &Node<'_, '_>| {
            let is = |name: &str, value: &str| {
                node.attribute(name)
                    .is_some_and(|one| one.trim().eq_ignore_ascii_case(value))
            };
            is("name", &self.want.component) && is("processorArchitecture", wanted.word())
        };
        let all: Vec<Node<'a, 'i>> = self
            .sections(root)
            .into_iter()
            .flat_map(xml::elements)
            .filter(|node| node.tag_name().name() == "component")
            .filter(fits)
            .collect();
        let first = self.want.path.first();
        let having = all
            .iter()
            .find(|node| first.is_some_and(|step| xml::child(**node, step).is_some()));
        having.or_else(|| all.first()).copied()
    }

    fn sections<'a, 'i>(&self, root: Node<'a, 'i>) -> Vec<Node<'a, 'i>> {
        xml::elements(root)
            .filter(|node| node.tag_name().name() == "settings" && pass_of(*node) == Some(self.want.pass))
            .collect()
    }

    fn new_component(&self, root: Node<'_, '_>) -> Result<Option<Edit>, Problem> {
        if matches!(self.want.content, Content::Nothing) {
            return Ok(None);
        }
        let style = edit::style(root);
        let Some(section) = self.sections(root).first().copied() else {
            return self.new_section(root, &style).map(Some);
        };
        let indent = edit::child_indent(section, &style);
        let rendered = self.render_component(&style, &indent)?;
        let lower = self.want.component.to_ascii_lowercase();
        let after = preceding(section, |node| {
            node.attribute("name")
                .is_some_and(|name| name.to_ascii_lowercase() > lower)
        });
        Ok(Some(edit::insert(section, after, &rendered, &style)))
    }

    fn new_section(&self, root: Node<'_, '_>, style: &Style) -> Result<Edit, Problem> {
        let outer = edit::child_indent(root, style);
        let inner = format!("{outer}{}", style.step);
        let component = self.render_component(style, &inner)?;
        let (line, prefix, pass) = (style.line, &style.prefix, self.want.pass);
        let rendered =
            format!("<{prefix}settings pass=\"{pass}\">{line}{inner}{component}{line}{outer}</{prefix}settings>");
        let after = preceding(root, |node| {
            pass_of(node).is_some_and(|other| other > pass) || node.tag_name().namespace() != Some(UNATTEND)
        });
        Ok(edit::insert(root, after, &rendered, style))
    }

    fn render_component(&self, style: &Style, indent: &str) -> Result<String, Problem> {
        let inner = format!("{indent}{}", style.step);
        let chain = self.render_chain(style, 0, &inner, 1)?;
        let architecture = self.want.architecture.unwrap_or(self.architecture);
        let (line, prefix) = (style.line, &style.prefix);
        let name = escape_attribute(&self.want.component);
        Ok(format!(
            "<{prefix}component name=\"{name}\" processorArchitecture=\"{architecture}\" publicKeyToken=\"{TOKEN}\" \
             language=\"neutral\" versionScope=\"nonSxS\">{line}{inner}{chain}{line}{indent}</{prefix}component>"
        ))
    }

    /// What is missing of the path from the step `index` on, with the content inside.
    fn render_chain(&self, style: &Style, index: usize, indent: &str, order: u64) -> Result<String, Problem> {
        let writer = Writer {
            style,
            option: &self.want.option,
            mode: self.mode,
            next_order: order,
        };
        let mut steps = self.want.path.get(index..).unwrap_or_default().iter().rev();
        let mut element = match &self.want.content {
            Content::Item(item) => self.sorted(item),
            Content::Text(text) => {
                let name = steps.next().map_or("", String::as_str);
                Element::with(name, Body::Text(text.clone()))
            }
            Content::Nothing => return Ok(String::new()),
        };
        for step in steps {
            element = Element::with(step, Body::Elements(vec![element]));
        }
        writer.element(&element, indent)
    }

    fn insert_below(&self, parent: Node<'_, '_>, index: usize) -> Result<Option<Edit>, Problem> {
        if matches!(self.want.content, Content::Nothing) {
            return Ok(None);
        }
        let style = edit::style(parent);
        let indent = edit::child_indent(parent, &style);
        let rendered = self.render_chain(&style, index, &indent, 1)?;
        let above = self.want.path.get(..index).unwrap_or_default();
        let name = self.want.path.get(index).map_or("", String::as_str);
        let rank = rank(&self.want.component, above, name);
        let after = preceding(parent, |node| {
            self::rank(&self.want.component, above, node.tag_name().name()) > rank
        });
        Ok(Some(edit::insert(parent, after, &rendered, &style)))
    }

    fn item(&self, list: Node<'_, '_>, item: &Element) -> Result<Edit, Problem> {
        let style = edit::style(list);
        let key_name = self.key_name(item);
        let siblings = || xml::elements(list).filter(|node| node.tag_name().name().eq_ignore_ascii_case(&item.name));
        let highest = siblings()
            .filter_map(|node| number(&xml::text_at(node, "Order")?))
            .max()
            .unwrap_or(0);
        let next = u64::try_from(highest).unwrap_or(0) + 1;
        if next > LAST_ORDER
            && item
                .child("Order")
                .is_some_and(|order| matches!(order.body, Body::NextOrder))
        {
            let message = format!("there is no number left: the base uses {highest}, and Setup counts to {LAST_ORDER}");
            return Err(Problem::option(&self.want.option, Diagnostic::error("U009", message)));
        }
        let writer = Writer {
            style: &style,
            option: &self.want.option,
            mode: self.mode,
            next_order: next,
        };
        let rendered = writer.element(&self.sorted(item), &edit::child_indent(list, &style))?;
        let key = key_name.and_then(|name| key_of(item, name));
        let same = key.and_then(|key| siblings().find(|node| key_name.is_some_and(|name| has_key(*node, name, &key))));
        Ok(match same {
            Some(node) => Edit {
                range: node.range(),
                with: rendered,
            },
            None => edit::insert(list, xml::elements(list).last(), &rendered, &style),
        })
    }

    fn key_name(&self, item: &Element) -> Option<&'static str> {
        let setting = match self.want.setting() {
            Some(list) => list.child(&item.name),
            None => self.want.known()?.child(&item.name),
        };
        setting?.list_key
    }

    /// The item with its children in the documented order.
    fn sorted(&self, item: &Element) -> Element {
        let mut path = self.want.path.clone();
        path.push(item.name.clone());
        sort(item, &self.want.component, &path)
    }
}

fn sort(element: &Element, component: &str, path: &[String]) -> Element {
    let Body::Elements(children) = &element.body else {
        return element.clone();
    };
    let below = |child: &Element| {
        let mut below = path.to_vec();
        below.push(child.name.clone());
        below
    };
    let mut children: Vec<Element> = children
        .iter()
        .map(|child| sort(child, component, &below(child)))
        .collect();
    children.sort_by_key(|child| rank(component, path, &child.name));
    Element {
        body: Body::Elements(children),
        ..element.clone()
    }
}

/// Where the reference documents an order it counts; elsewhere the alphabet does, as in Windows SIM.
fn rank(component: &str, above: &[String], name: &str) -> (usize, String) {
    const INTERFACE: &[&str] = &[
        "Ipv4Settings",
        "Ipv6Settings",
        "Identifier",
        "UnicastIpAddresses",
        "Routes",
    ];
    let documented = component.eq_ignore_ascii_case("Microsoft-Windows-TCPIP")
        && above.last().is_some_and(|last| last.eq_ignore_ascii_case("Interface"));
    let place = INTERFACE
        .iter()
        .position(|one| documented && one.eq_ignore_ascii_case(name));
    (place.unwrap_or(INTERFACE.len()), name.to_ascii_lowercase())
}

/// The last child before the first one that belongs behind.
fn preceding<'a, 'i>(parent: Node<'a, 'i>, behind: impl Fn(Node<'a, 'i>) -> bool) -> Option<Node<'a, 'i>> {
    xml::elements(parent).take_while(|node| !behind(*node)).last()
}

fn pass_of(node: Node<'_, '_>) -> Option<Pass> {
    Pass::from_word(node.attribute("pass")?.trim())
}

fn key_of(item: &Element, key_name: &str) -> Option<String> {
    if key_name == "@wcm:keyValue" {
        return item.key_value.clone();
    }
    item.child(key_name)?.text().map(|text| text.trim().to_owned())
}

fn has_key(node: Node<'_, '_>, key_name: &str, key: &str) -> bool {
    let own = match key_name {
        "@wcm:keyValue" => xml::wcm(node, "keyValue").map(|one| one.value().trim().to_owned()),
        name => xml::text_at(node, name),
    };
    own.is_some_and(|own| own.eq_ignore_ascii_case(key) || (number(&own).is_some() && number(&own) == number(key)))
}
