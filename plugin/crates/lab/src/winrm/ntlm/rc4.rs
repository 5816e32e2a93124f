//! RC4: forty years old and still what seals a WinRM message.

/// The state of one key stream.
#[derive(Clone)]
pub struct Rc4 {
    state: [u8; 256],
    i: u8,
    j: u8,
}

impl std::fmt::Debug for Rc4 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rc4")
    }
}

impl Rc4 {
    /// Schedules `key`; an empty key gives the stream of one zero byte.
    pub fn new(key: &[u8]) -> Self {
        let mut state = std::array::from_fn(|index| u8::try_from(index).unwrap_or(0));
        let key = if key.is_empty() { &[0][..] } else { key };
        let mut j = 0_u8;
        for (i, byte) in (0..=255_u8).zip(key.iter().cycle()) {
            j = j.wrapping_add(state[usize::from(i)]).wrapping_add(*byte);
            state.swap(usize::from(i), usize::from(j));
        }
        Self { state, i: 0, j: 0 }
    }

    /// Encrypts or decrypts in place.
    pub fn apply(&mut self, data: &mut [u8]) {
        for byte in data {
            self.i = self.i.wrapping_add(1);
            let a = self.state[usize::from(self.i)];
            self.j = self.j.wrapping_add(a);
            let b = self.state[usize::from(self.j)];
            self.state[usize::from(self.i)] = b;
            self.state[usize::from(self.j)] = a;
            *byte ^= self.state[usize::from(a.wrapping_add(b))];
        }
    }

    /// Encrypts or decrypts a copy.
    pub fn applied(&mut self, data: &[u8]) -> Vec<u8> {
        let mut copy = data.to_vec();
        self.apply(&mut copy);
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_stream() {
        assert_eq!(
            hex::encode(Rc4::new(b"Key").applied(b"Plaintext")),
            "bbf316e8d940af0ad3"
        );
        assert_eq!(hex::encode(Rc4::new(b"Wiki").applied(b"pedia")), "1021bf0420");
    }
}
