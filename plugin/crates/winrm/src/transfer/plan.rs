//! How a file is cut: chunks fill a Send, pieces are what a receiver answers for.

/// Sends a piece takes. More would mean fewer answers and longer repeats after a loss.
const SENDS: u64 = 11;
/// Room in a piece's first Send for the receiver's script and the frame's header.
const SLACK: u64 = 12 * 1024;

/// A contiguous part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

impl Piece {
    /// What is left after the first `count` bytes.
    pub(crate) fn after(self, count: u64) -> Self {
        let count = count.min(self.length);
        Self {
            offset: self.offset + count,
            length: self.length - count,
        }
    }
}

/// Cuts a file of `size` bytes for Sends that carry `chunk` bytes.
pub(crate) fn pieces(size: u64, chunk: usize) -> Vec<Piece> {
    let chunk = u64::try_from(chunk).unwrap_or(u64::MAX);
    let longest = chunk.saturating_mul(SENDS).saturating_sub(SLACK).max(1);
    let mut pieces = Vec::new();
    let mut offset = 0;
    while offset < size {
        let length = longest.min(size - offset);
        pieces.push(Piece { offset, length });
        offset += length;
    }
    pieces
}

/// How many receivers are worth their start.
pub(crate) fn lanes(pieces: usize, shells: usize) -> usize {
    pieces.min(shells).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ten_mebibytes_are_three_pieces() {
        let cut = pieces(10 << 20, 380_928);
        assert_eq!(cut.len(), 3);
        assert_eq!(lanes(cut.len(), 4), 3);
        assert_eq!(lanes(0, 4), 1);
    }

    proptest! {
        #[test]
        fn pieces_cover_the_file(size in 0_u64..100_000_000, chunk in 50_000_usize..400_000) {
            let mut at = 0;
            for piece in pieces(size, chunk) {
                prop_assert_eq!(piece.offset, at);
                prop_assert!(piece.length > 0);
                at += piece.length;
            }
            prop_assert_eq!(at, size);
        }
    }
}
