//! Other files that a spec names.

use reseal_diag::{Diagnostic, SourceText, Span};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::codes;
use crate::load::Files;
use crate::model::ScriptText;
use crate::route;
use crate::yaml::Document;

/// The route of the value that names `path`, below `at`.
pub(crate) fn route_of(value: &Value, path: &str, at: &str) -> String {
    find(value, path, at).unwrap_or_else(|| at.to_owned())
}

fn find(value: &Value, path: &str, at: &str) -> Option<String> {
    match value {
        Value::String(text) if text == path => Some(at.to_owned()),
        Value::Object(map) => map
            .iter()
            .find_map(|(key, value)| find(value, path, &route::member(at, key))),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| find(item, path, &route::item(at, index))),
        _ => None,
    }
}

/// Whether a local path is there.
pub(crate) fn check(document: &Document, files: &dyn Files, at: &str, path: &str) -> Result<(), Diagnostic> {
    if path.contains("${") {
        let message = "the name of a local file cannot hold a sensitive variable";
        return Err(wrong(document, at, codes::SENSITIVE_PLACE, message));
    }
    if files.exists(path) {
        return Ok(());
    }
    let diagnostic = wrong(document, at, codes::MISSING_FILE, &format!("there is no file `{path}`"));
    Err(diagnostic.help("paths are relative to the folder of the spec"))
}

/// The content of a script.
pub(crate) fn text(document: &Document, files: &dyn Files, at: &str, path: &str) -> Result<ScriptText, Diagnostic> {
    let bytes = bytes(document, files, at, path)?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let Ok(text) = String::from_utf8(bytes) else {
        let message = format!("`{path}` is not UTF-8 text");
        return Err(wrong(document, at, codes::NOT_TEXT, &message).help("save it as UTF-8"));
    };
    Ok(ScriptText { text, sha256 })
}

/// Complains about a script that Windows PowerShell would misread: without a byte order mark it takes the guest's code
/// page and not UTF-8.
pub(crate) fn encoding(document: &Document, at: &str, path: &str, text: &str) -> Option<Diagnostic> {
    let first = text
        .find(|c: char| !c.is_ascii())
        .filter(|_| !text.starts_with('\u{feff}'))?;
    let message = format!("Windows PowerShell would not read `{path}` as UTF-8");
    let diagnostic = Diagnostic::warning(codes::SCRIPT_ENCODING, message)
        .at(&document.source, document.value_span(at), "")
        .related(
            &SourceText::new(path, text),
            Span::new(first, first + 1),
            "the first character that is not ASCII",
        );
    Some(diagnostic.help("save the script as UTF-8 with a byte order mark, or keep it to ASCII"))
}

/// The content of an answer file, in whatever encoding it is.
pub(crate) fn answer_file(
    document: &Document,
    files: &dyn Files,
    at: &str,
    path: &str,
) -> Result<ScriptText, Diagnostic> {
    let bytes = bytes(document, files, at, path)?;
    let text = reseal_unattend::decode(&bytes).text;
    Ok(ScriptText {
        text,
        sha256: hex::encode(Sha256::digest(&bytes)),
    })
}

fn bytes(document: &Document, files: &dyn Files, at: &str, path: &str) -> Result<Vec<u8>, Diagnostic> {
    check(document, files, at, path)?;
    let why = |why| {
        wrong(
            document,
            at,
            codes::MISSING_FILE,
            &format!("cannot read `{path}`: {why}"),
        )
    };
    files.read(path).map_err(why)
}

fn wrong(document: &Document, at: &str, code: &'static str, message: &str) -> Diagnostic {
    Diagnostic::error(code, message).at(&document.source, document.value_span(at), "")
}
