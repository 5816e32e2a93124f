//! Requests: what is asked, and the envelope around it.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Writer;
use quick_xml::events::BytesText;
use uuid::Uuid;

use super::{ADDRESSING, ANONYMOUS, CONFIG, SHELL, SOAP, WSMAN, WSMAN_MS};

const CMD_SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";
const TRANSFER_GET: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get";
const TRANSFER_CREATE: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create";
const TRANSFER_DELETE: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete";
const SHELL_COMMAND: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command";
const SHELL_SEND: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Send";
const SHELL_RECEIVE: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive";
const SHELL_SIGNAL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Signal";
const TERMINATE: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/terminate";

/// A shell that nobody uses is deleted by the guest after this time, so that a killed client leaves nothing for long.
const SHELL_IDLE: Duration = Duration::from_mins(30);

type Xml = Writer<Vec<u8>>;

/// One request to the service.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Request<'a> {
    /// The service's settings (administrators only).
    Config,
    /// A new shell.
    Create,
    /// A process in a shell.
    Command {
        shell: &'a str,
        program: &'a str,
        arguments: &'a str,
        /// Through `cmd.exe` with a console for input; else started directly with a pipe for input.
        via_cmd: bool,
    },
    /// Bytes for a process's standard input.
    Send {
        shell: &'a str,
        command: &'a str,
        data: &'a [u8],
    },
    /// A process's output; the service holds the answer back until there is some.
    Receive { shell: &'a str, command: &'a str },
    /// Ends a process.
    Terminate { shell: &'a str, command: &'a str },
    /// Ends a shell with all its processes.
    Delete { shell: &'a str },
}

impl<'a> Request<'a> {
    /// Whether doing it twice is as good as once, so that it may be repeated when its answer was lost. A shell created
    /// twice goes away by itself.
    pub(crate) fn repeatable(&self) -> bool {
        !matches!(self, Self::Command { .. } | Self::Send { .. })
    }

    /// For messages: what is being done.
    pub(crate) fn doing(&self) -> &'static str {
        match self {
            Self::Config => "reading the guest's WinRM settings",
            Self::Create => "opening a shell",
            Self::Command { .. } => "starting a command",
            Self::Send { .. } => "sending input",
            Self::Receive { .. } => "waiting for output",
            Self::Terminate { .. } => "ending a command",
            Self::Delete { .. } => "closing a shell",
        }
    }

    fn action(&self) -> &'static str {
        match self {
            Self::Config => TRANSFER_GET,
            Self::Create => TRANSFER_CREATE,
            Self::Command { .. } => SHELL_COMMAND,
            Self::Send { .. } => SHELL_SEND,
            Self::Receive { .. } => SHELL_RECEIVE,
            Self::Terminate { .. } => SHELL_SIGNAL,
            Self::Delete { .. } => TRANSFER_DELETE,
        }
    }

    fn resource(&self) -> &'static str {
        if matches!(self, Self::Config) {
            CONFIG
        } else {
            CMD_SHELL
        }
    }

    fn shell(&self) -> Option<&'a str> {
        match self {
            Self::Config | Self::Create => None,
            Self::Command { shell, .. }
            | Self::Send { shell, .. }
            | Self::Receive { shell, .. }
            | Self::Terminate { shell, .. }
            | Self::Delete { shell } => Some(shell),
        }
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Create => &[("WINRS_NOPROFILE", "TRUE"), ("WINRS_CODEPAGE", "65001")],
            Self::Command { via_cmd: true, .. } => {
                &[("WINRS_CONSOLEMODE_STDIN", "TRUE"), ("WINRS_SKIP_CMD_SHELL", "FALSE")]
            }
            Self::Command { via_cmd: false, .. } => {
                &[("WINRS_CONSOLEMODE_STDIN", "FALSE"), ("WINRS_SKIP_CMD_SHELL", "TRUE")]
            }
            _ => &[],
        }
    }

    fn write_body(&self, xml: &mut Xml) -> io::Result<()> {
        match *self {
            Self::Config | Self::Delete { .. } => Ok(()),
            Self::Create => write_shell(xml),
            Self::Command { program, arguments, .. } => write_command(xml, program, arguments),
            Self::Send { command, data, .. } => write_send(xml, command, data),
            Self::Receive { command, .. } => element(xml, "rsp:Receive", |xml| {
                xml.create_element("rsp:DesiredStream")
                    .with_attribute(("CommandId", command))
                    .write_text_content(BytesText::new("stdout stderr"))?;
                Ok(())
            }),
            Self::Terminate { command, .. } => {
                xml.create_element("rsp:Signal")
                    .with_attribute(("CommandId", command))
                    .write_inner_content(|xml| text(xml, "rsp:Code", TERMINATE))?;
                Ok(())
            }
        }
    }
}

/// What all requests of one client have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope<'a> {
    /// The service's URL.
    pub(crate) to: &'a str,
    /// This message's id.
    pub(crate) id: Uuid,
    /// How long the service may hold back the answer.
    pub(crate) timeout: Duration,
    /// The longest answer that is welcome, in bytes.
    pub(crate) max_size: u32,
}

impl Envelope<'_> {
    /// The id as it stands in the message, and in `RelatesTo` of its answer.
    pub(crate) fn message_id(&self) -> String {
        format!("uuid:{}", self.id.hyphenated().to_string().to_ascii_uppercase())
    }

    /// The whole message.
    pub(crate) fn write(&self, request: &Request<'_>) -> io::Result<Vec<u8>> {
        let mut xml = Writer::new(Vec::with_capacity(capacity(request)));
        xml.create_element("s:Envelope")
            .with_attributes([
                ("xmlns:s", SOAP),
                ("xmlns:a", ADDRESSING),
                ("xmlns:w", WSMAN),
                ("xmlns:p", WSMAN_MS),
                ("xmlns:rsp", SHELL),
            ])
            .write_inner_content(|xml| {
                element(xml, "s:Header", |xml| self.write_header(xml, request))?;
                element(xml, "s:Body", |xml| request.write_body(xml))
            })?;
        Ok(xml.into_inner())
    }

    fn write_header(&self, xml: &mut Xml, request: &Request<'_>) -> io::Result<()> {
        text(xml, "a:To", self.to)?;
        required(xml, "w:ResourceURI", request.resource())?;
        element(xml, "a:ReplyTo", |xml| required(xml, "a:Address", ANONYMOUS))?;
        required(xml, "a:Action", request.action())?;
        required(xml, "w:MaxEnvelopeSize", &self.max_size.to_string())?;
        text(xml, "a:MessageID", &self.message_id())?;
        locale(xml, "w:Locale")?;
        locale(xml, "p:DataLocale")?;
        text(xml, "w:OperationTimeout", &duration(self.timeout))?;
        if let Some(shell) = request.shell() {
            element(xml, "w:SelectorSet", |xml| named(xml, "w:Selector", "ShellId", shell))?;
        }
        write_options(xml, request.options())
    }
}

fn capacity(request: &Request<'_>) -> usize {
    match request {
        Request::Send { data, .. } => data.len() / 3 * 4 + 4096,
        _ => 4096,
    }
}

fn write_options(xml: &mut Xml, options: &[(&str, &str)]) -> io::Result<()> {
    if options.is_empty() {
        return Ok(());
    }
    xml.create_element("w:OptionSet")
        .with_attribute(("s:mustUnderstand", "true"))
        .write_inner_content(|xml| {
            options
                .iter()
                .try_for_each(|(name, value)| named(xml, "w:Option", name, value))
        })?;
    Ok(())
}

fn write_shell(xml: &mut Xml) -> io::Result<()> {
    element(xml, "rsp:Shell", |xml| {
        text(xml, "rsp:IdleTimeOut", &duration(SHELL_IDLE))?;
        text(xml, "rsp:InputStreams", "stdin")?;
        text(xml, "rsp:OutputStreams", "stdout stderr")
    })
}

fn write_command(xml: &mut Xml, program: &str, arguments: &str) -> io::Result<()> {
    element(xml, "rsp:CommandLine", |xml| {
        text(xml, "rsp:Command", program)?;
        if arguments.is_empty() {
            Ok(())
        } else {
            text(xml, "rsp:Arguments", arguments)
        }
    })
}

/// The bytes go straight from base64 into the message: this is where uploads spend their time.
fn write_send(xml: &mut Xml, command: &str, data: &[u8]) -> io::Result<()> {
    element(xml, "rsp:Send", |xml| {
        xml.create_element("rsp:Stream")
            .with_attributes([("Name", "stdin"), ("CommandId", command)])
            .write_inner_content(|xml| append_base64(xml.get_mut(), data))?;
        Ok(())
    })
}

fn append_base64(out: &mut Vec<u8>, data: &[u8]) -> io::Result<()> {
    let start = out.len();
    out.resize(start + data.len().div_ceil(3) * 4, 0);
    let room = out.get_mut(start..).unwrap_or_default();
    STANDARD.encode_slice(data, room).map_err(io::Error::other)?;
    Ok(())
}

fn element(xml: &mut Xml, name: &str, inner: impl FnOnce(&mut Xml) -> io::Result<()>) -> io::Result<()> {
    xml.create_element(name).write_inner_content(inner)?;
    Ok(())
}

fn text(xml: &mut Xml, name: &str, value: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(value))?;
    Ok(())
}

fn named(xml: &mut Xml, element: &str, name: &str, value: &str) -> io::Result<()> {
    xml.create_element(element)
        .with_attribute(("Name", name))
        .write_text_content(BytesText::new(value))?;
    Ok(())
}

fn required(xml: &mut Xml, name: &str, value: &str) -> io::Result<()> {
    xml.create_element(name)
        .with_attribute(("s:mustUnderstand", "true"))
        .write_text_content(BytesText::new(value))?;
    Ok(())
}

fn locale(xml: &mut Xml, name: &str) -> io::Result<()> {
    xml.create_element(name)
        .with_attributes([("xml:lang", "en-US"), ("s:mustUnderstand", "false")])
        .write_empty()?;
    Ok(())
}

fn duration(time: Duration) -> String {
    format!("PT{}.{:03}S", time.as_secs(), time.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(request: &Request<'_>) -> String {
        let envelope = Envelope {
            to: "http://192.0.2.1:5985/wsman",
            id: Uuid::from_u128(0xabc),
            timeout: Duration::from_millis(20_500),
            max_size: 512_000,
        };
        String::from_utf8(envelope.write(request).unwrap()).unwrap()
    }

    fn header<'a>(doc: &'a roxmltree::Document<'_>, name: &str) -> Option<roxmltree::Node<'a, 'a>> {
        let header = doc.root_element().first_element_child().unwrap();
        assert_eq!(header.tag_name().name(), "Header");
        header.children().find(|node| node.tag_name().name() == name)
    }

    #[test]
    fn options_and_selectors_stand_in_the_header() {
        let xml = envelope(&Request::Command {
            shell: "S<1>",
            program: "a&b",
            arguments: "\"c\"",
            via_cmd: false,
        });
        let doc = roxmltree::Document::parse(&xml).unwrap();
        let options = header(&doc, "OptionSet").unwrap();
        let names: Vec<_> = options
            .children()
            .filter_map(|option| option.attribute("Name"))
            .collect();
        assert_eq!(names, ["WINRS_CONSOLEMODE_STDIN", "WINRS_SKIP_CMD_SHELL"]);
        assert_eq!(
            header(&doc, "SelectorSet").unwrap().first_child().unwrap().text(),
            Some("S<1>")
        );
        assert_eq!(header(&doc, "OperationTimeout").unwrap().text(), Some("PT20.500S"));
        assert_eq!(
            header(&doc, "MessageID").unwrap().text(),
            Some("uuid:00000000-0000-0000-0000-000000000ABC")
        );
        let command = doc
            .descendants()
            .find(|node| node.tag_name().name() == "Command")
            .unwrap();
        assert_eq!(command.text(), Some("a&b"));
        assert_eq!(command.tag_name().namespace(), Some(SHELL));
    }

    #[test]
    fn a_new_shell_speaks_utf8() {
        let xml = envelope(&Request::Create);
        assert!(
            xml.contains("<w:Option Name=\"WINRS_CODEPAGE\">65001</w:Option>"),
            "{xml}"
        );
        let body = xml.split("<s:Body>").nth(1).unwrap();
        assert!(!body.contains("Option "), "options in the body: {xml}");
    }

    #[test]
    fn sent_bytes_come_back_from_base64() {
        for length in [0_usize, 1, 2, 3, 4, 1000] {
            let data: Vec<u8> = (0_u8..=255).cycle().take(length).collect();
            let xml = envelope(&Request::Send {
                shell: "s",
                command: "c",
                data: &data,
            });
            let doc = roxmltree::Document::parse(&xml).unwrap();
            let stream = doc
                .descendants()
                .find(|node| node.tag_name().name() == "Stream")
                .unwrap();
            assert_eq!(STANDARD.decode(stream.text().unwrap_or_default()).unwrap(), data);
        }
    }

    #[test]
    fn only_what_starts_something_is_never_repeated() {
        assert!(
            !Request::Send {
                shell: "",
                command: "",
                data: &[]
            }
            .repeatable()
        );
        assert!(
            !Request::Command {
                shell: "",
                program: "",
                arguments: "",
                via_cmd: true
            }
            .repeatable()
        );
        assert!(Request::Receive { shell: "", command: "" }.repeatable());
        assert!(Request::Delete { shell: "" }.repeatable());
    }
}
