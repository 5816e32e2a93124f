//! The grammar of what stands between `{{` and `}}`.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::fault::{Fault, line};
use super::function;
use super::lex::{Kind, Token, tokens};
use super::literal;
use super::node::{Command, Node, Operand, Piece, Pipeline};

/// Parentheses deeper than this are refused.
const DEPTH: usize = 32;
/// What Go's templates have beside functions.
const STRUCTURES: [&str; 10] = [
    "if", "else", "end", "range", "with", "define", "template", "block", "break", "continue",
];

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<Vec<Piece<'_>>, Fault> {
    let mut parser = Parser {
        text,
        tokens: tokens(text).into_iter().peekable(),
        line: 1,
        begun: 1,
        depth: 0,
    };
    let mut pieces = Vec::new();
    while let Some(token) = parser.next() {
        match token.kind {
            Kind::Text(text) => pieces.push(Piece::Text(text)),
            Kind::Open => {
                parser.begun = parser.line;
                pieces.push(Piece::Action(parser.pipeline("command", &Kind::Close)?));
            }
            other => return Err(parser.unexpected(&other, "input")),
        }
    }
    Ok(pieces)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Peekable<IntoIter<Token<'a>>>,
    line: usize,
    /// The line in which the action begins.
    begun: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.next()?;
        self.line = line(self.text, token.at);
        Some(token)
    }

    fn fault(&self, why: &str) -> Fault {
        Fault::Syntax(format!("template: root:{}: {why}", self.line))
    }

    fn unexpected(&self, kind: &Kind<'_>, within: &str) -> Fault {
        match kind {
            Kind::Bad(why) if self.line == self.begun => self.fault(why),
            Kind::Bad(why) => {
                let why = why.strip_suffix(" action").map_or(format!("{why} in"), str::to_owned);
                self.fault(&format!("{why} action started at root:{}", self.begun))
            }
            Kind::Sign("=" | ":=") | Kind::Variable(_) => {
                self.fault("variables (`$x := …`) are not known in Reseal's templates, only functions are")
            }
            other => self.fault(&format!("unexpected {} in {within}", other.shown())),
        }
    }

    /// Up to the word that ends it.
    fn pipeline(&mut self, what: &str, end: &Kind<'a>) -> Result<Pipeline<'a>, Fault> {
        let mut pipeline = Pipeline::default();
        loop {
            let Some(token) = self.next() else {
                return Err(self.fault("unclosed action"));
            };
            if token.kind == *end {
                break;
            }
            let first = self.operand(token, what)?;
            let command = self.command(first)?;
            pipeline.commands.push(command);
        }
        if pipeline.commands.is_empty() {
            return Err(self.fault(&format!("missing value for {what}")));
        }
        let mut piped_into = pipeline.commands.iter().skip(1);
        if let Some(at) = piped_into.position(|command| !command.first.is_executable()) {
            return Err(self.fault(&format!("non executable command in pipeline stage {}", at + 2)));
        }
        Ok(pipeline)
    }

    /// The arguments after the first operand, and the `|` after them.
    fn command(&mut self, first: Node<'a>) -> Result<Command<'a>, Fault> {
        let mut arguments = Vec::new();
        loop {
            match self.tokens.peek().map(|token| (&token.kind, token.spaced)) {
                None | Some((Kind::Close | Kind::Right, _)) => break,
                Some((Kind::Pipe, _)) => {
                    self.next();
                    break;
                }
                Some((_, spaced)) => {
                    let Some(token) = self.next() else { break };
                    if !spaced {
                        return Err(self.unexpected(&token.kind, "operand"));
                    }
                    arguments.push(self.operand(token, "operand")?);
                }
            }
        }
        Ok(Command { first, arguments })
    }

    fn operand(&mut self, token: Token<'a>, within: &str) -> Result<Node<'a>, Fault> {
        let at = token.at;
        let kind = match token.kind {
            Kind::Word(word) => self.word(word)?,
            Kind::Dot => Operand::Field(".".to_owned()),
            Kind::Field(name) => Operand::Field(format!(".{name}")),
            Kind::Quoted(written) => {
                let text = literal::text(written).ok_or_else(|| self.fault("invalid syntax"))?;
                Operand::Text(text, written)
            }
            Kind::Number(written) => literal::number(written).ok_or_else(|| self.fault(&bad_number(written)))?,
            Kind::Left => Operand::Pipeline(self.parenthesis()?),
            other => return Err(self.unexpected(&other, within)),
        };
        self.fields(kind).map(|kind| Node { kind, at })
    }

    fn parenthesis(&mut self) -> Result<Pipeline<'a>, Fault> {
        if self.depth >= DEPTH {
            return Err(self.fault("max expression depth exceeded"));
        }
        self.depth += 1;
        let pipeline = self.pipeline("parenthesized pipeline", &Kind::Right);
        self.depth -= 1;
        pipeline
    }

    fn word(&self, word: &'a str) -> Result<Operand<'a>, Fault> {
        match word {
            "true" | "false" => Ok(Operand::Bool(word == "true")),
            "nil" => Ok(Operand::Nil),
            _ if STRUCTURES.contains(&word) => Err(self.fault(&format!(
                "`{word}` is not known in Reseal's templates: of Go's they have functions and pipelines, and no \
                 structures (if, range, with, define …)"
            ))),
            _ if function::find(word).is_some() => Ok(Operand::Function(word)),
            _ => Err(self.fault(&format!(
                "function {word:?} not defined; there are {}",
                function::names().join(", ")
            ))),
        }
    }

    /// `.a.b` is one field; nothing else has any.
    fn fields(&mut self, kind: Operand<'a>) -> Result<Operand<'a>, Fault> {
        let mut kind = kind;
        while let Some(Token {
            kind: Kind::Field(name),
            spaced: false,
            ..
        }) = self.tokens.peek()
        {
            kind = match kind {
                Operand::Field(path) if path != "." => Operand::Field(format!("{path}.{name}")),
                other => {
                    let node = Node { kind: other, at: 0 };
                    return Err(self.fault(&format!("unexpected . after term {:?}", node.to_string())));
                }
            };
            self.next();
        }
        Ok(kind)
    }
}

fn bad_number(written: &str) -> String {
    let strange = |c: char| c.is_alphabetic() && !matches!(c, 'e' | 'E');
    match written {
        "''" => "invalid syntax".to_owned(),
        _ if written.starts_with('\'') => format!("malformed character constant: {written}"),
        _ if written.chars().all(|c| c.is_ascii_digit()) => format!("integer overflow: {written:?}"),
        _ if written.starts_with("0x") || !written.contains(strange) => format!("illegal number syntax: {written:?}"),
        _ => format!("bad number syntax: {written:?}"),
    }
}

impl Node<'_> {
    /// Whether something can be piped into it.
    fn is_executable(&self) -> bool {
        matches!(
            self.kind,
            Operand::Function(_) | Operand::Field(_) | Operand::Pipeline(_)
        )
    }
}

impl Kind<'_> {
    /// As Go shows a word that it did not want.
    fn shown(&self) -> String {
        let written = match self {
            Kind::Text(text)
            | Kind::Word(text)
            | Kind::Variable(text)
            | Kind::Quoted(text)
            | Kind::Number(text)
            | Kind::Sign(text) => text,
            Kind::Field(name) => return format!("<.{name}>"),
            Kind::Open => "{{",
            Kind::Close => "}}",
            Kind::Pipe => "|",
            Kind::Left => "(",
            Kind::Right => ")",
            Kind::Dot => ".",
            Kind::Bad(why) => why,
        };
        match written.char_indices().nth(10) {
            Some((end, _)) => format!("{:?}...", written.get(..end).unwrap_or_default()),
            None => format!("{written:?}"),
        }
    }
}
