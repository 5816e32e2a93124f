//! As much of PowerShell's syntax as small scripts need: statements, conditions, calls, text with variables in it.

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Statement {
    /// `if (…) { … } else { … }`
    If {
        branches: Vec<(Expression, Block)>,
        otherwise: Option<Block>,
    },
    /// `try { … } catch { … } finally { … }`
    Try {
        body: Block,
        catch: Option<Block>,
        finally: Option<Block>,
    },
    /// `$name = …`
    Assign(String, Box<Self>),
    /// A call, with the names of what its output is piped into.
    Call(Call, Vec<String>),
    /// A value that is printed.
    Value(Expression),
}

/// Statements in braces.
pub(super) type Block = Vec<Statement>;

/// A command with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) name: Callee,
    pub(super) arguments: Vec<Argument>,
}

/// What is called.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Callee {
    /// A cmdlet or program.
    Name(String),
    /// `& …` or `. …`
    Path(Expression),
    /// `& { … }`
    Block(Block),
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    /// `-Name`
    Parameter(String),
    /// Anything else.
    Value(Expression),
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// Text without variables.
    Literal(String),
    /// Text with variables.
    Text(Vec<Piece>),
    /// A number.
    Number(i64),
    /// `$name`, `$env:NAME`
    Variable(String),
    /// `[Type]::Member()`
    Static(String),
    /// `a -eq b` and the like.
    Operator(String, Box<Self>, Box<Self>),
    /// `-not a`, `!a`
    Not(Box<Self>),
    /// `(call)`, `$(call)`
    Call(Box<Statement>),
    /// `a, b`
    List(Vec<Self>),
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// As it stands.
    Plain(String),
    /// A value in it.
    Value(Expression),
}

/// Reads a script; the error says what was not understood.
pub(super) fn read(text: &str) -> Result<Block, String> {
    let mut reader = Reader {
        rest: text.chars().collect::<Vec<char>>(),
        at: 0,
        depth: 0,
    };
    let block = reader.block(None)?;
    Ok(block)
}

/// Operators of two sides, from the loosest to the tightest.
const OPERATORS: [&[&str]; 3] = [&["and", "or"], &["eq", "ne", "gt", "lt", "ge", "le", "match"], &["f"]];
/// Nothing is nested deeper.
const DEPTH: u32 = 64;

struct Reader {
    rest: Vec<char>,
    at: usize,
    depth: u32,
}

type Read<T> = Result<T, String>;

impl Reader {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += 1;
        Some(character)
    }

    fn take(&mut self, text: &str) -> bool {
        let wanted: Vec<char> = text.chars().collect();
        let here = self.rest.get(self.at..self.at + wanted.len());
        let fits = here.is_some_and(|here| here.iter().zip(&wanted).all(|(a, b)| a.eq_ignore_ascii_case(b)));
        if fits {
            self.at += wanted.len();
        }
        fits
    }

    /// A word that ends where it ends: `if` is not the beginning of `iffy`.
    fn keyword(&mut self, word: &str) -> bool {
        let before = self.at;
        let whole = self.take(word) && !self.peek().is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
        if !whole {
            self.at = before;
        }
        whole
    }

    fn expect(&mut self, text: &str) -> Read<()> {
        self.blanks(true);
        if self.take(text) {
            Ok(())
        } else {
            Err(self.wrong(&format!("`{text}` is missing")))
        }
    }

    fn wrong(&self, why: &str) -> String {
        let near: String = self.rest.iter().skip(self.at).take(30).collect();
        format!("{why} at `{}`", near.trim())
    }

    /// Skips blanks and comments, and with `lines` ends of lines too.
    fn blanks(&mut self, lines: bool) {
        while let Some(character) = self.peek() {
            match character {
                ' ' | '\t' | '\r' | '\u{feff}' => self.at += 1,
                '\n' | ';' if lines => self.at += 1,
                '`' if self.rest.get(self.at + 1).is_some_and(|c| *c == '\n' || *c == '\r') => self.at += 2,
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                '<' if self.take("<#") => {
                    while self.peek().is_some() && !self.take("#>") {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= DEPTH {
            return Err(self.wrong("this is nested too deep"));
        }
        self.depth += 1;
        let done = read(self);
        self.depth -= 1;
        done
    }

    fn block(&mut self, end: Option<char>) -> Read<Block> {
        self.deeper(|reader| {
            let mut statements = Vec::new();
            loop {
                reader.blanks(true);
                match reader.peek() {
                    character if character == end => {
                        reader.at += usize::from(end.is_some());
                        return Ok(statements);
                    }
                    None => return Err(reader.wrong("`}` is missing")),
                    Some(_) => statements.push(reader.statement()?),
                }
            }
        })
    }

    fn braces(&mut self) -> Read<Block> {
        self.expect("{")?;
        self.block(Some('}'))
    }

    fn statement(&mut self) -> Read<Statement> {
        if self.keyword("if") {
            return self.condition();
        }
        if self.keyword("try") {
            return self.attempt();
        }
        let before = self.at;
        if self.take("$")
            && let Some(name) = self.name()
        {
            self.blanks(false);
            if self.take("=") {
                self.blanks(false);
                return Ok(Statement::Assign(name, Box::new(self.statement()?)));
            }
        }
        self.at = before;
        self.pipeline()
    }

    fn condition(&mut self) -> Read<Statement> {
        let mut branches = Vec::new();
        loop {
            self.expect("(")?;
            let condition = self.expression()?;
            self.expect(")")?;
            branches.push((condition, self.braces()?));
            let before = self.at;
            self.blanks(true);
            if self.keyword("elseif") {
                continue;
            }
            let otherwise = if self.keyword("else") {
                Some(self.braces()?)
            } else {
                self.at = before;
                None
            };
            return Ok(Statement::If { branches, otherwise });
        }
    }

    fn attempt(&mut self) -> Read<Statement> {
        let body = self.braces()?;
        let mut part = |word: &str| -> Read<Option<Block>> {
            let before = self.at;
            self.blanks(true);
            if self.keyword(word) {
                return self.braces().map(Some);
            }
            self.at = before;
            Ok(None)
        };
        let (catch, finally) = (part("catch")?, part("finally")?);
        Ok(Statement::Try { body, catch, finally })
    }

    fn pipeline(&mut self) -> Read<Statement> {
        let first = match self.peek() {
            Some('&' | '.')
                if self
                    .rest
                    .get(self.at + 1)
                    .is_some_and(|c| !c.is_alphanumeric() || *c == 'c') =>
            {
                self.at += 1;
                self.invoked()?
            }
            Some(character) if character.is_alphabetic() => self.call()?,
            _ => Statement::Value(self.expression()?),
        };
        let mut into = Vec::new();
        loop {
            self.blanks(false);
            if !self.take("|") {
                break;
            }
            self.blanks(true);
            into.push(self.word().ok_or_else(|| self.wrong("a command is missing"))?);
            while matches!(self.peek(), Some(c) if !matches!(c, '|' | ';' | '\n' | '}' | ')')) {
                self.at += 1;
            }
        }
        match first {
            Statement::Call(call, _) => Ok(Statement::Call(call, into)),
            Statement::Value(value) if into.is_empty() => Ok(Statement::Value(value)),
            other if into.iter().all(|name| name.eq_ignore_ascii_case("out-null")) => {
                Ok(Statement::Assign("null".to_owned(), Box::new(other)))
            }
            _ => Err(self.wrong("this pipeline is not known")),
        }
    }

    fn invoked(&mut self) -> Read<Statement> {
        self.blanks(false);
        let name = if self.take("{") {
            Callee::Block(self.block(Some('}'))?)
        } else if self.peek().is_some_and(|c| matches!(c, '\'' | '"' | '$' | '(')) {
            Callee::Path(self.primary()?)
        } else {
            Callee::Path(Expression::Literal(self.word().unwrap_or_default()))
        };
        let arguments = self.arguments()?;
        Ok(Statement::Call(Call { name, arguments }, vec![]))
    }

    fn call(&mut self) -> Read<Statement> {
        let name = self.word().ok_or_else(|| self.wrong("a command is missing"))?;
        let arguments = self.arguments()?;
        let name = Callee::Name(name);
        Ok(Statement::Call(Call { name, arguments }, vec![]))
    }

    fn arguments(&mut self) -> Read<Vec<Argument>> {
        let mut arguments = Vec::new();
        loop {
            self.blanks(false);
            match self.peek() {
                None | Some('\n' | ';' | '|' | '}' | ')') => return Ok(arguments),
                Some('-') if self.rest.get(self.at + 1).is_some_and(|c| c.is_alphabetic()) => {
                    self.at += 1;
                    arguments.push(Argument::Parameter(self.word().unwrap_or_default().to_lowercase()));
                }
                Some('\'' | '"' | '$' | '(' | '[') => {
                    let first = self.primary()?;
                    arguments.push(Argument::Value(self.listed(first)?));
                }
                Some(_) => {
                    let word = self.word().ok_or_else(|| self.wrong("an argument is missing"))?;
                    let first = word.parse().map_or(Expression::Literal(word), Expression::Number);
                    arguments.push(Argument::Value(self.listed(first)?));
                }
            }
        }
    }

    /// A word that is no text in quotes; it ends at a blank or an operator.
    fn word(&mut self) -> Option<String> {
        let mut word = String::new();
        while let Some(character) = self.peek().filter(|c| !c.is_whitespace() && !";|{}(),'\"".contains(*c)) {
            word.push(character);
            self.at += 1;
        }
        (!word.is_empty()).then_some(word)
    }

    fn listed(&mut self, first: Expression) -> Read<Expression> {
        let mut items = vec![first];
        while self.take(",") {
            self.blanks(true);
            let item = match self.peek() {
                Some('\'' | '"' | '$' | '(' | '[') => self.primary()?,
                _ => Expression::Literal(self.word().unwrap_or_default()),
            };
            items.push(item);
        }
        Ok(match (items.len(), items.pop()) {
            (1, Some(one)) => one,
            (_, Some(last)) => {
                items.push(last);
                Expression::List(items)
            }
            (_, None) => Expression::List(items),
        })
    }

    fn expression(&mut self) -> Read<Expression> {
        self.deeper(|reader| {
            reader.blanks(false);
            reader.operation(0)
        })
    }

    /// An operation of this tightness, or of a higher one.
    fn operation(&mut self, tightness: usize) -> Read<Expression> {
        let Some(operators) = OPERATORS.get(tightness) else {
            return self.sum();
        };
        let mut left = self.operation(tightness + 1)?;
        loop {
            self.blanks(false);
            let Some(operator) = self.operator(operators) else {
                return Ok(left);
            };
            self.blanks(true);
            let right = self.operation(tightness + 1)?;
            left = Expression::Operator(operator, Box::new(left), Box::new(right));
        }
    }

    fn sum(&mut self) -> Read<Expression> {
        let mut left = self.operand()?;
        loop {
            self.blanks(false);
            if !self.take("+") {
                return Ok(left);
            }
            self.blanks(true);
            let right = self.operand()?;
            left = Expression::Operator("+".to_owned(), Box::new(left), Box::new(right));
        }
    }

    fn operator(&mut self, among: &[&str]) -> Option<String> {
        let before = self.at;
        if self.take("-")
            && let Some(operator) = among.iter().find(|operator| self.keyword(operator))
        {
            return Some((*operator).to_owned());
        }
        self.at = before;
        None
    }

    fn operand(&mut self) -> Read<Expression> {
        self.blanks(false);
        if self.take("!") || self.take("-not") {
            return Ok(Expression::Not(Box::new(self.operand()?)));
        }
        match self.peek() {
            Some(character) if character.is_alphabetic() => {
                let call = self.call()?;
                Ok(Expression::Call(Box::new(call)))
            }
            _ => {
                let first = self.primary()?;
                self.listed(first)
            }
        }
    }

    fn primary(&mut self) -> Read<Expression> {
        match self.next() {
            Some('\'') => self.single(),
            Some('"') => self.double(),
            Some('(') => {
                let inner = self.group()?;
                Ok(inner)
            }
            Some('[') => self.member(),
            Some('$') if self.take("(") => self.group(),
            Some('$') => self
                .name()
                .map(Expression::Variable)
                .ok_or_else(|| self.wrong("a variable has no name")),
            Some(digit) if digit.is_ascii_digit() => {
                self.at -= 1;
                let word = self.word().unwrap_or_default();
                word.parse()
                    .map(Expression::Number)
                    .map_err(|_| self.wrong("this is no number"))
            }
            _ => {
                self.at = self.at.saturating_sub(1);
                Err(self.wrong("this is not understood"))
            }
        }
    }

    /// What stands in round brackets: a call or a value.
    fn group(&mut self) -> Read<Expression> {
        self.blanks(true);
        let inner = match self.peek() {
            Some('&') => Expression::Call(Box::new(self.pipeline()?)),
            _ => self.expression()?,
        };
        self.expect(")")?;
        Ok(inner)
    }

    fn single(&mut self) -> Read<Expression> {
        let mut text = String::new();
        while let Some(character) = self.next() {
            if character != '\'' {
                text.push(character);
            } else if !self.take("'") {
                return Ok(Expression::Literal(text));
            } else {
                text.push('\'');
            }
        }
        Err(self.wrong("`'` is missing"))
    }

    fn double(&mut self) -> Read<Expression> {
        let (mut pieces, mut plain) = (Vec::new(), String::new());
        while let Some(character) = self.next() {
            match character {
                '"' if !self.take("\"") => {
                    pieces.push(Piece::Plain(plain));
                    return Ok(Expression::Text(pieces));
                }
                '`' => plain.extend(self.next().map(escaped)),
                '$' => {
                    let value = if self.take("(") {
                        Some(self.group()?)
                    } else {
                        self.name().map(Expression::Variable)
                    };
                    match value {
                        Some(value) => {
                            pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                            pieces.push(Piece::Value(value));
                        }
                        None => plain.push('$'),
                    }
                }
                other => plain.push(other),
            }
        }
        Err(self.wrong("`\"` is missing"))
    }

    /// `[System.Net.Dns]::GetHostName()`, from after the bracket on.
    fn member(&mut self) -> Read<Expression> {
        let mut name = String::new();
        while let Some(character) = self.peek().filter(|c| c.is_alphanumeric() || ".:]()".contains(*c)) {
            if character == ')' && !name.ends_with('(') {
                break;
            }
            name.push(character);
            self.at += 1;
        }
        Ok(Expression::Static(format!("[{name}").to_lowercase()))
    }

    /// The name of a variable, after the dollar.
    fn name(&mut self) -> Option<String> {
        let braced = self.take("{");
        let fits = |c: &char| c.is_alphanumeric() || *c == '_' || *c == ':' || (braced && *c != '}');
        let mut name = String::new();
        while let Some(character) = self.peek().filter(fits) {
            name.push(character);
            self.at += 1;
        }
        if braced {
            self.take("}");
        }
        (!name.is_empty()).then(|| name.to_lowercase())
    }
}

fn escaped(character: char) -> char {
    match character {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        other => other,
    }
}
