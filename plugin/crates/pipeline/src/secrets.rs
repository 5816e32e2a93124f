//! The last moment of a secret: `${name}` in an operation's input becomes the value, just before it is sent.

use std::collections::BTreeMap;

use reseal_engine::{ActionError, Context, FailureClass};
use reseal_spec::template::{self, TemplateError};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// A sensitive variable's name in the build's keyring.
pub fn key(variable: &str) -> String {
    format!("var/{variable}")
}

/// Fills the secrets into every string of a JSON value. The result must not be printed or kept.
pub(crate) fn reveal(cx: &Context<'_>, value: &Value) -> Result<Value, ActionError> {
    Ok(match value {
        Value::String(text) => Value::String(text_of(cx, text)?),
        Value::Array(items) => Value::Array(items.iter().map(|item| reveal(cx, item)).collect::<Result<_, _>>()?),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| Ok((name.clone(), reveal(cx, value)?));
            Value::Object(fields.iter().map(field).collect::<Result<_, ActionError>>()?)
        }
        other => other.clone(),
    })
}

/// Fills the secrets into a text.
pub(crate) fn text_of(cx: &Context<'_>, text: &str) -> Result<String, ActionError> {
    if !text.contains("${") {
        return Ok(text.to_owned());
    }
    let mut known: BTreeMap<String, SecretString> = BTreeMap::new();
    loop {
        let result = template::reveal(text, |name| known.get(name).map(SecretString::expose_secret));
        match result {
            Ok(text) => return Ok(text),
            Err(TemplateError::Unknown { name }) if !known.contains_key(&name) => {
                let again = || format!("give it again with `-var {name}=…` or RESEAL_VAR_{name}");
                let secret = cx.secret(&key(&name)).map_err(|error| error.hint(again()))?;
                known.insert(name, secret);
            }
            Err(error) => return Err(ActionError::new(FailureClass::Input, error.to_string())),
        }
    }
}
