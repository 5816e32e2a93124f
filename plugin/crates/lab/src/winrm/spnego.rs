//! The tokens of SPNEGO (RFC 4178) as far as a server that only speaks NTLM needs them.

use crate::winrm::bytes::Cursor;

const SPNEGO: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x02];
/// 1.3.6.1.4.1.311.2.2.10.
const NTLM: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a];

/// A client's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token<'a> {
    /// NTLM without wrapping.
    Raw(&'a [u8]),
    /// The first SPNEGO token.
    Init {
        /// The DER of the mechanism list: what `mechListMIC` signs.
        mechanisms: &'a [u8],
        /// Whether NTLM is first in the list, so that the token inside is for it.
        ntlm_first: bool,
        /// Whether NTLM is in the list at all.
        ntlm: bool,
        /// The mechanism's own token.
        token: Option<&'a [u8]>,
    },
    /// A later SPNEGO token.
    Response {
        /// The mechanism's own token.
        token: Option<&'a [u8]>,
        /// The signature over the mechanism list.
        mic: Option<&'a [u8]>,
    },
}

/// Reads whatever stands after `Negotiate`.
pub fn decode(bytes: &[u8]) -> Option<Token<'_>> {
    if bytes.starts_with(b"NTLMSSP\0") {
        return Some(Token::Raw(bytes));
    }
    let mut cursor = Cursor::new(bytes);
    let (tag, content) = element(&mut cursor)?;
    match tag {
        0x60 => {
            let mut inner = Cursor::new(content);
            let oid = expect(&mut inner, 0x06)?;
            (oid == SPNEGO).then(|| init(expect(&mut inner, 0xa0)?)).flatten()
        }
        0xa1 => response(content),
        _ => None,
    }
}

fn init(content: &[u8]) -> Option<Token<'_>> {
    let mut sequence = Cursor::new(expect(&mut Cursor::new(content), 0x30)?);
    let mechanisms = expect(&mut sequence, 0xa0)?;
    let mut list = Cursor::new(expect(&mut Cursor::new(mechanisms), 0x30)?);
    let mut oids = Vec::new();
    while !list.rest().is_empty() {
        oids.push(expect(&mut list, 0x06)?);
    }
    let mut token = None;
    while !sequence.rest().is_empty() {
        let (tag, value) = element(&mut sequence)?;
        if tag == 0xa2 {
            token = Some(expect(&mut Cursor::new(value), 0x04)?);
        }
    }
    Some(Token::Init {
        mechanisms,
        ntlm_first: oids.first() == Some(&NTLM),
        ntlm: oids.contains(&NTLM),
        token,
    })
}

fn response(content: &[u8]) -> Option<Token<'_>> {
    let mut sequence = Cursor::new(expect(&mut Cursor::new(content), 0x30)?);
    let (mut token, mut mic) = (None, None);
    while !sequence.rest().is_empty() {
        let (tag, value) = element(&mut sequence)?;
        match tag {
            0xa2 => token = Some(expect(&mut Cursor::new(value), 0x04)?),
            0xa3 => mic = Some(expect(&mut Cursor::new(value), 0x04)?),
            _ => {}
        }
    }
    Some(Token::Response { token, mic })
}

fn expect<'a>(cursor: &mut Cursor<'a>, tag: u8) -> Option<&'a [u8]> {
    let (found, content) = element(cursor)?;
    (found == tag).then_some(content)
}

/// One DER element: tag and content. Indefinite and over-long lengths are refused.
pub fn element<'a>(cursor: &mut Cursor<'a>) -> Option<(u8, &'a [u8])> {
    let tag = cursor.u8()?;
    let first = cursor.u8()?;
    let length = match first {
        0..=0x7f => usize::from(first),
        0x81..=0x84 => long_length(cursor.take(usize::from(first & 0x7f))?)?,
        _ => return None,
    };
    Some((tag, cursor.take(length)?))
}

fn long_length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.iter().try_fold(0_usize, |length, byte| {
        length.checked_mul(256)?.checked_add(usize::from(*byte))
    })?;
    (length > 0x7f && bytes.first() != Some(&0)).then_some(length)
}

/// How far the negotiation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Done, the client is in.
    Completed,
    /// Another token is needed.
    Incomplete,
    /// The client is not in.
    Rejected,
}

/// Writes a server's token.
pub fn encode_response(state: State, first: bool, token: Option<&[u8]>, mic: Option<&[u8]>) -> Vec<u8> {
    let number = match state {
        State::Completed => 0,
        State::Incomplete => 1,
        State::Rejected => 2,
    };
    let mut fields = der(0xa0, &der(0x0a, &[number]));
    if first {
        fields.extend(der(0xa1, &der(0x06, NTLM)));
    }
    if let Some(token) = token {
        fields.extend(der(0xa2, &der(0x04, token)));
    }
    if let Some(mic) = mic {
        fields.extend(der(0xa3, &der(0x04, mic)));
    }
    der(0xa1, &der(0x30, &fields))
}

/// One DER element.
pub fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    if let Ok(short @ 0..=0x7f) = u8::try_from(content.len()) {
        element.push(short);
    } else {
        let bytes = content.len().to_be_bytes();
        let significant: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
        element.push(0x80 | u8::try_from(significant.len()).unwrap_or(0));
        element.extend(significant);
    }
    element.extend_from_slice(content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_answer_reads_back() {
        let token = vec![7; 300];
        let bytes = encode_response(State::Incomplete, true, Some(&token), None);
        assert_eq!(
            decode(&bytes),
            Some(Token::Response {
                token: Some(&token),
                mic: None
            })
        );
    }
}
