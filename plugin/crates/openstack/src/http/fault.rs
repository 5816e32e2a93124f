//! What services say when they refuse, in all their forms.
//!
//! Nova and Cinder: `{"<name>":{"code":..,"message":".."}}`. Keystone: the same with `error`. Neutron: `NeutronError`
//! with a type, or a plain string. Glance: `{"message":"..<br />..","code":"409 Conflict","title":".."}`. Proxies in
//! front: HTML. Middleware: one line of text. Every body gives a fault; none makes us fail.

use reseal_machine::{CloudError, CloudErrorKind, Status};
use serde_json::Value;

use super::reply::Reply;
use crate::json;

/// The most that is quoted of a body that is not in any known form.
const QUOTED: usize = 300;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: CloudErrorKind,
    pub(crate) message: String,
    /// `retryAfter` as written.
    pub(crate) retry_after: Option<String>,
}

impl Fault {
    /// Reads the body of an answer that is no success.
    pub(crate) fn read(reply: &Reply) -> Self {
        let words = words(&reply.body);
        let message = if words.message.is_empty() {
            reason(reply.status).to_owned()
        } else {
            words.message
        };
        let kind = kind(reply.status, &words.name, &message, reply.header("retry-after"));
        Self {
            kind,
            message,
            retry_after: words.retry_after,
        }
    }

    /// The error that a caller sees.
    pub(crate) fn into_error(self, reply: &Reply) -> CloudError {
        let mut error = CloudError::new(
            self.kind,
            reply.operation,
            format!("{} (HTTP {})", self.message, reply.status),
        );
        error.http = Some(reply.status);
        error.request_id = reply.request_id();
        if reply.status == 501 {
            error.status = Status::Permanent;
        }
        error.hints.extend(hint(self.kind).map(ToOwned::to_owned));
        error
    }
}

/// The parts of a body that matter.
#[derive(Default)]
struct Words {
    name: String,
    message: String,
    retry_after: Option<String>,
}

fn words(body: &[u8]) -> Words {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(members)) => {
            // Glance: the message lies at the top.
            let value = Value::Object(members);
            if let Some(message) = json::text(&value, "message") {
                let name = json::text(&value, "title").unwrap_or_default();
                return Words {
                    name,
                    message: plain(&message),
                    retry_after: None,
                };
            }
            value
                .as_object()
                .and_then(|members| members.iter().next())
                .map_or_else(Words::default, |(name, inner)| named(name, inner))
        }
        Ok(Value::String(text)) => Words {
            message: plain(&text),
            ..Words::default()
        },
        _ => Words {
            message: plain(&String::from_utf8_lossy(body)),
            ..Words::default()
        },
    }
}

/// The first member of the body: an object with a message, a list of them, or the message itself.
fn named(name: &str, inner: &Value) -> Words {
    let first = inner.as_array().and_then(|list| list.first()).unwrap_or(inner);
    let message = first.as_str().map(ToOwned::to_owned);
    let message = message.or_else(|| {
        ["message", "detail", "title"]
            .iter()
            .find_map(|key| json::text(first, key))
    });
    let retry_after = json::number(first, "retryAfter").map(|seconds| seconds.to_string());
    let name = json::text(first, "type").unwrap_or_else(|| name.to_owned());
    Words {
        name,
        message: plain(&message.unwrap_or_default()),
        retry_after,
    }
}

/// Text without tags, in one line, not longer than what is quoted.
fn plain(text: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(QUOTED * 4));
    let mut in_tag = false;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            // A tag begins with a letter, a slash or an exclamation mark; `a < b` is no tag.
            '<' if rest
                .peek()
                .is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!')) =>
            {
                in_tag = true;
            }
            '>' if in_tag => {
                in_tag = false;
                kept.push(' ');
            }
            _ if !in_tag => kept.push(c),
            _ => {}
        }
    }
    let line = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_end_matches('.').chars().take(QUOTED).collect()
}

/// The class of a refusal. Quotas have no status of their own: Nova says 403, Neutron 409, Cinder 413 or 400.
fn kind(status: u16, name: &str, message: &str, retry_after: Option<&str>) -> CloudErrorKind {
    let text = message.to_lowercase();
    // The last form is that of unified limits: "Resource servers is over limit of 5 due to current usage 5".
    let over = name == "OverQuota"
        || (text.contains("quota") && (text.contains("exceed") || text.contains("over")))
        || text.contains("over limit of");
    match status {
        400 | 403 | 409 | 413 if over => CloudErrorKind::Quota,
        413 if retry_after.is_none() && name != "overLimit" => CloudErrorKind::Quota,
        413 | 429 | 498 => CloudErrorKind::RateLimited,
        401 => CloudErrorKind::Auth,
        403 => CloudErrorKind::Forbidden,
        404 | 410 => CloudErrorKind::NotFound,
        409 => CloudErrorKind::Conflict,
        408 | 500 | 502..=599 => CloudErrorKind::Unavailable,
        400..=499 | 501 => CloudErrorKind::Invalid,
        _ => CloudErrorKind::Unexpected,
    }
}

fn hint(kind: CloudErrorKind) -> Option<&'static str> {
    match kind {
        CloudErrorKind::Quota => Some("delete what is no longer needed, or ask for a larger quota"),
        _ => None,
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        301..=308 => "the cloud answers with a redirection, which is never followed",
        401 => "authentication required",
        403 => "forbidden",
        404 => "not found",
        429 => "too many requests",
        500..=599 => "the service is not well",
        _ => "the cloud refused without words",
    }
}

#[cfg(test)]
mod tests;
