//! Faults: what the service refuses, and what that means for us.

use std::fmt;

use roxmltree::Node;

use super::{SOAP, WSMAN_FAULT};

/// `ERROR_WSMAN_OPERATION_TIMEDOUT`: nothing to say within `OperationTimeout`.
const TIMED_OUT: u32 = 2_150_858_793;
/// `ERROR_WINRS_SHELL_NOT_FOUND` and its neighbours: the shell or command does not exist (any more).
const SHELL_NOT_FOUND: u32 = 2_150_858_843;
/// The user has as many shells as the guest allows.
const MAX_SHELLS: u32 = 2_150_859_173;
/// The user has as many operations open as the guest allows.
const MAX_OPERATIONS: u32 = 2_150_859_174;
/// `ERROR_OPERATION_ABORTED`, `ERROR_KEY_DELETED` ("could not launch a host process"), `RPC_S_CALL_FAILED`: a guest
/// that is starting, stopping or short of breath.
const NOT_READY: [u32; 3] = [995, 1018, 1726];
/// `ERROR_ACCESS_DENIED`, bare and as HRESULT.
const ACCESS_DENIED: [u32; 2] = [5, 0x8007_0005];

/// A fault of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The WS-Management or Win32 code; 0 when there is none.
    pub(crate) code: u32,
    /// The SOAP subcode without prefix, e.g. `TimedOut`.
    pub(crate) subcode: String,
    /// What the service says.
    pub(crate) message: String,
}

/// What a fault means for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// Nothing to report yet; ask again.
    PollAgain,
    /// The shell or its command is no more.
    ShellGone,
    /// No more shells or operations for this user.
    Quota,
    /// The service cannot start or reach processes now.
    NotReady,
    /// The account may not do this.
    AccessDenied,
    /// The message is too long.
    TooLarge,
    /// Something else.
    Other,
}

impl Fault {
    pub(crate) fn kind(&self) -> FaultKind {
        match self.code {
            TIMED_OUT => FaultKind::PollAgain,
            SHELL_NOT_FOUND => FaultKind::ShellGone,
            MAX_SHELLS | MAX_OPERATIONS => FaultKind::Quota,
            code if NOT_READY.contains(&code) => FaultKind::NotReady,
            code if ACCESS_DENIED.contains(&code) => FaultKind::AccessDenied,
            _ => self.kind_by_subcode(),
        }
    }

    fn kind_by_subcode(&self) -> FaultKind {
        match self.subcode.as_str() {
            "TimedOut" => FaultKind::PollAgain,
            "InvalidSelectors" => FaultKind::ShellGone,
            "QuotaLimit" => FaultKind::Quota,
            "AccessDenied" => FaultKind::AccessDenied,
            "EncodingLimit" => FaultKind::TooLarge,
            _ => FaultKind::Other,
        }
    }

    /// Reads an `s:Fault` element; total over any tree.
    pub(crate) fn read(node: Node<'_, '_>) -> Self {
        Self {
            code: code(node),
            subcode: subcode(node),
            message: message(node),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (fault {})", self.message, self.code)
    }
}

/// The outermost code, unless only an inner one is known to us.
fn code(fault: Node<'_, '_>) -> u32 {
    let codes: Vec<u32> = fault
        .descendants()
        .filter(|node| node.has_tag_name((WSMAN_FAULT, "WSManFault")))
        .filter_map(|node| node.attribute("Code")?.parse().ok())
        .collect();
    let known = |code: &&u32| {
        Fault {
            code: **code,
            subcode: String::new(),
            message: String::new(),
        }
        .kind()
            != FaultKind::Other
    };
    codes.iter().find(known).or_else(|| codes.first()).copied().unwrap_or(0)
}

fn subcode(fault: Node<'_, '_>) -> String {
    fault
        .descendants()
        .find(|node| node.has_tag_name((SOAP, "Subcode")))
        .and_then(|node| node.children().find(|child| child.has_tag_name((SOAP, "Value"))))
        .and_then(|value| value.text())
        .map(|value| value.trim().rsplit(':').next().unwrap_or_default().to_owned())
        .unwrap_or_default()
}

/// The fault's own message, else the SOAP reason.
fn message(fault: Node<'_, '_>) -> String {
    let own = fault
        .descendants()
        .find(|node| node.has_tag_name((WSMAN_FAULT, "Message")))
        .map(words);
    let reason = || {
        fault
            .descendants()
            .find(|node| node.has_tag_name((SOAP, "Text")))
            .map(words)
    };
    own.filter(|text| !text.is_empty()).or_else(reason).unwrap_or_default()
}

/// All text below a node, with single spaces.
fn words(node: Node<'_, '_>) -> String {
    let text: String = node
        .descendants()
        .filter(Node::is_text)
        .filter_map(|node| node.text())
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
