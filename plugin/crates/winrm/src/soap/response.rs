//! Answers: read as a tree, never searched as text.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use reseal_machine::communicator::Stream;
use roxmltree::{Document, Node, ParsingOptions};

use super::{ADDRESSING, CONFIG, Fault, SHELL, SOAP, WSMAN};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// More nodes than any answer has. The tree of a longer one would need much more room than its text.
const MOST_NODES: u32 = 100_000;

/// An answer of the service.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The id of the request that it answers.
    pub(crate) relates_to: Option<String>,
    /// What it says.
    pub(crate) body: Body,
}

/// What an answer says.
#[derive(Debug)]
pub(crate) enum Body {
    /// No.
    Fault(Fault),
    /// A shell was made; its id.
    Shell(String),
    /// A process was started; its id.
    Command(String),
    /// Output.
    Received(Received),
    /// The service's settings; `MaxEnvelopeSizekb`.
    Config(Option<u32>),
    /// Done.
    Other,
}

/// One answer to a Receive.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Output in order.
    pub(crate) output: Vec<(Stream, Vec<u8>)>,
    /// The process has ended with this code; no more output will come.
    pub(crate) exit: Option<i32>,
}

/// Reads an answer. Total over any text.
pub(crate) fn parse(xml: &str) -> Result<Answer, String> {
    let limits = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let doc = Document::parse_with_options(xml, limits).map_err(|error| match error {
        roxmltree::Error::NodesLimitReached => format!("the answer has more than {MOST_NODES} nodes"),
        error => format!("the answer is not XML: {error}"),
    })?;
    let envelope = doc.root_element();
    if !envelope.has_tag_name((SOAP, "Envelope")) {
        return Err("the answer is not a SOAP 1.2 envelope".to_owned());
    }
    let relates_to = find(envelope, ADDRESSING, "RelatesTo")
        .and_then(|node| node.text())
        .map(trimmed);
    let body = child(envelope, SOAP, "Body").ok_or("the answer has no body")?;
    Ok(Answer {
        relates_to,
        body: read_body(body)?,
    })
}

fn read_body(body: Node<'_, '_>) -> Result<Body, String> {
    let Some(content) = body.first_element_child() else {
        return Ok(Body::Other);
    };
    if content.has_tag_name((SOAP, "Fault")) {
        return Ok(Body::Fault(Fault::read(content)));
    }
    if content.has_tag_name((SHELL, "ReceiveResponse")) {
        return read_received(content).map(Body::Received);
    }
    if content.has_tag_name((SHELL, "CommandResponse")) {
        let id = find(content, SHELL, "CommandId")
            .and_then(|node| node.text())
            .map(trimmed);
        return id
            .map(Body::Command)
            .ok_or_else(|| "the answer names no command".to_owned());
    }
    if content.has_tag_name((CONFIG, "Config")) {
        let limit = child(content, CONFIG, "MaxEnvelopeSizekb").and_then(|node| node.text()?.trim().parse().ok());
        return Ok(Body::Config(limit));
    }
    Ok(shell_id(body).map_or(Body::Other, Body::Shell))
}

/// The id of a new shell: in the reference to the created resource, or in the shell's description.
fn shell_id(body: Node<'_, '_>) -> Option<String> {
    let selector = body
        .descendants()
        .find(|node| node.has_tag_name((WSMAN, "Selector")) && node.attribute("Name") == Some("ShellId"));
    selector
        .or_else(|| find(body, SHELL, "ShellId"))
        .and_then(|node| node.text())
        .map(trimmed)
}

fn read_received(content: Node<'_, '_>) -> Result<Received, String> {
    let mut received = Received::default();
    for node in content.children().filter(Node::is_element) {
        if node.has_tag_name((SHELL, "Stream")) {
            received.output.extend(read_stream(node)?);
        } else if node.has_tag_name((SHELL, "CommandState")) {
            received.exit = read_state(node);
        }
    }
    Ok(received)
}

fn read_stream(node: Node<'_, '_>) -> Result<Option<(Stream, Vec<u8>)>, String> {
    let stream = match node.attribute("Name") {
        Some("stdout") => Stream::Out,
        Some("stderr") => Stream::Err,
        _ => return Ok(None),
    };
    let mut text: Vec<u8> = node.text().unwrap_or_default().bytes().collect();
    text.retain(|byte| !byte.is_ascii_whitespace());
    if text.is_empty() {
        return Ok(None);
    }
    let bytes = LENIENT
        .decode(text)
        .map_err(|error| format!("the answer's output is not base64: {error}"))?;
    Ok(Some((stream, bytes)))
}

fn read_state(node: Node<'_, '_>) -> Option<i32> {
    if !node.attribute("State")?.ends_with("/Done") {
        return None;
    }
    let code = child(node, SHELL, "ExitCode").and_then(|code| code.text()?.trim().parse::<i64>().ok());
    Some(code.map_or(0, wrap))
}

/// Windows prints exit codes signed or unsigned; both mean the same 32 bits.
fn wrap(code: i64) -> i32 {
    let [a, b, c, d, ..] = code.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

fn find<'a, 'b>(node: Node<'a, 'b>, namespace: &str, name: &str) -> Option<Node<'a, 'b>> {
    node.descendants().find(|node| node.has_tag_name((namespace, name)))
}

fn child<'a, 'b>(node: Node<'a, 'b>, namespace: &str, name: &str) -> Option<Node<'a, 'b>> {
    node.children().find(|node| node.has_tag_name((namespace, name)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::soap::FaultKind;

    const CREATE: &str = include_str!("../../../../../tests/data/winrm/create.xml");
    const COMMAND: &str = include_str!("../../../../../tests/data/winrm/command.xml");
    const RECEIVE: &str = include_str!("../../../../../tests/data/winrm/receive.xml");
    const CONFIGURED: &str = include_str!("../../../../../tests/data/winrm/config.xml");
    const TIMED_OUT: &str = include_str!("../../../../../tests/data/winrm/fault-timed-out.xml");
    const NOT_FOUND: &str = include_str!("../../../../../tests/data/winrm/fault-shell-not-found.xml");
    const NESTED: &str = include_str!("../../../../../tests/data/winrm/fault-nested.xml");

    fn body(xml: &str) -> Body {
        parse(xml).unwrap().body
    }

    #[test]
    fn ids_are_found() {
        assert!(matches!(body(CREATE), Body::Shell(id) if id == "67A74734-DD32-4F10-89DE-49A060483810"));
        assert!(matches!(body(COMMAND), Body::Command(id) if id == "77DF7BB6-B5A0-4777-ABD9-9823C0774074"));
        assert!(matches!(body(CONFIGURED), Body::Config(Some(500))));
        let relates_to = parse(COMMAND).unwrap().relates_to;
        assert_eq!(relates_to.as_deref(), Some("uuid:00000000-0000-0000-0000-000000000002"));
    }

    #[test]
    fn output_and_unsigned_exit_codes() {
        let Body::Received(received) = body(RECEIVE) else {
            panic!("not output")
        };
        assert_eq!(received.exit, Some(-1_073_741_819));
        let expected = [
            (Stream::Out, "설치\r\n".as_bytes().to_vec()),
            (Stream::Err, b"no".to_vec()),
        ];
        assert_eq!(received.output, expected);
    }

    #[test]
    fn faults_are_told_apart_in_any_language() {
        let kind = |xml| match body(xml) {
            Body::Fault(fault) => (fault.kind(), fault.code),
            other => panic!("{other:?}"),
        };
        assert_eq!(kind(TIMED_OUT), (FaultKind::PollAgain, 2_150_858_793));
        assert_eq!(kind(NOT_FOUND), (FaultKind::ShellGone, 2_150_858_843));
        assert_eq!(kind(NESTED), (FaultKind::NotReady, 1726));
        let bare = TIMED_OUT.replace(" Code=\"2150858793\"", "");
        assert_eq!(kind(&bare), (FaultKind::PollAgain, 0));
    }

    #[test]
    fn a_fault_speaks_for_itself() {
        let Body::Fault(fault) = body(NESTED) else {
            panic!("not a fault")
        };
        assert_eq!(fault.to_string(), "The remote procedure call failed. (fault 1726)");
    }

    #[test]
    fn other_documents_are_refused() {
        assert!(parse("").is_err());
        assert!(parse("<html/>").is_err());
        assert!(parse("<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>").is_err());
    }

    #[test]
    fn an_answer_of_too_many_nodes_is_refused() {
        let wide = format!("<x>{}</x>", "<a/>".repeat(200_000));
        assert!(parse(&wide).unwrap_err().contains("more than 100000 nodes"));
        let deep = "<a>".repeat(200_000);
        assert!(parse(&deep).is_err());
        let deep = format!("{}{}", "<a>".repeat(90_000), "</a>".repeat(90_000));
        assert!(parse(&deep).unwrap_err().contains("envelope"));
    }

    proptest! {
        #[test]
        fn mutations_never_panic(which in 0_usize..7, at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
            let all = [CREATE, COMMAND, RECEIVE, CONFIGURED, TIMED_OUT, NOT_FOUND, NESTED];
            let mut bytes = all[which].as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = parse(&String::from_utf8_lossy(&bytes));
            bytes.truncate(cut.index(bytes.len()));
            let _ = parse(&String::from_utf8_lossy(&bytes));
        }
    }
}
