//! Bytes to values, from a peer that may lie about every length.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Text, Value};

/// How much one message may take. All of them are far above what Packer sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of one message.
    pub(crate) bytes: usize,
    /// Values in one message, nested ones included.
    pub(crate) values: u64,
    /// Lists and maps within each other.
    pub(crate) depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            values: 1 << 20,
            depth: 64,
        }
    }
}

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
pub enum MsgpackError {
    /// A marker that MessagePack does not use.
    #[error("0x{0:02x} begins no MessagePack value")]
    Marker(u8),
    /// The message is larger than the limits.
    #[error("a message has more than {0}")]
    TooLarge(&'static str),
    /// The stream ended within a message.
    #[error("the stream ended within a message")]
    Truncated,
    /// The stream broke.
    #[error("the stream broke")]
    Io(#[from] std::io::Error),
}

/// What a marker announces.
enum Head {
    /// A whole value.
    Value(Value),
    Str(usize),
    Bin(usize),
    Ext(usize),
    List(u64),
    Map(u64),
}

/// Reads the marker and what belongs to it; `None` if there are too few bytes.
fn head(bytes: &mut &[u8]) -> Result<Option<Head>, MsgpackError> {
    let mut rest = *bytes;
    let parsed = head_of(&mut rest)?;
    if parsed.is_some() {
        *bytes = rest;
    }
    Ok(parsed)
}

fn head_of(rest: &mut &[u8]) -> Result<Option<Head>, MsgpackError> {
    let Some(marker) = number::<1>(rest) else {
        return Ok(None);
    };
    let [marker] = marker;
    let low = |mask: u8| usize::from(marker & mask);
    Ok(Some(match marker {
        0x00..=0x7f => Head::Value(Value::Int(i64::from(marker))),
        0xe0..=0xff => Head::Value(Value::Int(i64::from(i8::from_be_bytes([marker])))),
        0x80..=0x8f => Head::Map(u64::from(marker & 0x0f)),
        0x90..=0x9f => Head::List(u64::from(marker & 0x0f)),
        0xa0..=0xbf => Head::Str(low(0x1f)),
        0xc0 => Head::Value(Value::Nil),
        0xc2 | 0xc3 => Head::Value(Value::Bool(marker == 0xc3)),
        0xca..=0xd3 => return Ok(scalar(marker, rest).map(Head::Value)),
        0xd4..=0xd8 => Head::Ext((1_usize << (marker - 0xd4)) + 1),
        0xc4..=0xc9 | 0xd9..=0xdf => return Ok(sized(marker, rest)),
        0xc1 => return Err(MsgpackError::Marker(marker)),
    }))
}

fn scalar(marker: u8, rest: &mut &[u8]) -> Option<Value> {
    Some(match marker {
        0xca => Value::Float(f64::from(f32::from_be_bytes(number(rest)?))),
        0xcb => Value::Float(f64::from_be_bytes(number(rest)?)),
        0xcc => Value::Uint(u64::from(u8::from_be_bytes(number(rest)?))),
        0xcd => Value::Uint(u64::from(u16::from_be_bytes(number(rest)?))),
        0xce => Value::Uint(u64::from(u32::from_be_bytes(number(rest)?))),
        0xcf => Value::Uint(u64::from_be_bytes(number(rest)?)),
        0xd0 => Value::Int(i64::from(i8::from_be_bytes(number(rest)?))),
        0xd1 => Value::Int(i64::from(i16::from_be_bytes(number(rest)?))),
        0xd2 => Value::Int(i64::from(i32::from_be_bytes(number(rest)?))),
        _ => Value::Int(i64::from_be_bytes(number(rest)?)),
    })
}

fn sized(marker: u8, rest: &mut &[u8]) -> Option<Head> {
    let count = match marker {
        0xc4 | 0xc7 | 0xd9 => u32::from(u8::from_be_bytes(number(rest)?)),
        0xc5 | 0xc8 | 0xda | 0xdc | 0xde => u32::from(u16::from_be_bytes(number(rest)?)),
        _ => u32::from_be_bytes(number(rest)?),
    };
    let length = usize::try_from(count).unwrap_or(usize::MAX);
    Some(match marker {
        0xc4..=0xc6 => Head::Bin(length),
        0xc7..=0xc9 => Head::Ext(length.saturating_add(1)),
        0xd9..=0xdb => Head::Str(length),
        0xdc | 0xdd => Head::List(u64::from(count)),
        _ => Head::Map(u64::from(count)),
    })
}

fn number<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}

/// Finds the end of a message without keeping any of it. A counter is enough: every value that is read is one less to
/// come, every list and map brings more.
struct Scanner {
    limits: Limits,
    /// How many bytes have been looked at; a string's may lie beyond what has arrived.
    at: usize,
    /// Values that must still come.
    due: u64,
    /// Values promised so far.
    promised: u64,
}

impl Scanner {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            at: 0,
            due: 1,
            promised: 1,
        }
    }

    /// The message's length once `bytes`, which begin with it, hold all of it.
    fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, MsgpackError> {
        while self.due > 0 {
            let Some(mut rest) = bytes.get(self.at..).filter(|rest| !rest.is_empty()) else {
                return Ok(None);
            };
            let before = rest.len();
            let Some(head) = head(&mut rest)? else { return Ok(None) };
            self.at += before - rest.len();
            self.due -= 1;
            match head {
                Head::Value(_) => {}
                Head::Str(length) | Head::Bin(length) | Head::Ext(length) => self.at = self.at.saturating_add(length),
                Head::List(count) => self.promise(count)?,
                Head::Map(count) => self.promise(count * 2)?,
            }
            if self.at > self.limits.bytes {
                return Err(MsgpackError::TooLarge("the bytes that a message may have"));
            }
        }
        Ok((bytes.len() >= self.at).then_some(self.at))
    }

    fn promise(&mut self, count: u64) -> Result<(), MsgpackError> {
        self.due = self.due.saturating_add(count);
        self.promised = self.promised.saturating_add(count);
        if self.promised > self.limits.values {
            return Err(MsgpackError::TooLarge("the values that a message may have"));
        }
        Ok(())
    }
}

/// Reads one message that fills `bytes`.
#[cfg(test)]
pub(crate) fn parse(mut bytes: &[u8], limits: Limits) -> Result<Value, MsgpackError> {
    let mut scanner = Scanner::new(limits);
    match scanner.scan(bytes)? {
        None => Err(MsgpackError::Truncated),
        Some(_) => value(&mut bytes, limits.depth),
    }
}

/// Reads a value from bytes that the scanner found complete, so no count can be a lie any more.
fn value(bytes: &mut &[u8], depth: u32) -> Result<Value, MsgpackError> {
    Ok(match head(bytes)?.ok_or(MsgpackError::Truncated)? {
        Head::Value(value) => value,
        Head::Str(length) => Value::Str(Text::from_bytes(take(bytes, length)?)),
        Head::Bin(length) => Value::Bin(take(bytes, length)?.to_vec()),
        Head::Ext(length) => {
            let (kind, body) = take(bytes, length)?.split_first().ok_or(MsgpackError::Truncated)?;
            Value::Ext(i8::from_be_bytes([*kind]), body.to_vec())
        }
        Head::List(count) => {
            let depth = deeper(depth)?;
            Value::List((0..count).map(|_| value(bytes, depth)).collect::<Result<_, _>>()?)
        }
        Head::Map(count) => {
            let depth = deeper(depth)?;
            let mut entry = || Ok::<_, MsgpackError>((value(bytes, depth)?, value(bytes, depth)?));
            Value::Map((0..count).map(|_| entry()).collect::<Result<_, _>>()?)
        }
    })
}

fn deeper(depth: u32) -> Result<u32, MsgpackError> {
    depth
        .checked_sub(1)
        .ok_or(MsgpackError::TooLarge("the levels that a message may have"))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], MsgpackError> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(MsgpackError::Truncated)?;
    *bytes = rest;
    Ok(taken)
}

/// Reads messages one after another from a stream that cuts them anywhere.
pub(crate) struct MessageReader<R> {
    stream: R,
    buffer: BytesMut,
    limits: Limits,
}

impl<R: AsyncRead + Unpin> MessageReader<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            limits: Limits::default(),
        }
    }

    /// The next message; `None` where the stream ends between two.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>, MsgpackError> {
        let mut scanner = Scanner::new(self.limits);
        loop {
            if let Some(length) = scanner.scan(&self.buffer)? {
                let message = value(&mut self.buffer.get(..length).unwrap_or_default(), self.limits.depth);
                self.buffer.advance(length);
                return message.map(Some);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(MsgpackError::Truncated)
                };
            }
        }
    }
}
