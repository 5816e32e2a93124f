//! Texts with secrets blotted out, byte for byte, so that places stay right and diagnostics show no secret.

use reseal_diag::{Diagnostic, SourceText, Span};

/// The text with these places blotted out.
pub(crate) fn spans(source: &SourceText, spans: &[Span]) -> SourceText {
    let inside = |at: usize| spans.iter().any(|span| span.range().contains(&at));
    SourceText::new(source.name(), blotted(source.text(), |at, _| inside(at)))
}

/// A file of variables with everything blotted out that could be a value: what stands after the first colon of a line
/// that begins with a name, and all other lines.
pub(crate) fn values(source: &SourceText) -> SourceText {
    let mut hidden = Vec::new();
    let mut start = 0;
    for line in source.text().split_inclusive('\n') {
        let key = line.split_once(':').map_or("", |(key, _)| key);
        let shown = if is_key(key) { key.len() } else { 0 };
        hidden.push(Span::new(start + shown, start + line.len()));
        start += line.len();
    }
    spans(source, &hidden)
}

/// A name at the beginning of a line, or a quoted one, perhaps after a brace.
fn is_key(text: &str) -> bool {
    let bare = text.trim_start_matches(['{', ' ']);
    let quoted = bare.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let name = quoted.unwrap_or(bare);
    let first = quoted.is_some() || text.starts_with(bare) || text.starts_with('{');
    first && crate::variables::is_name(name)
}

fn blotted(text: &str, hide: impl Fn(usize, char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if hide(at, c) && !matches!(c, ' ' | '\n' | '\r' | '\t' | ':') {
            out.extend(std::iter::repeat_n('*', c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    out
}

/// The diagnostics with another text in place of `from`.
pub(crate) fn replace(diagnostics: &mut [Diagnostic], from: &SourceText, to: &SourceText) {
    for diagnostic in diagnostics {
        let labels = diagnostic.primary.iter_mut().chain(&mut diagnostic.related);
        labels
            .filter(|label| label.source == *from)
            .for_each(|label| label.source = to.clone());
        if let Some(patch) = diagnostic.patch.as_mut().filter(|patch| patch.source == *from) {
            patch.source = to.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_blotted_out_and_names_are_not() {
        let check = |text: &str, expect: &str| {
            let source = values(&SourceText::new("v", text));
            assert_eq!(source.text(), expect);
            assert_eq!(source.text().len(), text.len());
        };
        check("token: s3cret\n한글: 가\n", "token: ******\n******: ***\n");
        check("{\"token\": \"s3cret\"}", "{\"token\": *********");
        check("{\n  \"token\": \"s3\"\n}\n", "*\n  \"token\": ****\n*\n");
        check("key: |\n  secret: x\n  more\n", "key: *\n  ******: *\n  ****\n");
    }
}
