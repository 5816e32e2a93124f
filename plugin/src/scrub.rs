//! Takes secrets out of everything that leaves the process: console, journal-like files, logs brought home.
//!
//! Our own texts are free of secrets by construction; a guest's output is not ours.

use std::io::{self, Write};
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret as _, SecretString};

/// What stands in a secret's place: Packer's word.
const MASK: &str = "<sensitive>";

/// Shorter values would be found everywhere.
const SHORTEST: usize = 4;

/// Knows all secrets of the process. Clones share what they know.
#[derive(Clone, Default)]
pub struct Scrubber(Arc<RwLock<Vec<SecretString>>>);

impl Scrubber {
    /// Learns a secret, and the forms in which it travels.
    pub fn learn(&self, secret: &SecretString) {
        let plain = secret.expose_secret();
        if plain.chars().count() < SHORTEST {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let json = serde_json::Value::from(plain).to_string();
        let json = json.trim_matches('"').to_owned();
        let xml = plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        for form in [plain.to_owned(), json, xml] {
            if !known.iter().any(|secret| secret.expose_secret() == form) {
                known.push(SecretString::from(form));
            }
        }
        // The longest first: a secret may begin with another.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
    }

    /// The text without secrets.
    pub fn text(&self, text: &str) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut clean = text.to_owned();
        for secret in known.iter() {
            if clean.contains(secret.expose_secret()) {
                clean = clean.replace(secret.expose_secret(), MASK);
            }
        }
        clean
    }

    /// The bytes without secrets, in UTF-8 and in UTF-16 as Windows Installer writes its logs.
    pub fn bytes(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for secret in known.iter() {
            let plain = secret.expose_secret();
            bytes = replace(bytes, plain.as_bytes(), MASK.as_bytes());
            bytes = replace(bytes, &utf16(plain), &utf16(MASK));
        }
        bytes
    }

    /// The longest form of a secret in bytes.
    fn longest(&self) -> usize {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known
            .iter()
            .map(|secret| secret.expose_secret().encode_utf16().count() * 2)
            .max()
            .unwrap_or(0)
            .max(
                known
                    .iter()
                    .map(|secret| secret.expose_secret().len())
                    .max()
                    .unwrap_or(0),
            )
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn replace(bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    if from.is_empty() || !bytes.windows(from.len()).any(|window| window == from) {
        return bytes;
    }
    let mut clean = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        let (before, after) = rest.split_at(at);
        clean.extend_from_slice(before);
        clean.extend_from_slice(to);
        rest = after.get(from.len()..).unwrap_or_default();
    }
    clean.extend_from_slice(rest);
    clean
}

/// A writer that scrubs: it keeps back as many bytes as a secret that is cut in two may need.
pub struct Scrubbed<W: Write> {
    scrubber: Scrubber,
    inner: W,
    held: Vec<u8>,
}

impl<W: Write> Scrubbed<W> {
    /// Scrubs everything that goes to `inner`.
    pub fn new(scrubber: Scrubber, inner: W) -> Self {
        Self {
            scrubber,
            inner,
            held: Vec::new(),
        }
    }
}

impl<W: Write> Write for Scrubbed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        let clean = self.scrubber.bytes(std::mem::take(&mut self.held));
        let keep = self.scrubber.longest().saturating_sub(1).min(clean.len());
        let (out, held) = clean.split_at(clean.len() - keep);
        self.inner.write_all(out)?;
        self.held = held.to_vec();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        self.inner.write_all(&held)?;
        self.inner.flush()
    }
}

impl<W: Write> Drop for Scrubbed<W> {
    fn drop(&mut self) {
        // A log that cannot be written at its very end is not worth a failure.
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubber() -> Scrubber {
        let scrubber = Scrubber::default();
        scrubber.learn(&SecretString::from("canary\"1"));
        scrubber.learn(&SecretString::from("canary"));
        scrubber
    }

    #[test]
    fn secrets_are_masked_in_all_their_forms() {
        let check = |text: &str, expect: &str| assert_eq!(scrubber().text(text), expect);
        check("a canary\"1 b", "a <sensitive> b");
        check(r#"{"x":"canary\"1"}"#, r#"{"x":"<sensitive>"}"#);
        check("canary!", "<sensitive>!");
        check("안녕", "안녕");
    }

    #[test]
    fn a_secret_that_is_cut_in_two_is_masked_in_a_file() {
        for encode in [|text: &str| text.as_bytes().to_vec(), utf16] {
            let bytes = encode("TOKEN=canary end");
            for cut in 0..bytes.len() {
                let mut out = Vec::new();
                {
                    let mut writer = Scrubbed::new(scrubber(), &mut out);
                    let (first, second) = bytes.split_at(cut);
                    writer.write_all(first).unwrap();
                    writer.write_all(second).unwrap();
                }
                assert_eq!(out, encode("TOKEN=<sensitive> end"), "cut at {cut}");
            }
        }
    }
}
