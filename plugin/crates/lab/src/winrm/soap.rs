//! Envelopes: requests read strictly, answers written.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use roxmltree::{Document, Node};

use super::fault::Fault;
use super::xml::Element;

/// SOAP 1.2.
pub const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
/// WS-Addressing.
pub const ADDRESSING: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
/// WS-Management.
pub const WSMAN: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd";
/// Microsoft's headers.
pub const MICROSOFT: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd";
/// Windows shells.
pub const SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";
/// The resource of winrs shells.
pub const CMD: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";
/// The resource of the configuration.
pub const CONFIG: &str = "http://schemas.microsoft.com/wbem/wsman/1/config";
const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
const IDENTITY: &str = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd";
const FAULT_NS: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault";
const ANONYMOUS: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Who are you?
    Identify,
    /// `winrm get winrm/config`.
    GetConfig,
    /// A new shell with its options.
    Create(Options),
    /// Deletes a shell.
    Delete(String),
    /// Starts a command in a shell.
    Command {
        /// The shell.
        shell: String,
        /// `WINRS_…` of the command.
        options: Options,
        /// The program.
        command: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// Input for a command.
    Send {
        /// The shell.
        shell: String,
        /// The command.
        command: String,
        /// The bytes.
        data: Vec<u8>,
        /// Whether the input ends here.
        end: bool,
    },
    /// Output of a command.
    Receive {
        /// The shell.
        shell: String,
        /// The command.
        command: String,
    },
    /// Ends or releases a command.
    Signal {
        /// The shell.
        shell: String,
        /// The command.
        command: String,
        /// The signal's URI.
        code: String,
    },
}

/// Options by name.
pub type Options = BTreeMap<String, String>;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id, empty only for Identify.
    pub id: String,
    /// What is asked.
    pub call: Call,
    /// The longest answer that the client takes.
    pub max_envelope: usize,
    /// How long the client waits.
    pub timeout: Duration,
}

/// The namespace of an action's URI before its last word.
struct Headers<'a, 'input>(Vec<Node<'a, 'input>>);

impl<'a> Headers<'a, '_> {
    fn read(header: Node<'a, 'a>) -> Result<Headers<'a, 'a>, Fault> {
        const KNOWN: [&str; 14] = [
            "To",
            "ReplyTo",
            "Action",
            "MessageID",
            "ResourceURI",
            "SelectorSet",
            "OptionSet",
            "MaxEnvelopeSize",
            "OperationTimeout",
            "Locale",
            "DataLocale",
            "SessionId",
            "OperationID",
            "SequenceId",
        ];
        let elements: Vec<_> = header.children().filter(Node::is_element).collect();
        for (index, element) in elements.iter().enumerate() {
            let name = element.tag_name().name();
            let namespace = element.tag_name().namespace().unwrap_or_default();
            let known = KNOWN.contains(&name) && [ADDRESSING, WSMAN, MICROSOFT].contains(&namespace);
            let must = element
                .attribute((SOAP, "mustUnderstand"))
                .is_some_and(|value| value != "false" && value != "0");
            if !known && must {
                return Err(Fault::must_understand(name));
            }
            let twice = elements
                .iter()
                .skip(index + 1)
                .any(|other| other.tag_name() == element.tag_name());
            if known && twice {
                return Err(Fault::schema(format!("the header {name} stands there twice")));
            }
        }
        Ok(Headers(elements))
    }

    fn find(&self, namespace: &str, name: &str) -> Option<Node<'a, '_>> {
        self.0.iter().copied().find(|node| node.has_tag_name((namespace, name)))
    }

    fn text(&self, namespace: &str, name: &str) -> Option<String> {
        self.find(namespace, name)
            .map(|node| node.text().unwrap_or_default().trim().to_owned())
    }

    fn need(&self, namespace: &str, name: &str) -> Result<String, Fault> {
        self.text(namespace, name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Fault::schema(format!("the header {name} is missing")))
    }

    fn named(&self, set: &str, item: &str) -> Result<Options, Fault> {
        let mut values = Options::new();
        for node in self
            .find(WSMAN, set)
            .iter()
            .flat_map(|set| set.children().filter(Node::is_element))
        {
            let name = node.attribute("Name").filter(|_| node.has_tag_name((WSMAN, item)));
            let name =
                name.ok_or_else(|| Fault::schema(format!("{set} holds something else than {item} with Name")))?;
            if values
                .insert(name.to_owned(), node.text().unwrap_or_default().to_owned())
                .is_some()
            {
                return Err(Fault::schema(format!("{item} {name} stands there twice")));
            }
        }
        Ok(values)
    }

    /// The shell that the selectors name; exactly one selector is allowed.
    fn shell(&self) -> Result<String, Fault> {
        let mut selectors = self.named("SelectorSet", "Selector")?;
        let id = selectors.remove("ShellId").filter(|_| selectors.is_empty());
        id.ok_or_else(|| Fault::no_shell(""))
    }

    fn reply_to(&self) -> Result<(), Fault> {
        let node = self
            .find(ADDRESSING, "ReplyTo")
            .ok_or_else(|| Fault::schema("the header ReplyTo is missing"))?;
        let address = node
            .children()
            .find(|child| child.has_tag_name((ADDRESSING, "Address")));
        let text = address.and_then(|address| address.text()).unwrap_or_default().trim();
        if text == ANONYMOUS {
            Ok(())
        } else {
            Err(Fault::schema("ReplyTo is not the anonymous address"))
        }
    }
}

/// A request that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The request's id, where it could be read.
    pub id: Option<String>,
    /// The fault that the client gets.
    pub fault: Fault,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self { id: None, fault }
    }
}

/// Reads a request.
///
/// # Errors
/// [`Refused`] with the fault that the client gets.
pub fn decode(text: &str) -> Result<Request, Refused> {
    let document = Document::parse(text).map_err(|error| Fault::schema(format!("not well-formed: {error}")))?;
    let envelope = document.root_element();
    if !envelope.has_tag_name((SOAP, "Envelope")) {
        return Err(Fault::schema("the root element is not a SOAP 1.2 Envelope").into());
    }
    let parts: Vec<_> = envelope.children().filter(Node::is_element).collect();
    let (header, body) = match parts.as_slice() {
        [header, body] if header.has_tag_name((SOAP, "Header")) && body.has_tag_name((SOAP, "Body")) => {
            (*header, *body)
        }
        _ => return Err(Fault::schema("an Envelope holds exactly one Header and one Body").into()),
    };
    if let Some(identify) = body.children().find(|node| node.has_tag_name((IDENTITY, "Identify"))) {
        let empty = !identify.has_children();
        let id = String::new();
        let request = Request {
            id,
            call: Call::Identify,
            max_envelope: 153_600,
            timeout: Duration::from_mins(1),
        };
        return if empty {
            Ok(request)
        } else {
            Err(Fault::schema("Identify is not empty").into())
        };
    }
    let headers = Headers::read(header)?;
    let id = message_id(&headers)?;
    request(&headers, body, &id).map_err(|fault| Refused { id: Some(id), fault })
}

fn message_id(headers: &Headers<'_, '_>) -> Result<String, Fault> {
    let id = headers.text(ADDRESSING, "MessageID").unwrap_or_default();
    let uuid = id.strip_prefix("uuid:").and_then(|id| uuid::Uuid::parse_str(id).ok());
    if uuid.is_none() {
        return Err(Fault::message_id(format!(
            "the MessageID `{id}` is not `uuid:` and a UUID"
        )));
    }
    Ok(id)
}

fn request(headers: &Headers<'_, '_>, body: Node<'_, '_>, id: &str) -> Result<Request, Fault> {
    headers.reply_to()?;
    headers.need(ADDRESSING, "To")?;
    let call = call(headers, body)?;
    let size = headers
        .text(WSMAN, "MaxEnvelopeSize")
        .map_or(Ok(153_600), |text| text.parse());
    let max_envelope = size.map_err(|_| Fault::schema("MaxEnvelopeSize is not a number"))?;
    if max_envelope < 8192 {
        return Err(Fault::schema("MaxEnvelopeSize is below 8192"));
    }
    let timeout = headers
        .text(WSMAN, "OperationTimeout")
        .map_or(Some(Duration::from_mins(1)), |text| duration(&text));
    let timeout = timeout.ok_or_else(|| Fault::schema("OperationTimeout is not an ISO 8601 duration"))?;
    Ok(Request {
        id: id.to_owned(),
        call,
        max_envelope,
        timeout,
    })
}

fn duration(text: &str) -> Option<Duration> {
    if !text.starts_with('P') {
        return None;
    }
    Duration::try_from(text.parse::<jiff::SignedDuration>().ok()?).ok()
}

fn call(headers: &Headers<'_, '_>, body: Node<'_, '_>) -> Result<Call, Fault> {
    let action = headers.need(ADDRESSING, "Action")?;
    let resource = headers.need(WSMAN, "ResourceURI")?;
    let content = body.children().find(Node::is_element);
    if resource == CONFIG {
        return if action == format!("{TRANSFER}/Get") {
            Ok(Call::GetConfig)
        } else {
            Err(Fault::action(&action))
        };
    }
    if resource != CMD {
        return Err(Fault::resource(&resource));
    }
    if let Some(stray) = stray_options(body) {
        return Err(Fault::schema(format!("{stray} does not belong into the Body")));
    }
    let no_content = || Fault::schema("the Body is empty");
    if let Some(verb) = action.strip_prefix(TRANSFER) {
        return match verb {
            "/Create" => create(headers, content.ok_or_else(no_content)?),
            "/Delete" => Ok(Call::Delete(headers.shell()?)),
            _ => Err(Fault::action(&action)),
        };
    }
    let verb = action.strip_prefix(SHELL).unwrap_or_default();
    let content = content.ok_or_else(no_content)?;
    match verb {
        "/Command" => command(headers, content),
        "/Send" => send(headers, content),
        "/Receive" => receive(headers, content),
        "/Signal" => signal(headers, content),
        _ => Err(Fault::action(&action)),
    }
}

fn stray_options(body: Node<'_, '_>) -> Option<&'static str> {
    let found = |name| body.descendants().any(|node| node.has_tag_name((WSMAN, name)));
    ["OptionSet", "SelectorSet"].into_iter().find(|name| found(*name))
}

fn expect(node: Node<'_, '_>, name: &str) -> Result<(), Fault> {
    if node.has_tag_name((SHELL, name)) {
        Ok(())
    } else {
        Err(Fault::schema(format!("the Body does not hold {name}")))
    }
}

fn create(headers: &Headers<'_, '_>, content: Node<'_, '_>) -> Result<Call, Fault> {
    expect(content, "Shell")?;
    for child in content.children().filter(Node::is_element) {
        let words: Vec<&str> = child.text().unwrap_or_default().split_whitespace().collect();
        let fine = match child.tag_name().name() {
            "InputStreams" => words == ["stdin"],
            "OutputStreams" => words == ["stdout", "stderr"],
            "WorkingDirectory" | "Environment" | "IdleTimeOut" | "IdleTimeout" | "Lifetime" | "Name" => true,
            _ => false,
        };
        if !fine {
            return Err(Fault::schema(format!(
                "a Shell with {} like this",
                child.tag_name().name()
            )));
        }
    }
    Ok(Call::Create(headers.named("OptionSet", "Option")?))
}

fn command(headers: &Headers<'_, '_>, content: Node<'_, '_>) -> Result<Call, Fault> {
    expect(content, "CommandLine")?;
    let texts = |name: &str| -> Vec<String> {
        let nodes = content.children().filter(|child| child.has_tag_name((SHELL, name)));
        nodes.map(|child| child.text().unwrap_or_default().to_owned()).collect()
    };
    let commands = texts("Command");
    let [command] = commands.as_slice() else {
        return Err(Fault::schema("a CommandLine has one Command"));
    };
    let options = headers.named("OptionSet", "Option")?;
    let command = command.trim().to_owned();
    Ok(Call::Command {
        shell: headers.shell()?,
        options,
        command,
        arguments: texts("Arguments"),
    })
}

fn send(headers: &Headers<'_, '_>, content: Node<'_, '_>) -> Result<Call, Fault> {
    expect(content, "Send")?;
    let mut streams = content.children().filter(Node::is_element);
    let (Some(stream), None) = (streams.next(), streams.next()) else {
        return Err(Fault::schema("a Send has one Stream"));
    };
    expect(stream, "Stream")?;
    if stream.attribute("Name") != Some("stdin") {
        return Err(Fault::schema("the Stream is not stdin"));
    }
    let command = stream
        .attribute("CommandId")
        .ok_or_else(|| Fault::schema("the Stream has no CommandId"))?;
    let text: String = stream.text().unwrap_or_default().split_ascii_whitespace().collect();
    let data = BASE64_STANDARD
        .decode(text)
        .map_err(|_| Fault::schema("the Stream is not base64"))?;
    let end = matches!(stream.attribute("End"), Some("true" | "1" | "True" | "TRUE"));
    Ok(Call::Send {
        shell: headers.shell()?,
        command: command.to_owned(),
        data,
        end,
    })
}

fn receive(headers: &Headers<'_, '_>, content: Node<'_, '_>) -> Result<Call, Fault> {
    expect(content, "Receive")?;
    let desired = content
        .children()
        .find(|child| child.has_tag_name((SHELL, "DesiredStream")));
    let desired = desired.ok_or_else(|| Fault::schema("a Receive has a DesiredStream"))?;
    let words: Vec<&str> = desired.text().unwrap_or_default().split_whitespace().collect();
    if words.is_empty() || words.iter().any(|word| !["stdout", "stderr"].contains(word)) {
        return Err(Fault::schema("DesiredStream names a stream that a shell does not have"));
    }
    let command = desired
        .attribute("CommandId")
        .ok_or_else(|| Fault::schema("DesiredStream has no CommandId"))?;
    Ok(Call::Receive {
        shell: headers.shell()?,
        command: command.to_owned(),
    })
}

fn signal(headers: &Headers<'_, '_>, content: Node<'_, '_>) -> Result<Call, Fault> {
    expect(content, "Signal")?;
    let command = content
        .attribute("CommandId")
        .ok_or_else(|| Fault::schema("a Signal has a CommandId"))?;
    let code = content
        .children()
        .find(|child| child.has_tag_name((SHELL, "Code")))
        .and_then(|code| code.text());
    let code = code
        .ok_or_else(|| Fault::schema("a Signal has a Code"))?
        .trim()
        .to_owned();
    Ok(Call::Signal {
        shell: headers.shell()?,
        command: command.to_owned(),
        code,
    })
}

/// The answer to a request, before it is put into an envelope.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The action of the answer.
    pub action: String,
    /// What the Body holds.
    pub body: Vec<Element>,
}

impl Answer {
    /// An answer of WS-Transfer.
    pub fn transfer(verb: &str, body: Vec<Element>) -> Self {
        Self {
            action: format!("{TRANSFER}/{verb}Response"),
            body,
        }
    }

    /// An answer of the shell.
    pub fn shell(verb: &str, body: Element) -> Self {
        Self {
            action: format!("{SHELL}/{verb}Response"),
            body: vec![body],
        }
    }
}

/// Writes an answer.
pub fn encode(answer: &Answer, relates_to: &str, id: &str) -> String {
    envelope(&answer.action, relates_to, id)
        .child(Element::new("s:Body").children(answer.body.clone()))
        .write()
}

/// Writes the answer to Identify, which has no addressing.
pub fn encode_identify(build: &str) -> String {
    let response = Element::new("wsmid:IdentifyResponse")
        .with("xmlns:wsmid", IDENTITY)
        .child(Element::new("wsmid:ProtocolVersion").text(WSMAN))
        .child(Element::new("wsmid:ProductVendor").text("Microsoft Corporation"))
        .child(Element::new("wsmid:ProductVersion").text(format!("OS: {build} SP: 0.0 Stack: 3.0")));
    let body = Element::new("s:Body").child(response);
    Element::new("s:Envelope")
        .with("xmlns:s", SOAP)
        .child(Element::new("s:Header"))
        .child(body)
        .write()
}

/// Writes a fault.
pub fn encode_fault(fault: &Fault, relates_to: &str, id: &str, machine: &str) -> String {
    let subcode = Element::new("s:Subcode").child(Element::new("s:Value").text(fault.subcode));
    let code = Element::new("s:Code")
        .child(Element::new("s:Value").text(fault.code))
        .child(subcode);
    let text = Element::new("s:Text")
        .with("xml:lang", "en-US")
        .text(fault.reason.as_str());
    let detail = Element::new("f:WSManFault")
        .with("xmlns:f", FAULT_NS)
        .with("Code", fault.number.to_string())
        .with("Machine", machine)
        .child(Element::new("f:Message").text(fault.reason.as_str()));
    let content = Element::new("s:Fault")
        .child(code)
        .child(Element::new("s:Reason").child(text))
        .child(Element::new("s:Detail").child(detail));
    let action = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault";
    envelope(action, relates_to, id)
        .child(Element::new("s:Body").child(content))
        .write()
}

fn envelope(action: &str, relates_to: &str, id: &str) -> Element {
    let header = Element::new("s:Header")
        .child(Element::new("a:Action").text(action))
        .child(Element::new("a:MessageID").text(id))
        .child(Element::new("a:To").text(ANONYMOUS))
        .children((!relates_to.is_empty()).then(|| Element::new("a:RelatesTo").text(relates_to)));
    Element::new("s:Envelope")
        .with("xml:lang", "en-US")
        .with("xmlns:s", SOAP)
        .with("xmlns:a", ADDRESSING)
        .with("xmlns:w", WSMAN)
        .with("xmlns:x", TRANSFER)
        .with("xmlns:p", MICROSOFT)
        .with("xmlns:rsp", SHELL)
        .child(header)
}
