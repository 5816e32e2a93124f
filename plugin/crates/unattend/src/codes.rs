//! The rules, one page each.

use reseal_diag::CodePage;

/// The pages that `explain` prints.
pub const CODES: &[CodePage] = &[];
