//! Carries a PowerShell script out, statement by statement.

use std::collections::BTreeMap;

use super::syntax::{self, Argument, Block, Call, Callee, Expression, Piece, Statement};
use super::{DEPTH, Shell};
use crate::guest::files::like;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Self>),
}

/// Why a script does not go on.
pub(super) enum Stop {
    /// `exit`
    Exit(i32),
    /// `throw`, or a terminating error.
    Throw(String),
}

pub(super) type Done<T> = Result<T, Stop>;

/// The variables of a running script.
#[derive(Default)]
pub(super) struct Scope(BTreeMap<String, Value>);

impl Scope {
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn get(&self, name: &str) -> Value {
        self.0.get(name).cloned().unwrap_or(Value::Null)
    }
}

impl Value {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::List(items) => items.iter().map(Self::text).collect::<Vec<String>>().join(" "),
        }
    }

    pub(super) fn number(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            other => other.text().trim().parse().unwrap_or(0),
        }
    }

    fn holds(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) | Self::Number(0) => false,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Bool(true) | Self::Number(_) => true,
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Null, _) | (_, Self::Null) => false,
            (a, b) => a.text().eq_ignore_ascii_case(&b.text()),
        }
    }
}

impl Shell<'_> {
    /// Runs a script to its end; the result is the exit code of `powershell.exe`.
    pub(super) fn script_text(&mut self, text: &str, name: &str) -> i32 {
        if let Some(code) = self.directed(text) {
            return code;
        }
        let block = match syntax::read(text) {
            Ok(block) => block,
            Err(why) => {
                self.refuse(&format!("the lab cannot read the script {name}: {why}"));
                self.complain(&format!("ParserError: {why}"));
                return 1;
            }
        };
        let mut scope = Scope::default();
        scope.0.insert("true".to_owned(), Value::Bool(true));
        scope.0.insert("false".to_owned(), Value::Bool(false));
        match self.block(&block, &mut scope) {
            Ok(()) => 0,
            Err(Stop::Exit(code)) => code,
            Err(Stop::Throw(what)) => {
                self.complain(&what);
                1
            }
        }
    }

    pub(super) fn block(&mut self, block: &Block, scope: &mut Scope) -> Done<()> {
        if self.depth >= DEPTH {
            return Err(Stop::Throw("The script failed due to call depth overflow.".to_owned()));
        }
        self.depth += 1;
        let mut done = Ok(());
        for statement in block {
            done = self.statement(statement, scope);
            if done.is_err() {
                break;
            }
        }
        self.depth -= 1;
        done
    }

    fn statement(&mut self, statement: &Statement, scope: &mut Scope) -> Done<()> {
        match statement {
            Statement::If { branches, otherwise } => {
                for (condition, block) in branches {
                    if self.value(condition, scope)?.holds() {
                        return self.block(block, scope);
                    }
                }
                otherwise.as_ref().map_or(Ok(()), |block| self.block(block, scope))
            }
            Statement::Try { body, catch, finally } => {
                let mut done = self.block(body, scope);
                if let (Err(Stop::Throw(what)), Some(catch)) = (&done, catch) {
                    scope.0.insert("_".to_owned(), Value::Text(what.clone()));
                    done = self.block(catch, scope);
                }
                if let Some(finally) = finally {
                    self.block(finally, scope)?;
                }
                done
            }
            Statement::Assign(name, value) => {
                let value = self.yields(value, scope)?;
                self.assign(name, value, scope);
                Ok(())
            }
            Statement::Value(expression) => {
                let value = self.value(expression, scope)?;
                self.give(&value);
                Ok(())
            }
            Statement::Call(call, into) => {
                let value = self.call(call, scope)?;
                if !into.iter().any(|name| name.eq_ignore_ascii_case("out-null")) {
                    self.give(&value);
                }
                Ok(())
            }
        }
    }

    /// What a statement yields instead of printing it.
    fn yields(&mut self, statement: &Statement, scope: &mut Scope) -> Done<Value> {
        match statement {
            Statement::Value(expression) => self.value(expression, scope),
            Statement::Call(call, _) => self.call(call, scope),
            other => {
                self.statement(other, scope)?;
                Ok(Value::Null)
            }
        }
    }

    fn give(&mut self, value: &Value) {
        match value {
            Value::Null => {}
            Value::List(items) => items.iter().for_each(|item| self.print(&item.text())),
            value => self.print(&value.text()),
        }
    }

    pub(super) fn assign(&mut self, name: &str, value: Value, scope: &mut Scope) {
        match name.strip_prefix("env:") {
            Some(name) => self.set_variable(name, value.text()),
            None => {
                scope.0.insert(bare(name).to_owned(), value);
            }
        }
    }

    fn call(&mut self, call: &Call, scope: &mut Scope) -> Done<Value> {
        match &call.name {
            Callee::Block(block) => self.block(block, scope).map(|()| Value::Null),
            Callee::Path(path) => {
                let path = self.value(path, scope)?.text();
                self.invoke_script(&path, scope)
            }
            Callee::Name(name) => {
                let arguments = self.arguments(&call.arguments, scope)?;
                self.cmdlet(&name.to_lowercase(), &arguments, scope)
            }
        }
    }

    /// `. path` and `& path`: a script in the same process.
    fn invoke_script(&mut self, path: &str, scope: &mut Scope) -> Done<Value> {
        let Some(text) = self.state.disk.files.text(path).map(str::to_owned) else {
            let why = format!(
                "The term '{path}' is not recognized as the name of a cmdlet, function, script file, or operable program."
            );
            return Err(Stop::Throw(why));
        };
        if let Some(code) = self.directed(&text) {
            scope.0.insert("lastexitcode".to_owned(), Value::Number(code.into()));
            return Ok(Value::Null);
        }
        let block = syntax::read(&text).map_err(|why| {
            self.refuse(&format!("the lab cannot read the script {path}: {why}"));
            Stop::Throw(format!("ParserError: {why}"))
        })?;
        match self.block(&block, scope) {
            // A script that is called ends itself only.
            Err(Stop::Exit(code)) => {
                scope.0.insert("lastexitcode".to_owned(), Value::Number(code.into()));
                Ok(Value::Null)
            }
            done => done.map(|()| Value::Null),
        }
    }

    fn arguments(&mut self, written: &[Argument], scope: &mut Scope) -> Done<Arguments> {
        let mut arguments = Arguments::default();
        let mut name: Option<String> = None;
        for argument in written {
            match argument {
                Argument::Parameter(parameter) => {
                    arguments.flags.extend(name.replace(parameter.clone()));
                }
                Argument::Value(expression) => {
                    let value = self.value(expression, scope)?;
                    match name.take() {
                        Some(name) => arguments.named.push((name, value)),
                        None => arguments.values.push(value),
                    }
                }
            }
        }
        arguments.flags.extend(name);
        Ok(arguments)
    }

    fn value(&mut self, expression: &Expression, scope: &mut Scope) -> Done<Value> {
        Ok(match expression {
            Expression::Literal(text) => Value::Text(text.clone()),
            Expression::Number(number) => Value::Number(*number),
            Expression::Variable(name) => self.read_variable(name, scope),
            Expression::Static(name) => self.member(name)?,
            Expression::Not(inner) => Value::Bool(!self.value(inner, scope)?.holds()),
            Expression::Call(statement) => self.yields(statement, scope)?,
            Expression::Operator(operator, left, right) => {
                let left = self.value(left, scope)?;
                let right = self.value(right, scope)?;
                operate(operator, &left, &right)
            }
            Expression::List(items) => {
                let items: Done<Vec<Value>> = items.iter().map(|item| self.value(item, scope)).collect();
                Value::List(items?)
            }
            Expression::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Plain(plain) => text.push_str(plain),
                        Piece::Value(value) => text.push_str(&self.value(value, scope)?.text()),
                    }
                }
                Value::Text(text)
            }
        })
    }

    fn read_variable(&self, name: &str, scope: &Scope) -> Value {
        match name.strip_prefix("env:") {
            Some(name) => self
                .variable(name)
                .map_or(Value::Null, |text| Value::Text(text.to_owned())),
            None => scope.0.get(bare(name)).cloned().unwrap_or(Value::Null),
        }
    }

    fn member(&mut self, name: &str) -> Done<Value> {
        match name {
            "[system.net.dns]::gethostname()" | "[environment]::machinename" => {
                Ok(Value::Text(self.state.disk.computer_name.clone()))
            }
            other => {
                self.refuse(&format!("the lab does not know {other}"));
                Err(Stop::Throw(format!("Unable to find type {other}.")))
            }
        }
    }

    /// The lines that tell the lab what a script does that it cannot run.
    fn directed(&mut self, text: &str) -> Option<i32> {
        let mut known = false;
        let mut code = 0;
        for line in text.lines() {
            let Some(order) = line.trim().strip_prefix("# reseal-lab:") else {
                continue;
            };
            known = true;
            match order.trim().split_once(' ').unwrap_or((order.trim(), "")) {
                ("exit", rest) => code = rest.trim().parse().unwrap_or(1),
                ("seconds", rest) => self.seconds += rest.trim().parse::<f64>().unwrap_or(0.0),
                ("print", rest) => self.print(rest),
                ("write", path) => self.state.disk.files.write_text(path.trim(), text, self.now),
                ("pending", _) => self.state.disk.pending.cbs = true,
                (other, _) => self.refuse(&format!("the lab does not know the order `{other}`")),
            }
        }
        known.then_some(code)
    }
}

/// The arguments of a cmdlet.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) named: Vec<(String, Value)>,
    pub(super) values: Vec<Value>,
    pub(super) flags: Vec<String>,
}

impl Arguments {
    /// By a name or its beginning, else by place.
    pub(super) fn get(&self, name: &str, place: usize) -> Value {
        let named = self.named.iter().find(|(given, _)| name.starts_with(given.as_str()));
        let value = named.map(|(_, value)| value).or_else(|| self.values.get(place));
        value.cloned().unwrap_or(Value::Null)
    }
}

/// A variable's name without its scope.
fn bare(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, bare)| bare)
}

fn operate(operator: &str, left: &Value, right: &Value) -> Value {
    match operator {
        "eq" => Value::Bool(left.is(right)),
        "ne" => Value::Bool(!left.is(right)),
        "and" => Value::Bool(left.holds() && right.holds()),
        "or" => Value::Bool(left.holds() || right.holds()),
        "gt" => Value::Bool(left.number() > right.number()),
        "lt" => Value::Bool(left.number() < right.number()),
        "ge" => Value::Bool(left.number() >= right.number()),
        "le" => Value::Bool(left.number() <= right.number()),
        "match" => Value::Bool(like(&left.text(), &format!("*{}*", right.text()))),
        "f" => Value::Text(formatted(&left.text(), right)),
        _ => match (left, right) {
            (Value::Number(a), Value::Number(b)) => Value::Number(a.saturating_add(*b)),
            (a, b) => Value::Text(a.text() + &b.text()),
        },
    }
}

fn formatted(text: &str, values: &Value) -> String {
    let values = match values {
        Value::List(items) => items.clone(),
        one => vec![one.clone()],
    };
    values
        .iter()
        .enumerate()
        .fold(text.to_owned(), |text, (number, value)| {
            text.replace(&format!("{{{number}}}"), &value.text())
        })
}
