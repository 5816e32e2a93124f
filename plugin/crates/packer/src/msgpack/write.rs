//! Values to bytes, in the formats that Go's codec chooses.

use super::Value;

impl Value {
    /// The bytes of this value.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// Appends the bytes of this value.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Nil => out.push(0xc0),
            Self::Bool(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
            Self::Int(number) => int(out, *number),
            Self::Uint(number) => uint(out, *number),
            Self::Float(number) => {
                out.push(0xcb);
                out.extend(number.to_be_bytes());
            }
            Self::Str(text) => {
                length(
                    out,
                    text.as_bytes().len(),
                    Some((0xa0, 31)),
                    [Some(0xd9), Some(0xda), Some(0xdb)],
                );
                out.extend(text.as_bytes());
            }
            Self::Bin(bytes) => {
                length(out, bytes.len(), None, [Some(0xc4), Some(0xc5), Some(0xc6)]);
                out.extend(bytes);
            }
            Self::List(items) => {
                length(out, items.len(), Some((0x90, 15)), [None, Some(0xdc), Some(0xdd)]);
                for item in items {
                    item.write(out);
                }
            }
            Self::Map(entries) => map(out, entries),
            Self::Ext(kind, bytes) => ext(out, *kind, bytes),
        }
    }
}

fn map(out: &mut Vec<u8>, entries: &[(Value, Value)]) {
    length(out, entries.len(), Some((0x80, 15)), [None, Some(0xde), Some(0xdf)]);
    for (key, value) in entries {
        key.write(out);
        value.write(out);
    }
}

/// Writes the shortest of: a marker that holds the length, or a marker and 8, 16 or 32 bits of length.
fn length(out: &mut Vec<u8>, length: usize, fixed: Option<(u8, u8)>, markers: [Option<u8>; 3]) {
    let [eight, sixteen, thirty_two] = markers;
    let small = u8::try_from(length);
    if let (Some((base, most)), Ok(small)) = (fixed, small)
        && small <= most
    {
        out.push(base | small);
    } else if let (Some(marker), Ok(small)) = (eight, small) {
        out.extend([marker, small]);
    } else if let (Some(marker), Ok(length)) = (sixteen, u16::try_from(length)) {
        out.push(marker);
        out.extend(length.to_be_bytes());
    } else if let Some(marker) = thirty_two {
        out.push(marker);
        // More than 4 GiB never gets here: everything sent is far below the limits for what is received.
        out.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
}

/// As Go writes `int` and `int64`: never in an unsigned format, so that it reads them back as signed.
fn int(out: &mut Vec<u8>, number: i64) {
    if let Ok(small) = i8::try_from(number) {
        if small < -32 {
            out.push(0xd0);
        }
        out.extend(small.to_be_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        out.push(0xd1);
        out.extend(number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        out.push(0xd2);
        out.extend(number.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend(number.to_be_bytes());
    }
}

fn uint(out: &mut Vec<u8>, number: u64) {
    if let Ok(small) = u8::try_from(number) {
        if small > 0x7f {
            out.push(0xcc);
        }
        out.push(small);
    } else if let Ok(number) = u16::try_from(number) {
        out.push(0xcd);
        out.extend(number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        out.push(0xce);
        out.extend(number.to_be_bytes());
    } else {
        out.push(0xcf);
        out.extend(number.to_be_bytes());
    }
}

fn ext(out: &mut Vec<u8>, kind: i8, bytes: &[u8]) {
    match bytes.len() {
        1 => out.push(0xd4),
        2 => out.push(0xd5),
        4 => out.push(0xd6),
        8 => out.push(0xd7),
        16 => out.push(0xd8),
        other => length(out, other, None, [Some(0xc7), Some(0xc8), Some(0xc9)]),
    }
    out.extend(kind.to_be_bytes());
    out.extend(bytes);
}
