//! Words of a template: text, and what stands between `{{` and `}}`.

/// What a word is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'a> {
    /// Text outside of actions.
    Text(&'a str),
    /// `{{`
    Open,
    /// `}}`
    Close,
    /// `|`
    Pipe,
    /// `(`
    Left,
    /// `)`
    Right,
    /// A function or a keyword.
    Word(&'a str),
    /// `.name`, without the dot.
    Field(&'a str),
    /// `.`
    Dot,
    /// `$name`, with the sign.
    Variable(&'a str),
    /// A string in either kind of quotes, with them.
    Quoted(&'a str),
    /// A number or a character, as written.
    Number(&'a str),
    /// Any other sign: `=`, `:=`, `,`, `%`.
    Sign(&'a str),
    /// Nothing after this can be read.
    Bad(String),
}

/// A word and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    /// The byte at which it begins.
    pub(super) at: usize,
    /// Whether space stands before it.
    pub(super) spaced: bool,
}

const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The words of a text. Ends with the first that cannot be read.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        text,
        at: 0,
        parentheses: 0,
        tokens: Vec::new(),
    };
    let read = lexer.all();
    if let Err(why) = read {
        lexer.push(Kind::Bad(why), lexer.at, false);
    }
    lexer.tokens
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    parentheses: usize,
    tokens: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes so many bytes.
    fn take(&mut self, count: usize) -> &'a str {
        let taken = self.rest().get(..count).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    fn push(&mut self, kind: Kind<'a>, at: usize, spaced: bool) {
        self.tokens.push(Token { kind, at, spaced });
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(SPACE).len();
    }

    fn all(&mut self) -> Result<(), String> {
        while !self.rest().is_empty() {
            let (begin, rest) = (self.at, self.rest());
            let length = rest.find("{{").unwrap_or(rest.len());
            let text = self.take(length);
            let action = self.rest().strip_prefix("{{");
            let trims = action.is_some_and(|inside| inside.starts_with('-') && inside.get(1..).is_some_and(spaced));
            let kept = if trims { text.trim_end_matches(SPACE) } else { text };
            if !kept.is_empty() {
                self.push(Kind::Text(kept), begin, false);
            }
            if action.is_some() {
                self.action(if trims { 2 } else { 0 })?;
            }
        }
        Ok(())
    }

    /// From `{{` to the end of `}}`.
    fn action(&mut self, marker: usize) -> Result<(), String> {
        let begin = self.at;
        self.take(2 + marker);
        if self.rest().starts_with("/*") {
            return self.comment();
        }
        self.push(Kind::Open, begin, false);
        self.parentheses = 0;
        let mut after_space = false;
        loop {
            if let Some(length) = self.close() {
                if self.parentheses > 0 {
                    return Err("unclosed left paren".to_owned());
                }
                self.push(Kind::Close, self.at, after_space);
                self.leave(length);
                return Ok(());
            }
            if self.rest().starts_with(SPACE) {
                self.take(1);
                after_space = true;
                continue;
            }
            self.word(after_space)?;
            after_space = false;
        }
    }

    /// How long the end of the action is that stands here.
    fn close(&self) -> Option<usize> {
        let rest = self.rest();
        let trimming = rest.starts_with(SPACE) && rest.get(1..).is_some_and(|rest| rest.starts_with("-}}"));
        match (trimming, rest.starts_with("}}")) {
            (true, _) => Some(4),
            (_, true) => Some(2),
            _ => None,
        }
    }

    fn leave(&mut self, length: usize) {
        self.take(length);
        if length > 2 {
            self.skip_space();
        }
    }

    fn comment(&mut self) -> Result<(), String> {
        let end = self.rest().find("*/").ok_or("unclosed comment")?;
        self.take(end + 2);
        let length = self.close().ok_or("comment ends before closing delimiter")?;
        self.leave(length);
        Ok(())
    }

    fn word(&mut self, spaced: bool) -> Result<(), String> {
        let begin = self.at;
        let rest = self.rest();
        let first = rest.chars().next().ok_or("unclosed action")?;
        let digit_next = rest
            .get(1..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let kind = match first {
            '|' | '(' | ')' => self.sign(first)?,
            '=' | ',' => Kind::Sign(self.take(1)),
            ':' if rest.starts_with(":=") => Kind::Sign(self.take(2)),
            ':' => return Err("expected :=".to_owned()),
            '"' | '\'' | '`' => self.quoted(first)?,
            '.' if !digit_next => match self.name(1)? {
                "." => Kind::Dot,
                name => Kind::Field(name.trim_start_matches('.')),
            },
            '$' => Kind::Variable(self.name(1)?),
            '.' | '+' | '-' | '0'..='9' => self.number(),
            c if is_name(c) => Kind::Word(self.name(0)?),
            c if c.is_ascii_graphic() => Kind::Sign(self.take(1)),
            c => return Err(format!("unrecognized character in action: {}", unicode(c))),
        };
        self.push(kind, begin, spaced);
        Ok(())
    }

    fn sign(&mut self, sign: char) -> Result<Kind<'a>, String> {
        self.take(1);
        Ok(match sign {
            '(' => {
                self.parentheses += 1;
                Kind::Left
            }
            ')' => {
                self.parentheses = self.parentheses.checked_sub(1).ok_or("unexpected right paren")?;
                Kind::Right
            }
            _ => Kind::Pipe,
        })
    }

    /// A name after so many signs, and nothing that would run into it.
    fn name(&mut self, signs: usize) -> Result<&'a str, String> {
        let name = self.rest().get(signs..).unwrap_or_default();
        let length = name.find(|c| !is_name(c)).unwrap_or(name.len());
        let word = self.take(signs + length);
        match self.rest().chars().next() {
            Some(c) if !SPACE.contains(&c) && !".,|:()".contains(c) && !self.rest().starts_with("}}") => {
                Err(format!("bad character {}", unicode(c)))
            }
            _ => Ok(word),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Kind<'a>, String> {
        let mut escaped = false;
        let mut ends = |(_, c): &(usize, char)| {
            let end = *c == quote && !escaped || *c == '\n' && quote != '`';
            escaped = *c == '\\' && !escaped && quote != '`';
            end
        };
        match self.rest().char_indices().skip(1).find(&mut ends) {
            Some((at, c)) if c == quote => {
                let word = self.take(at + 1);
                Ok(if quote == '\'' {
                    Kind::Number(word)
                } else {
                    Kind::Quoted(word)
                })
            }
            _ => Err(match quote {
                '`' => "unterminated raw quoted string".to_owned(),
                '"' => "unterminated quoted string".to_owned(),
                _ => "unterminated character constant".to_owned(),
            }),
        }
    }

    fn number(&mut self) -> Kind<'a> {
        let mut before = ' ';
        let mut ends = |(at, c): &(usize, char)| {
            let sign = matches!(c, '+' | '-') && (*at == 0 || matches!(before, 'e' | 'E' | 'p' | 'P'));
            before = *c;
            !(sign || is_name(*c) || *c == '.')
        };
        let length = self.rest().char_indices().find(&mut ends).map(|(at, _)| at);
        Kind::Number(self.take(length.unwrap_or(self.rest().len())))
    }
}

fn spaced(text: &str) -> bool {
    text.starts_with(SPACE)
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// A character as Go's `%#U` shows it.
fn unicode(c: char) -> String {
    let shown = if c.is_control() {
        String::new()
    } else {
        format!(" '{c}'")
    };
    format!("U+{:04X}{shown}", u32::from(c))
}
