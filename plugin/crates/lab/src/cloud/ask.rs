//! A request as the services see it: taken apart, decoded strictly, refused with a reason where it is odd.

use std::net::IpAddr;

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::reply::Refusal;

/// The five services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Identity,
    Compute,
    Image,
    Network,
    Volume,
}

impl Service {
    /// Its usual name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Compute => "compute",
            Self::Image => "image",
            Self::Network => "network",
            Self::Volume => "volume",
        }
    }
}

/// What came as a body.
#[derive(Debug)]
pub(crate) enum Payload {
    /// A document, whole.
    Whole(Bytes),
    /// Image data, counted and hashed and thrown away.
    Data { size: u64, checksum: String },
}

/// One request.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) service: Service,
    pub(crate) method: Method,
    /// Path segments inside the service, percent-decoded.
    pub(crate) path: Vec<String>,
    /// The query as it came.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
    pub(crate) peer: IpAddr,
}

/// The parameters of a request, each known by name.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// A parameter's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All parameters.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// A number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse();
        number
            .map(Some)
            .map_err(|_| Refusal::invalid(format!("Invalid input for field/attribute {name}. Value: {text}.")))
    }
}

impl Ask {
    /// A header as text; empty counts as missing.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
    }

    /// The parameters; those that are not in `known`, or that come twice, are refused.
    pub(crate) fn query(&self, known: &[&str]) -> Result<Query, Refusal> {
        let query = self.any_query()?;
        for (position, (key, _)) in query.0.iter().enumerate() {
            if !known.contains(&key.as_str()) {
                return Err(Refusal::strict(format!(
                    "unknown query parameter '{key}' (known: {})",
                    known.join(", ")
                )));
            }
            if query.0.iter().take(position).any(|(earlier, _)| earlier == key) {
                return Err(Refusal::strict(format!("query parameter '{key}' comes twice")));
            }
        }
        Ok(query)
    }

    /// All parameters, for services where every name may be a filter.
    pub(crate) fn any_query(&self) -> Result<Query, Refusal> {
        let mut pairs = Vec::new();
        for part in self.query.split('&').filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(Refusal::strict(format!("query parameter '{part}' has no value")));
            };
            pairs.push((decode(key, Plus::Space)?, decode(value, Plus::Space)?));
        }
        Ok(Query(pairs))
    }

    /// The document: `application/json`, and exactly the fields that `T` knows, in the right types.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        self.document("application/json")
    }

    /// The document under another media type.
    pub(crate) fn document<T: DeserializeOwned>(&self, media_type: &str) -> Result<T, Refusal> {
        let kind = self.header("content-type").unwrap_or("");
        let base = kind.split(';').next().unwrap_or("").trim();
        if !base.eq_ignore_ascii_case(media_type) {
            let status = if base.is_empty() { 400 } else { 415 };
            return Err(Refusal::new(
                status,
                format!("lab: Content-Type is '{kind}', must be '{media_type}'"),
            ));
        }
        let Payload::Whole(bytes) = &self.payload else {
            return Err(Refusal::strict("a document is wanted here, not image data"));
        };
        serde_json::from_slice(bytes).map_err(|error| Refusal::strict(format!("the body is not as wanted: {error}")))
    }

    /// Refuses a body and parameters.
    pub(crate) fn bare(&self) -> Result<(), Refusal> {
        self.query(&[])?;
        self.no_body()
    }

    /// Refuses a body.
    pub(crate) fn no_body(&self) -> Result<(), Refusal> {
        match &self.payload {
            Payload::Whole(bytes) if bytes.is_empty() => Ok(()),
            _ => Err(Refusal::strict(format!("{} takes no body here", self.method))),
        }
    }

    /// Whether the client wants JSON in so many words.
    pub(crate) fn wants_json(&self) -> bool {
        self.header("accept")
            .is_some_and(|accept| accept.contains("application/json"))
    }

    /// For the log: service, path, query.
    pub(crate) fn line(&self) -> String {
        let mut line = format!("{} /{}", self.service.name(), self.path.join("/"));
        if !self.query.is_empty() {
            line.push('?');
            line.push_str(&self.query);
        }
        line
    }
}

/// A value that is not `null`.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// What a plus sign means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plus {
    /// Itself, as in a path.
    Plus,
    /// A space, as in a query.
    Space,
}

/// Undoes percent-encoding.
pub(crate) fn decode(text: &str, plus: Plus) -> Result<String, Refusal> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits: Option<Vec<u8>> = [bytes.next(), bytes.next()].into_iter().collect();
                let byte = digits
                    .and_then(|digits| hex::decode(digits).ok())
                    .and_then(|bytes| bytes.first().copied());
                out.push(byte.ok_or_else(|| Refusal::strict(format!("bad percent-encoding in '{text}'")))?);
            }
            b'+' if plus == Plus::Space => out.push(b' '),
            other => out.push(other),
        }
    }
    String::from_utf8(out).map_err(|_| Refusal::strict(format!("'{text}' is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_undone_and_nonsense_refused() {
        assert_eq!(decode("a%20b+c", Plus::Space).unwrap(), "a b c");
        assert_eq!(decode("a+b", Plus::Plus).unwrap(), "a+b");
        assert!(decode("%zz", Plus::Plus).is_err());
        assert!(decode("%4", Plus::Plus).is_err());
        assert!(decode("%ff", Plus::Plus).is_err());
    }

    proptest::proptest! {
        #[test]
        fn decoding_never_panics(text in ".*") {
            let _ = decode(&text, Plus::Space);
        }
    }
}
