//! CLIXML: what PowerShell writes to a redirected standard error, decoded into messages.
//!
//! A stream is plain text and `#< CLIXML` documents in any mixture, cut anywhere. Progress records are dropped, escapes
//! (`_xHHHH_`, UTF-16 code units) are resolved, and whatever is not CLIXML after all comes out as the text it is.

use roxmltree::{Document, Node, ParsingOptions};

const HEADER: &[u8] = b"#< CLIXML";
const OPEN: &[u8] = b"<Objs";
const CLOSE: &[u8] = b"</Objs>";
/// A document longer than this is not waited for; it comes out as text.
const LONGEST: usize = 8 * 1024 * 1024;
/// A document with more nodes than this comes out as text, too: its tree would need much more room than its text.
const MOST_NODES: u32 = 100_000;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An error record's text, or plain text from a program.
    Error,
    /// A warning.
    Warning,
    /// Verbose talk.
    Verbose,
    /// Debug talk.
    Debug,
    /// `Write-Information` and `Write-Host`.
    Information,
    /// Output objects.
    Output,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

impl Message {
    /// As PowerShell would show it on a console.
    pub(crate) fn display(&self) -> String {
        let prefix = match self.kind {
            Kind::Error | Kind::Information | Kind::Output => "",
            Kind::Warning => "WARNING: ",
            Kind::Verbose => "VERBOSE: ",
            Kind::Debug => "DEBUG: ",
        };
        let newline = if self.kind == Kind::Error || self.text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        format!("{prefix}{}{newline}", self.text)
    }
}

/// Decodes a stream piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: Vec<u8>,
    /// Inside a document's text (its header has been seen).
    inside: bool,
    /// How many bytes of the buffer are known to hold no end of a document.
    searched: usize,
}

impl Decoder {
    /// Takes the next bytes and returns what is complete.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<Message> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend_from_slice(bytes);
        let mut rest = buffer.as_slice();
        let mut messages = Vec::new();
        while self.step(&mut rest, &mut messages) {}
        // Cut once: a thousand short documents cost no more than a long one.
        let used = buffer.len() - rest.len();
        self.buffer = buffer.split_off(used);
        messages
    }

    /// The stream has ended: what is left is text.
    pub(crate) fn finish(&mut self) -> Vec<Message> {
        let rest = std::mem::take(self).buffer;
        let mut messages = Vec::new();
        push_text(&mut messages, &rest);
        messages
    }

    fn step(&mut self, rest: &mut &[u8], messages: &mut Vec<Message>) -> bool {
        if self.inside {
            self.step_document(rest, messages)
        } else {
            self.step_text(rest, messages)
        }
    }

    /// Outside: everything before the next header is text, but for what may become a header.
    fn step_text(&mut self, rest: &mut &[u8], messages: &mut Vec<Message>) -> bool {
        if let Some(at) = find(rest, HEADER) {
            push_text(messages, take(rest, at));
            take(rest, HEADER.len());
            self.inside = true;
            return true;
        }
        let keep = begun(rest, HEADER).max(incomplete_utf8(rest));
        push_text(messages, take(rest, rest.len() - keep));
        false
    }

    /// Inside: white space, then documents; anything else ends the CLIXML.
    fn step_document(&mut self, rest: &mut &[u8], messages: &mut Vec<Message>) -> bool {
        *rest = rest.trim_ascii_start();
        if rest.len() < OPEN.len() && OPEN.starts_with(rest) {
            return false;
        }
        if !rest.starts_with(OPEN) {
            self.inside = false;
            return !rest.is_empty();
        }
        let seen = std::mem::take(&mut self.searched).saturating_sub(CLOSE.len());
        if let Some(at) = find(rest.get(seen..).unwrap_or_default(), CLOSE) {
            read_document(take(rest, seen + at + CLOSE.len()), messages);
            return true;
        }
        if rest.len() > LONGEST {
            push_text(messages, take(rest, rest.len()));
            self.inside = false;
        }
        self.searched = rest.len();
        false
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, left) = rest.split_at_checked(count).unwrap_or((rest, &[]));
    *rest = left;
    taken
}

fn push_text(messages: &mut Vec<Message>, bytes: &[u8]) {
    if !bytes.is_empty() {
        messages.push(Message {
            kind: Kind::Error,
            text: String::from_utf8_lossy(bytes).into_owned(),
        });
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// How many bytes at the end of `buffer` may be the beginning of `word`.
fn begun(buffer: &[u8], word: &[u8]) -> usize {
    (1..word.len())
        .rev()
        .find(|&count| word.get(..count).is_some_and(|start| buffer.ends_with(start)))
        .unwrap_or(0)
}

/// How many bytes at the end of `buffer` are an unfinished character.
pub(crate) fn incomplete_utf8(buffer: &[u8]) -> usize {
    for back in 1..=3_usize.min(buffer.len()) {
        let Some(&byte) = buffer.get(buffer.len() - back) else {
            return 0;
        };
        let length = match byte {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            0x80..=0xBF => continue,
            _ => return 0,
        };
        return if length > back { back } else { 0 };
    }
    0
}

fn read_document(bytes: &[u8], messages: &mut Vec<Message>) {
    let text = String::from_utf8_lossy(bytes);
    let limits = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let Ok(doc) = Document::parse_with_options(&text, limits) else {
        return push_text(messages, bytes);
    };
    let mut own = Vec::new();
    for message in doc
        .root_element()
        .children()
        .filter(Node::is_element)
        .filter_map(read_object)
    {
        append(&mut own, message);
    }
    messages.append(&mut own);
}

/// The lines of one error record come as several `S` elements; they are one text.
fn append(messages: &mut Vec<Message>, message: Message) {
    match messages.last_mut() {
        Some(last) if last.kind == Kind::Error && message.kind == Kind::Error => last.text.push_str(&message.text),
        _ => messages.push(message),
    }
}

fn read_object(node: Node<'_, '_>) -> Option<Message> {
    let kind = match node.attribute("S").map(str::to_ascii_lowercase).as_deref() {
        Some("progress") => return None,
        Some("error") => Kind::Error,
        Some("warning") => Kind::Warning,
        Some("verbose") => Kind::Verbose,
        Some("debug") => Kind::Debug,
        Some("information") => Kind::Information,
        _ => Kind::Output,
    };
    let text = if node.has_children() && node.children().any(|child| child.is_element()) {
        node.descendants()
            .find(|child| child.tag_name().name() == "ToString")?
            .text()
            .unwrap_or_default()
    } else {
        node.text().unwrap_or_default()
    };
    Some(Message {
        kind,
        text: unescape(text),
    })
}

/// Resolves `_xHHHH_`; halves of a surrogate pair that stand side by side become one character.
fn unescape(text: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_x") {
        units.extend(before.encode_utf16());
        if let Some((unit, tail)) = escape(after) {
            units.push(unit);
            rest = tail;
        } else {
            units.extend("_x".encode_utf16());
            rest = after;
        }
    }
    units.extend(rest.encode_utf16());
    String::from_utf16_lossy(&units)
}

fn escape(after: &str) -> Option<(u16, &str)> {
    let (digits, tail) = after.split_at_checked(4)?;
    let tail = tail.strip_prefix('_')?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((u16::from_str_radix(digits, 16).ok()?, tail))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = concat!(
        "#< CLIXML\r\n<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">",
        "<Obj S=\"progress\" RefId=\"0\"><TN RefId=\"0\"><T>System.Management.Automation.PSCustomObject</T></TN>",
        "<MS><I64 N=\"SourceId\">1</I64><PR N=\"Record\"><AV>Preparing modules for first use.</AV></PR></MS></Obj>",
        "<S S=\"Error\">Get-Item : 경로 '_x005F_a' _xD83D__xDE00__x000D__x000A_</S>",
        "<S S=\"Error\">At line:1 char:1_x000D__x000A_</S><S S=\"warning\">low &amp; high</S>",
        "<Obj S=\"information\" RefId=\"1\"><TN RefId=\"1\"><T>x</T></TN><ToString>hello</ToString></Obj></Objs>",
    );

    fn expected() -> Vec<Message> {
        vec![
            Message {
                kind: Kind::Error,
                text: "Get-Item : 경로 '_a' \u{1F600}\r\nAt line:1 char:1\r\n".to_owned(),
            },
            Message {
                kind: Kind::Warning,
                text: "low & high".to_owned(),
            },
            Message {
                kind: Kind::Information,
                text: "hello".to_owned(),
            },
        ]
    }

    fn decode(pieces: &[&[u8]]) -> Vec<Message> {
        let mut decoder = Decoder::default();
        let mut messages: Vec<Message> = pieces.iter().flat_map(|piece| decoder.feed(piece)).collect();
        messages.extend(decoder.finish());
        messages
    }

    #[test]
    fn messages_come_out_and_progress_does_not() {
        assert_eq!(decode(&[SAMPLE.as_bytes()]), expected());
    }

    #[test]
    fn text_around_documents_survives() {
        let mixed = format!("before\n{SAMPLE}\r\nafter # < no");
        let messages = decode(&[mixed.as_bytes()]);
        assert_eq!(messages.first().unwrap().text, "before\n");
        assert_eq!(messages.last().unwrap().text, "after # < no");
        assert_eq!(messages.len(), expected().len() + 2);
    }

    #[test]
    fn damaged_documents_come_out_as_text() {
        let messages = decode(&[b"#< CLIXML\r\n<Objs><S S=\"Error\">x</Objs>"]);
        assert_eq!(messages.first().unwrap().text, "<Objs><S S=\"Error\">x</Objs>");
        let messages = decode(&[b"#< CLIXML\r\n<Objs Ver"]);
        assert_eq!(messages.first().unwrap().text, "<Objs Ver");
    }

    /// With a copy of the rest for each document, this would take hours.
    #[test]
    fn many_short_documents_cost_no_more_than_a_long_one() {
        let flood = b"#< CLIXML\r\n<Objs></Objs>".repeat(1 << 17);
        assert_eq!(decode(&[&flood]), []);
    }

    #[test]
    fn a_document_of_too_many_nodes_is_text() {
        let document = format!("<Objs>{}</Objs>", "<S/>".repeat(200_000));
        let messages = decode(&[b"#< CLIXML\r\n", document.as_bytes()]);
        assert_eq!(messages.len(), 1);
        assert_eq!(messages.first().unwrap().text, document);
    }

    #[test]
    fn a_document_without_an_end_is_text_in_the_end() {
        let mut decoder = Decoder::default();
        let piece = vec![b'x'; 1 << 20];
        decoder.feed(b"#< CLIXML\r\n<Objs>");
        let out: usize = (0..10)
            .flat_map(|_| decoder.feed(&piece))
            .map(|message| message.text.len())
            .sum();
        assert_eq!(out, (10 << 20) + "<Objs>".len());
        assert!(decoder.buffer.is_empty());
    }

    #[test]
    fn shown_as_on_a_console() {
        let shown: String = expected().iter().skip(1).map(Message::display).collect();
        assert_eq!(shown, "WARNING: low & high\nhello\n");
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(cuts in proptest::collection::vec(0..SAMPLE.len(), 0..6)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut rest = SAMPLE.as_bytes();
            let mut at = 0;
            for cut in cuts {
                let (piece, tail) = rest.split_at(cut - at);
                pieces.push(piece);
                rest = tail;
                at = cut;
            }
            pieces.push(rest);
            prop_assert_eq!(decode(&pieces), expected());
        }

        #[test]
        fn mutations_never_panic(at in 0..SAMPLE.len(), byte: u8, cut in 0..SAMPLE.len()) {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            bytes[at] = byte;
            let (first, second) = bytes.split_at(cut);
            decode(&[first, second]);
        }

        #[test]
        fn any_text_without_a_header_is_kept(text in "[^#]*") {
            let out: String = decode(&[text.as_bytes()]).into_iter().map(|message| message.text).collect();
            prop_assert_eq!(out, text);
        }
    }
}
