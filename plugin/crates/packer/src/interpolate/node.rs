//! A template that was read: pieces of text, and pipelines of commands.

use std::fmt;

/// Text, or what its place is taken by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece<'a> {
    /// Stays as it is.
    Text(&'a str),
    /// `{{ … }}`
    Action(Pipeline<'a>),
}

/// `a b | c`
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Pipeline<'a> {
    pub(super) commands: Vec<Command<'a>>,
}

/// A function with arguments, or one value. Never empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Command<'a> {
    pub(super) first: Node<'a>,
    pub(super) arguments: Vec<Node<'a>>,
}

/// A value, or what makes one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node<'a> {
    pub(super) kind: Operand<'a>,
    /// The byte at which it begins.
    pub(super) at: usize,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand<'a> {
    /// A function's name.
    Function(&'a str),
    /// `.`, or `.name` and so on.
    Field(String),
    /// `nil`
    Nil,
    /// `true` or `false`
    Bool(bool),
    /// A whole number, and how it is written.
    Int(i64, &'a str),
    /// Another number, and how it is written.
    Float(f64, &'a str),
    /// Text, and how it is written.
    Text(String, &'a str),
    /// `( … )`
    Pipeline(Pipeline<'a>),
}

/// As Go shows them in its errors.
impl fmt::Display for Pipeline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, command) in self.commands.iter().enumerate() {
            write!(f, "{}{command}", if at > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {argument}"))
    }
}

impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Operand::Function(name) => f.write_str(name),
            Operand::Field(name) => f.write_str(name),
            Operand::Nil => f.write_str("nil"),
            Operand::Bool(value) => value.fmt(f),
            Operand::Int(_, written) | Operand::Float(_, written) | Operand::Text(_, written) => f.write_str(written),
            Operand::Pipeline(pipeline) => write!(f, "({pipeline})"),
        }
    }
}
