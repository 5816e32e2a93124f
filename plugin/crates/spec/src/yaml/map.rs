//! The source map: from the events of a YAML parser to the places of all routes.
//!
//! The parser counts characters; they are turned into bytes here, once, and nobody else knows.

use std::collections::HashMap;

use reseal_diag::{Diagnostic, SourceText, Span};
use saphyr_parser::{Event, Parser, ScalarStyle};

use super::Place;
use super::refuse::{self, Refusal};
use crate::route;

/// Places, complaints, and whether what is written may be read at all.
pub(super) fn read(source: &SourceText) -> (HashMap<String, Place>, Vec<Diagnostic>, bool) {
    let (text, offset) = without_bom(source.text());
    let bytes = Bytes::new(text, offset);
    let mut walk = Walk::new(source);
    let mut failure = None;
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                let span = Span::new(bytes.at(span.start.index()), bytes.at(span.end.index()));
                walk.event(&event, span);
            }
            Err(error) => {
                failure = Some((error.info().to_owned(), bytes.at(error.marker().index())));
                break;
            }
        }
    }
    let scalars = walk.long_scalars.clone();
    let limit = failure.as_ref().map_or(source.text().len(), |(_, at)| *at);
    let tabs = refuse::tabs(source, limit, &scalars);
    // A reader that got stuck got stuck at the tab.
    if let (Some((info, at)), None) = (&failure, &tabs) {
        walk.refused.push(refuse::not_yaml(source, info, *at));
    }
    walk.refused.extend(tabs);
    let readable = walk.refused.iter().all(|refusal| !refusal.fatal);
    let diagnostics = walk.refused.into_iter().map(|refusal| refusal.diagnostic).collect();
    (walk.places, diagnostics, readable)
}

/// The text without a byte order mark, and how long that was.
pub(super) fn without_bom(text: &str) -> (&str, usize) {
    text.strip_prefix('\u{feff}')
        .map_or((text, 0), |rest| (rest, '\u{feff}'.len_utf8()))
}

/// From characters to bytes.
struct Bytes {
    offset: usize,
    /// The byte of each character, unless every character is one byte.
    starts: Option<Vec<usize>>,
    len: usize,
}

impl Bytes {
    fn new(text: &str, offset: usize) -> Self {
        let starts = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self {
            offset,
            starts,
            len: text.len(),
        }
    }

    fn at(&self, index: usize) -> usize {
        let at = match &self.starts {
            Some(starts) => starts.get(index).copied().unwrap_or(self.len),
            None => index.min(self.len),
        };
        at + self.offset
    }
}

/// A mapping or list that is open.
struct Open {
    route: String,
    start: usize,
    key: Option<Span>,
    kind: Kind,
}

enum Kind {
    /// The keys seen, and the key whose value comes next.
    Mapping {
        seen: HashMap<String, Span>,
        next: Option<(String, Span)>,
    },
    /// The index that comes next.
    List(usize),
}

struct Walk<'a> {
    source: &'a SourceText,
    places: HashMap<String, Place>,
    open: Vec<Open>,
    refused: Vec<Refusal>,
    /// Scalars over several lines, which may hold tabs.
    long_scalars: Vec<Span>,
    documents: usize,
    /// How deep inside a key that is not a scalar.
    in_key: usize,
}

impl<'a> Walk<'a> {
    fn new(source: &'a SourceText) -> Self {
        Self {
            source,
            places: HashMap::new(),
            open: Vec::new(),
            refused: Vec::new(),
            long_scalars: Vec::new(),
            documents: 0,
            in_key: 0,
        }
    }

    fn event(&mut self, event: &Event<'_>, span: Span) {
        self.refuse_extras(event, span);
        if self.in_key > 0 {
            self.skip_key(event);
            return;
        }
        match event {
            Event::Scalar(text, style, ..) => self.scalar(text, *style, span),
            Event::MappingStart(..) => self.begin(
                Kind::Mapping {
                    seen: HashMap::new(),
                    next: None,
                },
                span,
            ),
            Event::SequenceStart(..) => self.begin(Kind::List(0), span),
            Event::MappingEnd | Event::SequenceEnd => self.end(span),
            Event::Alias(_) => self.alias(span),
            _ => {}
        }
    }

    fn refuse_extras(&mut self, event: &Event<'_>, span: Span) {
        let (anchor, tag) = match event {
            Event::Scalar(_, _, anchor, tag) | Event::MappingStart(anchor, tag) | Event::SequenceStart(anchor, tag) => {
                (*anchor, tag.is_some())
            }
            Event::Alias(_) => (1, false),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents == 2 {
                    self.refused.push(refuse::several_documents(self.source, span));
                }
                return;
            }
            _ => return,
        };
        if anchor != 0 {
            self.refused.push(refuse::anchor(self.source, span));
        }
        if tag {
            self.refused.push(refuse::tag(self.source, span));
        }
    }

    /// Whether what begins now stands where a key is expected.
    fn at_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                kind: Kind::Mapping { next: None, .. },
                ..
            })
        )
    }

    fn skip_key(&mut self, event: &Event<'_>) {
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => self.in_key += 1,
            Event::MappingEnd | Event::SequenceEnd => {
                self.in_key -= 1;
                if self.in_key == 0 {
                    self.set_key(String::new(), Span::new(0, 0));
                }
            }
            _ => {}
        }
    }

    fn alias(&mut self, span: Span) {
        if self.at_key() {
            self.set_key(String::new(), span);
        } else {
            self.next_route();
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) {
        let plain = style == ScalarStyle::Plain;
        if self.at_key() {
            self.key(text, plain, span);
            return;
        }
        let span = self.trimmed(span);
        if self.source.slice(span).contains('\n') {
            self.long_scalars.push(span);
        }
        let (route, key) = self.next_route();
        self.places.insert(
            route,
            Place {
                key,
                value: span,
                scalar: true,
            },
        );
    }

    fn key(&mut self, text: &str, plain: bool, span: Span) {
        if plain && text == "<<" {
            self.refused.push(refuse::merge_key(self.source, span));
        }
        if let Some(Open {
            kind: Kind::Mapping { seen, .. },
            ..
        }) = self.open.last_mut()
            && let Some(first) = seen.insert(text.to_owned(), span)
        {
            self.refused.push(refuse::duplicate_key(self.source, text, first, span));
        }
        self.set_key(text.to_owned(), span);
    }

    fn set_key(&mut self, text: String, span: Span) {
        if let Some(Open {
            kind: Kind::Mapping { next, .. },
            ..
        }) = self.open.last_mut()
        {
            *next = Some((text, span));
        }
    }

    /// The route of the value that begins now, and the span of its key.
    fn next_route(&mut self) -> (String, Option<Span>) {
        match self.open.last_mut() {
            None => (String::new(), None),
            Some(Open {
                route,
                kind: Kind::List(index),
                ..
            }) => {
                *index += 1;
                (route::item(route, *index - 1), None)
            }
            Some(Open {
                route,
                kind: Kind::Mapping { next, .. },
                ..
            }) => {
                let (key, span) = next.take().unwrap_or((String::new(), Span::new(0, 0)));
                (route::member(route, &key), Some(span))
            }
        }
    }

    fn begin(&mut self, kind: Kind, span: Span) {
        if self.at_key() {
            self.refused.push(refuse::complex_key(self.source, span));
            self.in_key = 1;
            return;
        }
        let (route, key) = self.next_route();
        self.open.push(Open {
            route,
            start: span.start,
            key,
            kind,
        });
    }

    fn end(&mut self, span: Span) {
        if let Some(open) = self.open.pop() {
            let value = self.trimmed(Span::new(open.start, span.end));
            self.places.insert(
                open.route,
                Place {
                    key: open.key,
                    value,
                    scalar: false,
                },
            );
        }
    }

    /// Without the white space at the end that block values carry.
    fn trimmed(&self, span: Span) -> Span {
        let text = self.source.slice(span);
        Span::new(span.start, span.start + text.trim_end().len())
    }
}
