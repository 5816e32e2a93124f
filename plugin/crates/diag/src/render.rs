//! Diagnostics as rustc draws them.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Patch as Replacement, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::SourceText;

/// How text may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// ASCII and no colours: logs, CI.
    Plain,
    /// ANSI colours: a terminal.
    Coloured,
}

/// One diagnostic, ending with a line break.
pub fn render(diagnostic: &Diagnostic, look: Look) -> String {
    let groups = groups(diagnostic);
    let mut text = renderer(look).render(&groups);
    text.push('\n');
    text
}

/// All of them, with an empty line between.
pub fn render_all(diagnostics: &[Diagnostic], look: Look) -> String {
    let texts: Vec<String> = diagnostics.iter().map(|diagnostic| render(diagnostic, look)).collect();
    texts.join("\n")
}

fn renderer(look: Look) -> Renderer {
    match look {
        Look::Plain => Renderer::plain(),
        Look::Coloured => Renderer::styled(),
    }
    .term_width(120)
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

fn groups(diagnostic: &Diagnostic) -> Vec<Group<'_>> {
    let title = level(diagnostic.severity)
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code);
    let mut group = Group::with_title(title).elements(snippets(diagnostic));
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let mut groups = vec![group];
    if let Some(patch) = &diagnostic.patch {
        let snippet = Snippet::source(patch.source.text())
            .path(patch.source.name())
            .patch(Replacement::new(patch.span.range(), patch.replacement.as_str()));
        groups.push(Level::HELP.secondary_title(patch.message.as_str()).element(snippet));
    }
    groups
}

/// One snippet for each text: the primary one first, with the related places that are in the same text.
fn snippets(diagnostic: &Diagnostic) -> Vec<Snippet<'_, Annotation<'_>>> {
    let mut texts: Vec<(&SourceText, Vec<Annotation<'_>>)> = Vec::new();
    let primary = diagnostic.primary.iter().map(|label| (label, AnnotationKind::Primary));
    let related = diagnostic.related.iter().map(|label| (label, AnnotationKind::Context));
    for (label, kind) in primary.chain(related) {
        let annotation = annotation(label, kind);
        match texts.iter_mut().find(|(source, _)| *source == &label.source) {
            Some((_, annotations)) => annotations.push(annotation),
            None => texts.push((&label.source, vec![annotation])),
        }
    }
    texts
        .into_iter()
        .map(|(source, annotations)| {
            Snippet::source(source.text())
                .path(source.name())
                .annotations(annotations)
        })
        .collect()
}

fn annotation(label: &Label, kind: AnnotationKind) -> Annotation<'_> {
    let annotation = kind.span(label.span.range());
    if label.text.is_empty() {
        annotation
    } else {
        annotation.label(label.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    fn example() -> Diagnostic {
        let source = SourceText::new("spec.yaml", "cloud:\n  region: KR1 # 한국 판교\n  flavour: 한글값\n");
        let span = |needle: &str| {
            let start = source.text().find(needle).unwrap();
            Span::new(start, start + needle.len())
        };
        Diagnostic::error("spec::unknown-field", "unknown field `flavour`")
            .at(&source, span("한글값"), "not known here")
            .related(&source, span("cloud"), "in this section")
            .help("allowed here: `provider`, `region`")
            .suggest(&source, span("flavour"), "flavor", "did you mean `flavor`?")
    }

    #[test]
    fn carets_stay_in_place_after_hangul() {
        insta::assert_snapshot!(render(&example(), Look::Plain), @r"
        error[spec::unknown-field]: unknown field `flavour`
         --> spec.yaml:3:12
          |
        1 | cloud:
          | ----- in this section
        2 |   region: KR1 # 한국 판교
        3 |   flavour: 한글값
          |            ^^^^^^ not known here
          |
          = help: allowed here: `provider`, `region`
        help: did you mean `flavor`?
          |
        3 -   flavour: 한글값
        3 +   flavor: 한글값
          |
        ");
    }

    #[test]
    fn colours_are_only_added() {
        let plain = render(&example(), Look::Plain);
        let coloured = render(&example(), Look::Coloured);
        assert_ne!(plain, coloured);
        let mut stripped = String::new();
        let mut escape = false;
        for c in coloured.chars() {
            match (escape, c) {
                (false, '\u{1b}') => escape = true,
                (false, c) => stripped.push(c),
                (true, 'm') => escape = false,
                (true, _) => {}
            }
        }
        assert_eq!(stripped, plain);
    }

    #[test]
    fn a_diagnostic_without_a_place_is_drawn() {
        let text = render(&Diagnostic::warning("spec::x", "nothing to point at"), Look::Plain);
        assert_eq!(text, "warning[spec::x]: nothing to point at\n");
    }

    #[test]
    fn spans_at_the_very_end_are_drawn() {
        let source = SourceText::new("empty.yaml", "");
        let text = render(
            &Diagnostic::error("spec::x", "empty").at(&source, Span::new(7, 9), "here"),
            Look::Plain,
        );
        assert!(text.contains("empty.yaml:1:1"), "{text}");
    }
}

#[cfg(test)]
mod properties {
    use proptest::prelude::*;

    use super::*;
    use crate::json::Report;
    use crate::source::Span;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_place_in_any_text_is_drawn(
            text in "[a가\\n\\r\\t {}\\PC]{0,60}",
            (start, length) in (0usize..80, 0usize..80),
            (from, size) in (0usize..80, 0usize..80),
        ) {
            let source = SourceText::new("t", text);
            let diagnostic = Diagnostic::error("x::y", "message")
                .at(&source, Span::new(start, start + length), "here")
                .related(&source, Span::new(from, from + size), "there")
                .suggest(&source, Span::new(from, from + size), "new\n한", "try");
            prop_assert!(!render(&diagnostic, Look::Plain).is_empty());
            let place = Report::from(&diagnostic).place.unwrap();
            prop_assert!((place.line, place.column) <= (place.end_line, place.end_column));
        }
    }
}
