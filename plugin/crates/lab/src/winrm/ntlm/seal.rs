//! Signing and sealing with extended session security (MS-NLMP section 3.4.4.2).

use super::keys::{Key, Way, hmac_md5};
use super::rc4::Rc4;

/// Version (4 bytes), checksum (8), sequence number (4).
pub const SIGNATURE_LENGTH: usize = 16;

#[derive(Debug, Clone)]
struct Direction {
    sign: Key,
    seal: Key,
    stream: Rc4,
    sequence: u32,
    exchange: bool,
}

impl Direction {
    fn new(way: Way, exported: &Key, exchange: bool) -> Self {
        let seal = way.seal_key(exported);
        Self {
            sign: way.sign_key(exported),
            seal,
            stream: Rc4::new(&seal),
            sequence: 0,
            exchange,
        }
    }

    fn signature(&mut self, plain: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        let sequence = self.sequence.to_le_bytes();
        let [c0, c1, c2, c3, c4, c5, c6, c7, ..] = hmac_md5(&self.sign, &[&sequence, plain]);
        let mut checksum = [c0, c1, c2, c3, c4, c5, c6, c7];
        if self.exchange {
            self.stream.apply(&mut checksum);
        }
        self.sequence = self.sequence.wrapping_add(1);
        let mut signature = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for (to, from) in signature.iter_mut().skip(4).zip(checksum.iter().chain(&sequence)) {
            *to = *from;
        }
        signature
    }

    fn restart(&mut self) {
        self.stream = Rc4::new(&self.seal);
    }
}

/// The sealing state of one authenticated connection, seen from the server.
#[derive(Debug, Clone)]
pub struct Session {
    incoming: Direction,
    outgoing: Direction,
}

impl Session {
    /// Derives the four keys. `exchange` says whether `KEY_EXCH` was agreed: then checksums are encrypted too.
    pub fn new(exported: &Key, exchange: bool) -> Self {
        Self {
            incoming: Direction::new(Way::ToServer, exported, exchange),
            outgoing: Direction::new(Way::ToClient, exported, exchange),
        }
    }

    /// Decrypts a client's message; `None` when the signature is not that of the next message in order.
    pub fn unseal(&mut self, signature: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let plain = self.incoming.stream.applied(sealed);
        (self.incoming.signature(&plain) == signature).then_some(plain)
    }

    /// Encrypts an answer: signature and data.
    pub fn seal(&mut self, plain: &[u8]) -> ([u8; SIGNATURE_LENGTH], Vec<u8>) {
        let sealed = self.outgoing.stream.applied(plain);
        (self.outgoing.signature(plain), sealed)
    }

    /// Checks a client's signature over clear data (the `mechListMIC` of SPNEGO).
    pub fn verify(&mut self, signature: &[u8], plain: &[u8]) -> bool {
        self.incoming.signature(plain) == signature
    }

    /// Signs clear data.
    pub fn sign(&mut self, plain: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        self.outgoing.signature(plain)
    }

    /// SPNEGO begins both key streams again after its own two signatures; the sequence numbers go on (MS-SPNG 3.3.5.1).
    pub fn restart(&mut self) {
        self.incoming.restart();
        self.outgoing.restart();
    }
}
