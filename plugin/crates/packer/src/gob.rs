//! As much of Go's `encoding/gob` as the older protocol generation wants: specs, values, exit statuses.
//!
//! Go defines a type in the middle of the value that first uses it. Readers do not insist, so all definitions come first
//! here, then one value.

mod finished;
mod spec;
mod value;

pub(crate) use finished::CommandFinished;
pub(crate) use spec::{config_spec, type_stream};
pub(crate) use value::cty_value;

/// Go's built-in types.
pub(crate) mod basic {
    /// `bool`
    pub(crate) const BOOL: i64 = 1;
    /// `int`
    pub(crate) const INT: i64 = 2;
    /// `uint`
    pub(crate) const UINT: i64 = 3;
    /// `string`
    pub(crate) const STRING: i64 = 6;
    /// `interface{}`
    pub(crate) const INTERFACE: i64 = 8;
}

/// Bytes of a gob under construction.
#[derive(Default)]
pub(crate) struct Gob(Vec<u8>);

impl Gob {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Small numbers are a byte; larger ones are the negated count of their bytes, and the bytes.
    pub(crate) fn uint(mut self, number: u64) -> Self {
        match u8::try_from(number) {
            Ok(small) if small < 0x80 => self.0.push(small),
            _ => {
                let bytes = number.to_be_bytes();
                let start = bytes.iter().take_while(|byte| **byte == 0).count();
                let count = u8::try_from(bytes.len() - start).unwrap_or(8);
                self.0.push(0_u8.wrapping_sub(count));
                self.0.extend(bytes.get(start..).unwrap_or_default());
            }
        }
        self
    }

    /// Signed numbers carry the sign in the lowest bit.
    pub(crate) fn int(self, number: i64) -> Self {
        let magnitude = if number < 0 { !number } else { number };
        let shifted = u64::try_from(magnitude).unwrap_or_default() << 1;
        self.uint(shifted | u64::from(number < 0))
    }

    pub(crate) fn length(self, length: usize) -> Self {
        self.uint(u64::try_from(length).unwrap_or(u64::MAX))
    }

    /// A length and bytes: strings, byte slices, messages, whatever encodes itself.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        self.length(bytes.len()).raw(bytes)
    }

    pub(crate) fn string(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// A message: a definition or the value.
    pub(crate) fn message(self, content: Self) -> Self {
        self.bytes(&content.into_bytes())
    }

    /// A value in an interface: its type's name and number, its length, itself. `body` begins with a zero byte unless
    /// the type is a structure.
    pub(crate) fn interface(self, name: &str, id: i64, body: Self) -> Self {
        self.string(name).int(id).bytes(&body.into_bytes())
    }

    /// A structure with named fields: definition `id`.
    pub(crate) fn define_struct(self, id: i64, name: &str, fields: &[(&str, i64)]) -> Self {
        let list = fields.iter().fold(Self::default(), |list, (name, kind)| {
            list.uint(1).string(name).uint(1).int(*kind).uint(0)
        });
        let body = Self::default().int(-id).uint(3).raw(&common(id, name).into_bytes());
        let body = if fields.is_empty() {
            body
        } else {
            body.uint(1).length(fields.len()).raw(&list.into_bytes())
        };
        self.message(body.uint(0).uint(0))
    }

    /// A map: definition `id`.
    pub(crate) fn define_map(self, id: i64, name: &str, key: i64, element: i64) -> Self {
        let body = Self::default().int(-id).uint(4).raw(&common(id, name).into_bytes());
        self.message(body.uint(1).int(key).uint(1).int(element).uint(0).uint(0))
    }

    /// A slice: definition `id`.
    pub(crate) fn define_slice(self, id: i64, element: i64) -> Self {
        let body = Self::default().int(-id).uint(2).raw(&common(id, "").into_bytes());
        self.message(body.uint(1).int(element).uint(0).uint(0))
    }

    /// A type that encodes itself: definition `id`.
    pub(crate) fn define_encoder(self, id: i64, name: &str) -> Self {
        let body = Self::default().int(-id).uint(5).raw(&common(id, name).into_bytes());
        self.message(body.uint(0).uint(0))
    }
}

/// The name and number that every definition has, as its first field.
fn common(id: i64, name: &str) -> Gob {
    let gob = Gob::default().uint(1);
    let gob = if name.is_empty() {
        gob.uint(2)
    } else {
        gob.uint(1).string(name).uint(1)
    };
    gob.int(id).uint(0)
}

#[cfg(test)]
mod tests;
