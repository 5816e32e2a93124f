//! Carries a template out.

use std::cell::RefCell;

use super::context::Context;
use super::fault::{Fault, column, line};
use super::function::{self, Function, Param};
use super::node::{Command, Node, Operand, Piece, Pipeline};
use super::value::Value;

/// Texts longer than this are refused.
pub(super) const MOST: usize = 1 << 20;

/// The text that a template makes.
pub(super) fn render(text: &str, pieces: &[Piece<'_>], context: &Context) -> Result<String, Fault> {
    let evaluator = Evaluator {
        text,
        context,
        last: RefCell::default(),
    };
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Action(pipeline) => out.push_str(&evaluator.pipeline(pipeline)?.to_string()),
        }
        if out.len() > MOST {
            return Err(Fault::Run("template: root: the result is longer than 1 MiB".to_owned()));
        }
    }
    Ok(out)
}

struct Evaluator<'a> {
    text: &'a str,
    context: &'a Context,
    /// The place and text of the node that was looked at last: Go names it when a value has the wrong type.
    last: RefCell<(usize, String)>,
}

impl Evaluator<'_> {
    fn pipeline(&self, pipeline: &Pipeline<'_>) -> Result<Value, Fault> {
        let begins = pipeline.commands.first().map_or(0, |command| command.first.at);
        *self.last.borrow_mut() = (begins, pipeline.to_string());
        let mut last = None;
        for command in &pipeline.commands {
            last = Some(self.command(command, last)?);
        }
        // The parser makes no empty ones.
        Ok(last.unwrap_or_else(|| Value::Text(String::new())))
    }

    fn command(&self, command: &Command<'_>, piped: Option<Value>) -> Result<Value, Fault> {
        let first = &command.first;
        let alone = piped.is_none() && command.arguments.is_empty();
        if let (Operand::Pipeline(pipeline), false) = (&first.kind, alone) {
            return Err(self.fault(&format!("can't give argument to non-function {pipeline}")));
        }
        self.look(first);
        match &first.kind {
            Operand::Function(name) => self.call(name, command, piped),
            _ if !alone => Err(self.fault(&format!("can't give argument to non-function {first}"))),
            Operand::Nil => Err(self.fault("nil is not a command")),
            _ => self.operand(first),
        }
    }

    /// The value of a node on its own.
    fn operand(&self, node: &Node<'_>) -> Result<Value, Fault> {
        self.look(node);
        match &node.kind {
            Operand::Int(number, _) => Ok(Value::Int(*number)),
            Operand::Float(number, _) => Ok(Value::Float(*number)),
            Operand::Bool(value) => Ok(Value::Bool(*value)),
            Operand::Text(text, _) => Ok(Value::Text(text.clone())),
            Operand::Pipeline(pipeline) => self.pipeline(pipeline),
            Operand::Nil => Err(self.fault("nil is no value")),
            Operand::Field(_) => Err(self.fault(NO_DATA)),
            Operand::Function(name) => {
                let command = Command {
                    first: node.clone(),
                    arguments: vec![],
                };
                self.call(name, &command, None)
            }
        }
    }

    fn call(&self, name: &str, command: &Command<'_>, piped: Option<Value>) -> Result<Value, Fault> {
        // The parser has looked it up.
        let function = function::find(name).ok_or_else(|| self.fault("not a function"))?;
        let arguments = self.arguments(function, command, piped)?;
        let failed = |why: String| {
            *self.last.borrow_mut() = (command.first.at, command.to_string());
            self.fault(&format!("error calling {name}: {why}"))
        };
        let made = (function.call)(self.context, &arguments).map_err(failed)?;
        if made.text().len() > MOST {
            return Err(failed("the result is longer than 1 MiB".to_owned()));
        }
        Ok(made)
    }

    fn arguments(&self, function: &Function, command: &Command<'_>, piped: Option<Value>) -> Result<Vec<Value>, Fault> {
        let given = command.arguments.len() + usize::from(piped.is_some());
        if !function.takes(given) {
            let least = if function.more.is_some() { "at least " } else { "" };
            let (name, want) = (function.name, function.params.len());
            return Err(self.fault(&format!(
                "wrong number of args for {name}: want {least}{want} got {given}"
            )));
        }
        let mut arguments = Vec::with_capacity(given);
        for (at, node) in command.arguments.iter().enumerate() {
            arguments.push(self.argument(node, function.param(at))?);
        }
        if let Some(value) = piped {
            arguments.push(self.typed(value, function.param(arguments.len()))?);
        }
        Ok(arguments)
    }

    /// An argument of the type that a function wants.
    fn argument(&self, node: &Node<'_>, wanted: Param) -> Result<Value, Fault> {
        self.look(node);
        let kind = wanted.kind();
        match &node.kind {
            Operand::Function(_) | Operand::Pipeline(_) | Operand::Field(_) => self.typed(self.operand(node)?, wanted),
            Operand::Nil => Err(self.fault(&format!("cannot assign nil to {kind}"))),
            _ => {
                let kind = if wanted == Param::Int { "integer" } else { kind };
                let value = self.operand(node)?;
                let fits = fits(&value, wanted);
                fits.then_some(value)
                    .ok_or_else(|| self.fault(&format!("expected {kind}; found {node}")))
            }
        }
    }

    fn typed(&self, value: Value, wanted: Param) -> Result<Value, Fault> {
        if fits(&value, wanted) {
            return Ok(value);
        }
        let (wanted, kind) = (wanted.kind(), value.kind());
        Err(self.fault(&format!("wrong type for value; expected {wanted}; got {kind}")))
    }

    fn look(&self, node: &Node<'_>) {
        *self.last.borrow_mut() = (node.at, node.to_string());
    }

    fn fault(&self, why: &str) -> Fault {
        let (at, what) = &*self.last.borrow();
        let (line, column) = (line(self.text, *at), column(self.text, *at));
        Fault::Run(format!(
            "template: root:{line}:{column}: executing \"root\" at <{what}>: {why}"
        ))
    }
}

/// Packer's plugins write `<no value>` here.
const NO_DATA: &str = "there is no data here; what a build says of its machine is {{ build `NAME` }} in provisioners and \
                       post-processors of a JSON template, and ${build.NAME} in HCL";

fn fits(value: &Value, wanted: Param) -> bool {
    match wanted {
        Param::Any => true,
        Param::Text => matches!(value, Value::Text(_)),
        Param::Int => matches!(value, Value::Int(_)),
    }
}
