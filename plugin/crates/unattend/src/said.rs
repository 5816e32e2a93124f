//! What an answer file says in one setting, for whoever has to act on it.

use roxmltree::Document;

use crate::target::Pass;
use crate::xml;

/// The texts of every element called `setting` in a component's part of a pass, at any depth and of any architecture.
/// What is commented out says nothing, and neither does a text that is not well-formed XML.
pub fn said(text: &str, pass: Pass, component: &str, setting: &str) -> Vec<String> {
    let Ok(document) = Document::parse(text) else {
        return vec![];
    };
    let is = |written: Option<&str>, wanted: &str| written.is_some_and(|name| name.trim().eq_ignore_ascii_case(wanted));
    let sections = xml::elements(document.root_element()).filter(|node| node.tag_name().name() == "settings");
    let sections =
        sections.filter(|node| node.attribute("pass").and_then(|word| Pass::from_word(word.trim())) == Some(pass));
    let components = sections
        .flat_map(xml::elements)
        .filter(|node| is(node.attribute("name"), component));
    let found = components.flat_map(|node| node.descendants().skip(1));
    found
        .filter(|node| node.is_element() && is(Some(node.tag_name().name()), setting))
        .map(|node| xml::text(node).trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"<unattend xmlns="urn:schemas-microsoft-com:unattend">
        <settings pass="specialize"><component name="Microsoft-Windows-Shell-Setup">
            <!-- <CopyProfile>true</CopyProfile> --><copyprofile> false </copyprofile>
        </component><component name="Other"><CopyProfile>1</CopyProfile></component></settings>
        <settings pass="oobeSystem"><component name="Microsoft-Windows-Shell-Setup"><CopyProfile>2</CopyProfile>
        </component></settings></unattend>"#;

    #[test]
    fn only_what_stands_in_its_place_and_in_no_comment_is_said() {
        let shell = |text| said(text, Pass::Specialize, "Microsoft-Windows-Shell-Setup", "CopyProfile");
        assert_eq!(shell(FILE), ["false"]);
        assert!(shell("<unattend>").is_empty());
    }

    #[test]
    fn commands_are_found_in_their_lists() {
        let file = r#"<unattend xmlns="urn:schemas-microsoft-com:unattend"><settings pass="specialize">
            <component name="Microsoft-Windows-Deployment"><RunSynchronous><RunSynchronousCommand><Path>a</Path>
            </RunSynchronousCommand><RunSynchronousCommand><Path>b</Path></RunSynchronousCommand></RunSynchronous>
            </component></settings></unattend>"#;
        assert_eq!(
            said(file, Pass::Specialize, "Microsoft-Windows-Deployment", "Path"),
            ["a", "b"]
        );
    }
}
