//! Whole lines out of output that is cut anywhere.

use std::collections::BTreeMap;

use reseal_machine::communicator::Stream;

/// Longer lines are cut, so that a guest that never ends a line cannot fill our memory.
const LONGEST: usize = 64 * 1024;

/// Keeps the beginnings of lines until their ends arrive.
#[derive(Debug, Default)]
pub(super) struct Lines(BTreeMap<(String, bool), String>);

impl Lines {
    /// The lines that are complete with this piece.
    pub(super) fn push(&mut self, step: &str, stream: Stream, text: &str) -> Vec<String> {
        let held = self.0.entry((step.to_owned(), stream == Stream::Err)).or_default();
        held.push_str(text);
        let mut pieces: Vec<&str> = held.split('\n').collect();
        let rest = pieces.pop().unwrap_or_default().to_owned();
        let mut lines: Vec<String> = pieces
            .iter()
            .map(|line| line.trim_end_matches('\r').to_owned())
            .collect();
        *held = rest;
        if held.len() > LONGEST {
            lines.push(std::mem::take(held));
        }
        lines
    }

    /// What a step has said without a line's end.
    pub(super) fn finish(&mut self, step: &str) -> Vec<(Stream, String)> {
        let mut rest = |stream: Stream| {
            let text = self.0.remove(&(step.to_owned(), stream == Stream::Err))?;
            let text = text.trim_end_matches('\r').to_owned();
            (!text.is_empty()).then_some((stream, text))
        };
        [rest(Stream::Out), rest(Stream::Err)].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_for_each_stream() {
        let mut lines = Lines::default();
        assert!(lines.push("a", Stream::Out, "one").is_empty());
        assert!(lines.push("a", Stream::Err, "err").is_empty());
        assert_eq!(lines.push("a", Stream::Out, " line\r\ntwo\nthr"), ["one line", "two"]);
        assert_eq!(
            lines.finish("a"),
            [(Stream::Out, "thr".to_owned()), (Stream::Err, "err".to_owned())]
        );
        assert!(lines.finish("a").is_empty());
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut lines = Lines::default();
        let cut = lines.push("a", Stream::Out, &"x".repeat(LONGEST + 1));
        assert_eq!(cut.len(), 1);
    }
}
