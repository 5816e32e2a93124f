//! Where the secrets of an answer file stand, also of files that are not well-formed and of components that nobody
//! knows: by the names of the elements.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use crate::catalogue::{catalogue, kms_owner};
use crate::placeholder::masked;

/// What the name of an element with a secret holds, in small letters.
const WORDS: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "passwrd",
    "secret",
    "productkey",
    "apikey",
    "accesskey",
    "privatekey",
    "sharedkey",
    "keymaterial",
    "accountdata",
    "community_name",
    "authtoken",
];

/// Elements beside a secret that are none.
const PLAIN: [&str; 4] = ["plaintext", "username", "domain", "willshowui"];

/// Whether an element of this name holds a secret, or all below it are one. Slips of the pen count: nobody knows such an
/// element, and its line is shown.
fn is_secret_name(name: &str) -> bool {
    if let Some(secret) = NAMES.get(name) {
        return *secret;
    }
    holds_word(name) || WORDS.iter().any(|word| holds_slip(name, word))
}

fn holds_word(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word)) && !is_plain(&name)
}

fn is_plain(name: &str) -> bool {
    PLAIN.iter().any(|plain| plain.eq_ignore_ascii_case(name))
}

/// Whether a piece of the name is the word with a letter or two too many, too few, swapped or wrong.
fn holds_slip(name: &str, word: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let slips = if word.len() < 8 { 1 } else { 2 };
    let lengths = word.len() - 1..=word.len() + 1;
    name.is_ascii()
        && !is_plain(&name)
        && lengths.into_iter().any(|length| {
            let ends = length.min(name.len())..=name.len();
            ends.filter_map(|end| name.get(end.saturating_sub(length)..end))
                .any(|piece| strsim::osa_distance(piece, word) <= slips)
        })
}

/// Whether the last step of a path of element names is a secret: by its own name, or by one above.
pub(crate) fn is_secret_path<'n>(names: impl Iterator<Item = &'n str>) -> bool {
    let mut open = Vec::new();
    for name in names {
        enter(&mut open, name);
    }
    is_secret_place(&open)
}

/// An element that is open, and whether all in it is a secret.
struct Open<'t> {
    name: &'t str,
    secret: bool,
}

fn enter<'t>(open: &mut Vec<Open<'t>>, name: &'t str) {
    let secret = open.last().is_some_and(|last| last.secret) || is_secret_name(name);
    open.push(Open { name, secret });
}

/// Whether text in the innermost element is a secret. A `Value` is one also where its password is missing around it.
fn is_secret_place(open: &[Open<'_>]) -> bool {
    let Some((last, above)) = open.split_last() else {
        return false;
    };
    let alone = last.name == "Value" && above.last().is_none_or(|parent| parent.name != "MetaData");
    (last.secret || alone) && !is_plain(last.name)
}

/// Elements whose own text is a secret wherever they stand in a file whose tags do not go together.
const HOLDERS: [&str; 2] = ["Value", "Key"];

/// The places of all secret texts that are no placeholders and no public keys, in their order. Of a file that is not
/// well-formed also what may be one: which element a text belongs to is a guess there.
pub(crate) fn places(text: &str) -> Vec<Range<usize>> {
    let (mut found, torn) = by_path(text);
    if torn && roxmltree::Document::parse(text).is_err() {
        found.extend(near_names(text).filter(|piece| is_secret(text, piece)));
        found = joined(found);
    }
    found
}

/// Ranges in their order, those that overlap as one.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut whole: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match whole.last_mut().filter(|last| range.start < last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => whole.push(range),
        }
    }
    whole
}

/// Texts that follow a name of a secret, or stand before an end tag of that name.
fn near_names(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut before: Option<Range<usize>> = None;
    let mut at = 0;
    let spans = text.split('<').flat_map(move |piece| {
        let start = at;
        at += piece.len() + 1;
        let (head, body) = match piece.split_once('>') {
            Some((head, _)) => (head, start + head.len() + 1..start + piece.len()),
            None => (piece, start..start + piece.len()),
        };
        let text_before = before.replace(body.clone());
        let closes = head.strip_prefix('/').is_some_and(may_hold);
        let own = (may_hold(head) || piece.split('>').skip(1).any(may_hold)).then_some(body.clone());
        // The name itself is none of the secret, unless the bracket between them is gone.
        let own = own.map(|own| {
            if piece.contains('>') {
                own
            } else {
                own.start + name_end(piece)..own.end
            }
        });
        [text_before.filter(|_| closes), own]
    });
    spans.flatten().flat_map(|span| pieces(text, span).collect::<Vec<_>>())
}

fn may_hold(head: &str) -> bool {
    let lower = head.to_ascii_lowercase();
    let name = head.trim_start_matches('/').trim();
    WORDS.iter().any(|word| lower.contains(word)) || HOLDERS.iter().any(|holder| name.starts_with(holder))
}

/// How far the name of a secret goes in a piece without brackets.
fn name_end(piece: &str) -> usize {
    let lower = piece.to_ascii_lowercase();
    let words = WORDS.iter().filter_map(|word| Some(lower.find(word)? + word.len()));
    let holder = HOLDERS.iter().find(|holder| piece.starts_with(**holder));
    words.min().or(holder.map(|holder| holder.len())).unwrap_or(0)
}

/// The places by the elements that are open, and whether some tags do not go together.
fn by_path(text: &str) -> (Vec<Range<usize>>, bool) {
    let mut torn = false;
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let length = content(rest);
        if is_secret_place(&open) {
            found.extend(pieces(text, at..at + length).filter(|piece| is_secret(text, piece)));
        }
        at += length;
        let Some(tag) = text.get(at..).filter(|tag| !tag.is_empty()) else {
            break;
        };
        at += step(tag, &mut open, &mut torn);
    }
    (found, torn || !open.is_empty())
}

/// What stands in a range, without blanks around it. A comment's end in it is not touched: the file must stay one.
fn pieces(text: &str, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    const END: &str = "-->";
    let mut at = range.start;
    let whole = text.get(range).unwrap_or_default();
    whole.split(END).map(move |piece| {
        let (start, end) = trimmed(text, at..at + piece.len());
        at += piece.len() + END.len();
        start..end
    })
}

fn is_secret(text: &str, place: &Range<usize>) -> bool {
    let value = text.get(place.clone()).unwrap_or_default();
    !value.is_empty() && masked(value) != value && kms_owner(value).is_none() && !value.starts_with("/IMAGE/")
}

/// How long the text before the next tag is; `CDATA` is text.
fn content(rest: &str) -> usize {
    match rest.strip_prefix("<![CDATA[") {
        Some(inner) => inner.find("]]>").map_or(rest.len(), |end| end + 12),
        None => rest.find('<').unwrap_or(rest.len()),
    }
}

/// Goes over a tag and keeps account of what is open. Comments are gone into: somebody may have put a password there.
fn step<'t>(tag: &'t str, open: &mut Vec<Open<'t>>, torn: &mut bool) -> usize {
    if tag.starts_with("<!--") {
        return 4;
    }
    if tag.starts_with("<![CDATA[") {
        return 0;
    }
    let end = tag.find('>').map_or(tag.len(), |end| end + 1);
    let inner = tag.get(1..end).unwrap_or_default();
    let name = |inner: &'t str| {
        let name = inner.split(|c: char| c.is_whitespace() || "/>".contains(c)).next();
        name.and_then(|name| name.rsplit(':').next()).unwrap_or_default()
    };
    *torn |= inner.contains('<');
    if let Some(inner) = inner.strip_prefix('/') {
        let closed = name(inner);
        *torn |= open.last().is_none_or(|last| last.name != closed);
        if let Some(at) = open.iter().rposition(|one| one.name == closed) {
            open.truncate(at);
        }
    } else if !inner.ends_with("/>") && !inner.starts_with(['?', '!']) {
        enter(open, name(inner));
    }
    end.max(1)
}

fn trimmed(text: &str, range: Range<usize>) -> (usize, usize) {
    let value = text.get(range.clone()).unwrap_or_default();
    let start = range.start + (value.len() - value.trim_start().len());
    (start, start + value.trim().len())
}

/// The text with every secret veiled, and no byte longer or shorter: places in the text stay what they are.
pub fn veil(text: &str) -> String {
    let mut veiled = String::with_capacity(text.len());
    let mut at = 0;
    for place in places(text) {
        veiled.push_str(text.get(at..place.start).unwrap_or_default());
        veiled.extend(text.get(place.clone()).unwrap_or_default().chars().map(veiled_letter));
        at = place.end;
    }
    veiled.push_str(text.get(at..).unwrap_or_default());
    veiled
}

/// A mark of as many bytes.
fn veiled_letter(letter: char) -> char {
    match letter.len_utf8() {
        _ if letter.is_whitespace() => letter,
        1 => '*',
        2 => '\u{b7}',
        3 => '\u{2022}',
        _ => '\u{1f512}',
    }
}

/// The secrets of a file, for taking them out of what is said about it.
pub(crate) struct Hidden<'f>(Vec<&'f str>);

impl<'f> Hidden<'f> {
    pub(crate) fn of(file: &'f str) -> Self {
        let secrets = places(file).into_iter().filter_map(|place| file.get(place));
        // What is shorter stands in other words by chance.
        Self(secrets.filter(|secret| secret.len() > 3).collect())
    }

    /// A piece of the file without them.
    pub(crate) fn without_any(&self, text: &str) -> String {
        let start = text.to_owned();
        self.0.iter().fold(start, |text, secret| text.replace(secret, HIDDEN))
    }

    /// A message without them. Words of the language, such as the password `password`, are hidden where the text quotes
    /// the file, and stay where it speaks itself.
    pub(crate) fn without(&self, text: &str) -> String {
        let start = text.to_owned();
        self.0.iter().fold(start, |text, secret| {
            if is_word(secret) {
                hide_in_quotes(&text, secret)
            } else {
                text.replace(secret, HIDDEN)
            }
        })
    }
}

const HIDDEN: &str = "***";

/// The names of all settings, and whether they hold a secret.
static NAMES: LazyLock<HashMap<&'static str, bool>> = LazyLock::new(|| {
    let settings = catalogue().components().iter().flat_map(|component| component.all());
    settings
        .into_iter()
        .map(|setting| (setting.name, holds_word(setting.name)))
        .collect()
});

/// Whether a setting of some component has this name.
pub(crate) fn is_setting(name: &str) -> bool {
    NAMES.contains_key(name)
}

fn is_word(secret: &str) -> bool {
    secret.chars().all(|c| c.is_ascii_alphabetic())
}

/// Messages quote pieces of the file by backticks, the XML reader single names by apostrophes. The names of settings
/// are no secrets.
fn hide_in_quotes(text: &str, secret: &str) -> String {
    let text = text.replace(&format!("'{secret}'"), &format!("'{HIDDEN}'"));
    let hide = |(index, piece): (usize, &str)| {
        if index % 2 == 1 && !is_setting(piece) {
            piece.replace(secret, HIDDEN)
        } else {
            piece.to_owned()
        }
    };
    text.split('`').enumerate().map(hide).collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &str = "<a><Password><Value>geheim</Value><PlainText>true</PlainText></Password>\n<ApiKey> [x1] </ApiKey>\
                        <!-- <Secret>한글</Secret> --><ProductKey><Key><![CDATA[abc]]></Key></ProductKey><Credentials>\
                        <Username>u</Username><Password>${vault}</Password></Credentials></a>";

    #[test]
    fn a_comment_among_secrets_keeps_its_end() {
        let veiled = veil("<Password><!-- old: geheim1 --><Value>geheim2</Value></Password>");
        assert!(!veiled.contains("geheim"), "{veiled}");
        assert!(roxmltree::Document::parse(&veiled).is_ok(), "{veiled}");
    }

    #[test]
    fn a_secret_that_is_a_word_is_hidden_in_quotes_only() {
        let hidden = Hidden::of("<Password>Password</Password><Secret>vagrant</Secret>");
        let text = "the file's Password of `Password` is `Password!`, and 'vagrant' is not vagrant";
        assert_eq!(
            hidden.without(text),
            "the file's Password of `Password` is `***!`, and '***' is not vagrant"
        );
    }

    #[test]
    fn a_secret_whose_tags_are_torn_is_veiled() {
        let files = [
            "<a>Password><Value>geheim</Value></Password></a>",
            "<a><Value>geheim</Value></Password></a>",
            "<a><Passwordgeheim</Password></a>",
            "<a><Password>geheim/Password></a>",
            "<a>geheim</ApiKey></a>",
            "<a></Domain<Password>[geheim]</Password></a>",
        ];
        for file in files {
            let veiled = veil(file);
            assert!(!veiled.contains("geheim") && veiled.len() == file.len(), "{veiled}");
        }
        let file = "<a><Key>/IMAGE/INDEX</Key><Order>1</Ordr><Password/></a>";
        assert_eq!(veil(file), file);
    }

    #[test]
    fn a_misspelt_element_keeps_its_secret() {
        for name in [
            "Pasword",
            "Psasword",
            "AdminPasswor",
            "ProdcutKey",
            "Secrt",
            "Value",
            "ApiKe",
        ] {
            assert!(is_secret_path(["AutoLogon", name].into_iter()), "{name}");
        }
        for name in [
            "Path",
            "Passes",
            "Username",
            "PlainTxt",
            "SecureBoot",
            "ProductName",
            "Key",
        ] {
            assert!(!is_secret_path(["Item", name].into_iter()), "{name}");
        }
        assert!(!is_secret_path(["MetaData", "Value"].into_iter()));
    }

    #[test]
    fn secrets_are_veiled_in_place() {
        let veiled = veil(FILE);
        assert_eq!(veiled.len(), FILE.len());
        for gone in ["geheim", "x1", "한글", "abc"] {
            assert!(!veiled.contains(gone), "{veiled}");
        }
        for kept in ["<PlainText>true", "<Username>u<", "${vault}"] {
            assert!(veiled.contains(kept), "{veiled}");
        }
        assert_eq!(
            Hidden::of(FILE).without_any("<Value>geheim</Value>"),
            "<Value>***</Value>"
        );
        assert!(veil("<Password>torn").contains("****"));
        assert!(veil("<ProductKey>VDYBN-27WPP-V4HQT-9VMD4-VMK7H</ProductKey>").contains("VDYBN"));
    }

    proptest! {
        #[test]
        fn torn_files_keep_their_length(at in 0usize..300, length in 0usize..40, with in "[<>/!\\[\\]a-zP가]{0,8}") {
            let mut letters: Vec<char> = FILE.chars().collect();
            let from = at.min(letters.len());
            let to = (at + length).min(letters.len());
            letters.splice(from..to, with.chars());
            let text: String = letters.into_iter().collect();
            prop_assert_eq!(veil(&text).len(), text.len());
        }
    }
}
