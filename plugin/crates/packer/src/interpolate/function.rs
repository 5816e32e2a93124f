//! The functions of Packer's template engine.

use super::context::{Build, Context};
use super::eval::MOST;
use super::layout;
use super::print::printf;
use super::value::Value;

/// What a function takes at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    Text,
    Int,
    Any,
}

/// A function.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) params: &'static [Param],
    /// What any number of further arguments are.
    pub(super) more: Option<Param>,
    /// Gets as many arguments of the right types as it takes.
    pub(super) call: fn(&Context, &[Value]) -> Result<Value, String>,
}

const NONE: &[Param] = &[];
const TEXT: &[Param] = &[Param::Text];
const TWO: &[Param] = &[Param::Text, Param::Text];

const FUNCTIONS: [Function; 28] = [
    takes("aws_secretsmanager", NONE, Some(Param::Text), |_, _| {
        Err("AWS Secrets Manager is only allowed in the variables section".to_owned())
    }),
    takes("aws_secretsmanager_raw", TEXT, None, |_, _| {
        Err("AWS Secrets Manager is only allowed in the variables section".to_owned())
    }),
    takes("build", TEXT, None, |context, given| build(context, text(given, 0))),
    takes("build_name", NONE, None, |context, _| {
        known(&context.build_name, "build_name")
    }),
    takes("build_type", NONE, None, |context, _| {
        known(&context.build_type, "build_type")
    }),
    takes("clean_resource_name", TEXT, None, |_, given| {
        Ok(clean(text(given, 0)).into())
    }),
    takes("consul_key", TEXT, None, |_, _| {
        Err("consul_key is not allowed here".to_owned())
    }),
    takes(
        "env",
        TEXT,
        None,
        |_, _| Err("env vars are not allowed here".to_owned()),
    ),
    takes("isotime", NONE, Some(Param::Text), isotime),
    takes("len", TEXT, None, |_, given| {
        Ok(Value::Int(i64::try_from(text(given, 0).len()).unwrap_or(i64::MAX)))
    }),
    takes("lower", TEXT, None, |_, given| Ok(text(given, 0).to_lowercase().into())),
    takes("packer_version", NONE, None, |context, _| {
        known(&context.core_version, "packer_version")
    }),
    takes("print", NONE, Some(Param::Any), |_, given| Ok(print(given).into())),
    takes("printf", TEXT, Some(Param::Any), |_, given| {
        printf(given).map(Value::Text)
    }),
    takes("println", NONE, Some(Param::Any), |_, given| Ok(println(given).into())),
    takes("pwd", NONE, None, |context, _| {
        let folder = context.surroundings.folder.as_ref();
        Ok(folder
            .ok_or("the working folder is not available")?
            .display()
            .to_string()
            .into())
    }),
    takes(
        "replace",
        &[Param::Text, Param::Text, Param::Int, Param::Text],
        None,
        |_, given| {
            let count = usize::try_from(given.get(2).map_or(0, Value::int)).unwrap_or(usize::MAX);
            replace(text(given, 0), text(given, 1), count, text(given, 3))
        },
    ),
    takes(
        "replace_all",
        &[Param::Text, Param::Text, Param::Text],
        None,
        |_, given| replace(text(given, 0), text(given, 1), usize::MAX, text(given, 2)),
    ),
    takes("sed", TWO, None, |_, _| {
        Err(
            "template function `sed` is deprecated use `replace` or `replace_all` instead.Documentation: \
             https://www.packer.io/docs/templates/engine"
                .to_owned(),
        )
    }),
    takes("split", &[Param::Text, Param::Text, Param::Int], None, split),
    takes("strftime", TEXT, None, |context, given| {
        Ok(layout::strftime(text(given, 0), &context.surroundings.moment("strftime")?).into())
    }),
    takes("template_dir", NONE, None, |context, _| {
        Ok(context.template_folder().ok_or("template path not available")?.into())
    }),
    takes("timestamp", NONE, None, |context, _| {
        let now = context.surroundings.moment("timestamp")?;
        Ok(now.timestamp().as_second().to_string().into())
    }),
    takes("upper", TEXT, None, |_, given| Ok(text(given, 0).to_uppercase().into())),
    takes("urlquery", TEXT, None, |_, given| Ok(urlquery(text(given, 0)).into())),
    takes("user", TEXT, None, |context, given| user(context, text(given, 0))),
    takes("uuid", NONE, None, |context, _| {
        context.surroundings.uuid().map(Value::Text)
    }),
    takes("vault", TWO, None, |_, _| {
        Err("Vault vars are only allowed in the variables section".to_owned())
    }),
];

const fn takes(
    name: &'static str,
    params: &'static [Param],
    more: Option<Param>,
    call: fn(&Context, &[Value]) -> Result<Value, String>,
) -> Function {
    Function {
        name,
        params,
        more,
        call,
    }
}

/// The function of a name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    const ALL: &[Function] = &FUNCTIONS;
    ALL.iter().find(|function| function.name == name)
}

/// All names, sorted.
pub(super) fn names() -> [&'static str; 28] {
    FUNCTIONS.map(|function| function.name)
}

impl Function {
    /// Whether it can be called with so many arguments.
    pub(super) fn takes(&self, given: usize) -> bool {
        match self.more {
            Some(_) => given >= self.params.len(),
            None => given == self.params.len(),
        }
    }

    /// What the argument at a place must be.
    pub(super) fn param(&self, at: usize) -> Param {
        self.params.get(at).copied().or(self.more).unwrap_or(Param::Any)
    }
}

impl Param {
    /// Go's name of the type.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Int => "int",
            Self::Any => "value",
        }
    }
}

fn text(given: &[Value], at: usize) -> &str {
    given.get(at).map_or("", Value::text)
}

fn known(value: &str, name: &str) -> Result<Value, String> {
    if value.is_empty() {
        return Err(format!("{name} not available"));
    }
    Ok(value.to_owned().into())
}

fn build(context: &Context, name: &str) -> Result<Value, String> {
    match &context.build {
        Build::Nothing => Err(format!(
            "Error validating build variable: the given variable {name} will not be passed into your plugin."
        )),
        Build::Later(names) if names.contains(name) => Ok(context.later(name).into()),
        Build::Later(_) => Err(format!("loaded data, but couldnt find {name} in it.")),
    }
}

/// In JSON templates what was not set is empty, as Packer has it; in HCL there are none.
fn user(context: &Context, name: &str) -> Result<Value, String> {
    let variables = context.user_variables.as_ref().ok_or_else(|| {
        format!("there are none: a JSON template defines user variables in `variables`, and HCL writes ${{var.{name}}}")
    })?;
    Ok(variables.get(name).cloned().unwrap_or_default().into())
}

fn isotime(context: &Context, given: &[Value]) -> Result<Value, String> {
    let now = context.surroundings.moment("isotime")?;
    match given {
        [] => Ok(layout::go("2006-01-02T15:04:05Z07:00", &now).into()),
        [layout] => Ok(layout::go(layout.text(), &now).into()),
        many => {
            let many: Vec<&str> = many.iter().map(Value::text).collect();
            Err(format!("too many values, 1 needed: [{}]", many.join(" ")))
        }
    }
}

fn split(_: &Context, given: &[Value]) -> Result<Value, String> {
    let (whole, separator, at) = (text(given, 0), text(given, 1), given.get(2).map_or(0, Value::int));
    let parts: Vec<&str> = match separator {
        // Go splits after each character.
        "" => whole.split("").filter(|part| !part.is_empty()).collect(),
        separator => whole.split(separator).collect(),
    };
    let part = usize::try_from(at).ok().and_then(|at| parts.get(at));
    let part = part.ok_or_else(|| {
        format!(
            "the substring {at} was unavailable using the separator value, {separator}, only {} values were found",
            parts.len()
        )
    })?;
    Ok((*part).to_owned().into())
}

/// Refuses to become too long before it does.
fn replace(old: &str, new: &str, count: usize, source: &str) -> Result<Value, String> {
    let hits = source.matches(old).take(count).count();
    let longest = hits
        .checked_mul(new.len())
        .and_then(|more| more.checked_add(source.len()));
    if longest.is_none_or(|longest| longest > MOST) {
        return Err("the result is longer than 1 MiB".to_owned());
    }
    Ok(source.replacen(old, new, count).into())
}

/// As the builder for Amazon's images has it, from where templates with it come.
fn clean(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c);
    name.chars().map(|c| if allowed(c) { c } else { '-' }).collect()
}

/// Go puts a space between two values of which neither is text.
fn print(given: &[Value]) -> String {
    let mut out = String::new();
    let mut before: Option<&Value> = None;
    for value in given {
        let is_text = |value: &Value| matches!(value, Value::Text(_));
        if before.is_some_and(|before| !is_text(before) && !is_text(value)) {
            out.push(' ');
        }
        out.push_str(&value.to_string());
        before = Some(value);
    }
    out
}

fn println(given: &[Value]) -> String {
    let given: Vec<String> = given.iter().map(Value::to_string).collect();
    format!("{}\n", given.join(" "))
}

fn urlquery(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
