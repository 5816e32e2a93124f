//! Marked lines on a guest process's standard output, and the text between them.
//!
//! See `docs/guest-protocol.md`, "Lines". Bytes may be cut anywhere; text is passed on as soon as it cannot become a
//! marked line any more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::clixml::incomplete_utf8;

const MARK: &[u8] = b"##reseal:";
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// A marked line longer than this is taken for text.
const LONGEST: usize = 64 * 1024 * 1024;

/// What stands on standard output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Line {
    /// Anything; not necessarily a whole line.
    Text(String),
    /// `##reseal:ready:…`
    Ready(Value),
    /// `##reseal:result:…`
    Result(Value),
    /// `##reseal:end:…`
    End(u64),
}

/// Splits a stream.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The line that is not complete yet.
    buffer: Vec<u8>,
    /// How many bytes of the buffer are known to have no line end.
    searched: usize,
    /// The beginning of this line has been passed on as text already.
    in_text: bool,
    /// An empty line that belongs to the next line, should that be a marked one.
    blank: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes and returns what is certain.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<Line> {
        self.buffer.extend_from_slice(bytes);
        let mut lines = Vec::new();
        let whole = self.take_whole_lines();
        for line in whole.split_inclusive(|byte| *byte == b'\n') {
            self.take_line(line, &mut lines);
        }
        self.pass_text(&mut lines);
        lines
    }

    /// Taken out at once: a thousand short lines cost no more than a long one.
    fn take_whole_lines(&mut self) -> Vec<u8> {
        let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
        let last = unsearched.iter().rposition(|byte| *byte == b'\n');
        let rest = self.buffer.split_off(last.map_or(0, |at| self.searched + at + 1));
        self.searched = rest.len();
        std::mem::replace(&mut self.buffer, rest)
    }

    fn take_line(&mut self, line: &[u8], lines: &mut Vec<Line>) {
        if std::mem::take(&mut self.in_text) {
            return push(lines, text(line));
        }
        if line.trim_ascii().is_empty() && line.ends_with(b"\n") {
            self.pass_blank(lines);
            self.blank = line.to_vec();
            return;
        }
        let line = read(line);
        if matches!(line, Line::Text(_)) {
            self.pass_blank(lines);
        }
        self.blank.clear();
        push(lines, line);
    }

    fn pass_blank(&mut self, lines: &mut Vec<Line>) {
        let blank = std::mem::take(&mut self.blank);
        if !blank.is_empty() {
            push(lines, text(&blank));
        }
    }

    /// The stream has ended.
    pub(crate) fn finish(&mut self) -> Vec<Line> {
        let line = std::mem::take(&mut self.buffer);
        self.searched = 0;
        let mut lines = Vec::new();
        if !line.is_empty() {
            self.take_line(&line, &mut lines);
        }
        self.pass_blank(&mut lines);
        lines
    }

    fn pass_text(&mut self, lines: &mut Vec<Line>) {
        if !self.in_text && may_be_marked(&self.buffer) && self.buffer.len() < LONGEST {
            return;
        }
        let keep = incomplete_utf8(&self.buffer);
        let rest = self.buffer.split_off(self.buffer.len() - keep);
        let piece = std::mem::replace(&mut self.buffer, rest);
        self.searched = self.buffer.len();
        if !piece.is_empty() {
            self.pass_blank(lines);
            self.in_text = true;
            push(lines, text(&piece));
        }
    }
}

/// Neighbouring text becomes one piece.
fn push(lines: &mut Vec<Line>, line: Line) {
    match (lines.last_mut(), line) {
        (Some(Line::Text(before)), Line::Text(after)) => before.push_str(&after),
        (_, line) => lines.push(line),
    }
}

fn text(bytes: &[u8]) -> Line {
    Line::Text(String::from_utf8_lossy(bytes).into_owned())
}

fn may_be_marked(start: &[u8]) -> bool {
    let bare = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
    BYTE_ORDER_MARK.starts_with(start) || MARK.starts_with(bare) || bare.starts_with(MARK)
}

/// Reads a whole line; what is not a well-formed marked line is text.
fn read(line: &[u8]) -> Line {
    let bare = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    marked(bare.trim_ascii_end()).unwrap_or_else(|| text(line))
}

fn marked(line: &[u8]) -> Option<Line> {
    let rest = std::str::from_utf8(line.strip_prefix(MARK)?).ok()?;
    let (kind, value) = rest.split_once(':')?;
    match kind {
        "ready" => json(value).map(Line::Ready),
        "result" => json(value).map(Line::Result),
        "end" => value.parse().ok().map(Line::End),
        _ => None,
    }
}

fn json(value: &str) -> Option<Value> {
    serde_json::from_slice(&STANDARD.decode(value).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn sample() -> Vec<u8> {
        let result = STANDARD.encode("{\"ok\":true,\"result\":{\"이름\":1}}");
        format!(
            "\u{feff}##reseal:ready:{}\r\n한글 log\r\n##reseal:result:{result}\r\n\n#not\n\r\n\n##reseal:end:7\r\ntail",
            "e30="
        )
        .into_bytes()
    }

    fn expected() -> Vec<Line> {
        vec![
            Line::Ready(json!({})),
            Line::Text("한글 log\r\n".to_owned()),
            Line::Result(json!({"ok": true, "result": {"이름": 1}})),
            Line::Text("\n#not\n\r\n".to_owned()),
            Line::End(7),
            Line::Text("tail".to_owned()),
        ]
    }

    fn split(pieces: &[&[u8]]) -> Vec<Line> {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for line in pieces.iter().flat_map(|piece| lines.feed(piece)).collect::<Vec<_>>() {
            push(&mut out, line);
        }
        for line in lines.finish() {
            push(&mut out, line);
        }
        out
    }

    #[test]
    fn marks_and_text_are_told_apart() {
        assert_eq!(split(&[&sample()]), expected());
    }

    #[test]
    fn text_is_not_held_back() {
        let mut lines = Lines::default();
        assert_eq!(lines.feed(b"50 %"), [Line::Text("50 %".to_owned())]);
        assert_eq!(
            lines.feed(b"##reseal:end:1\n"),
            [Line::Text("##reseal:end:1\n".to_owned())]
        );
        assert_eq!(lines.feed(b"##res"), []);
        assert_eq!(lines.feed(b"t"), [Line::Text("##rest".to_owned())]);
    }

    #[test]
    fn a_damaged_mark_is_text() {
        assert_eq!(
            split(&[b"##reseal:result:!!\n"]),
            [Line::Text("##reseal:result:!!\n".to_owned())]
        );
        assert_eq!(
            split(&[b"##reseal:end:x\n"]),
            [Line::Text("##reseal:end:x\n".to_owned())]
        );
    }

    /// With a copy of the rest for each line, this would take hours.
    #[test]
    fn many_short_lines_cost_no_more_than_a_long_one() {
        let flood = b"x\n".repeat(4 << 20);
        assert!(matches!(Lines::default().feed(&flood).as_slice(), [Line::Text(text)] if text.len() == flood.len()));
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(first in 0_usize..150, second in 0_usize..150) {
            let bytes = sample();
            let (a, rest) = bytes.split_at(first.min(bytes.len()));
            let (b, c) = rest.split_at(second.min(rest.len()));
            prop_assert_eq!(split(&[a, b, c]), expected());
        }

        #[test]
        fn garbage_never_panics(pieces: Vec<Vec<u8>>) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            split(&pieces);
        }
    }
}
