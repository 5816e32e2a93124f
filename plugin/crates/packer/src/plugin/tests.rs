//! Arguments, descriptions, refusals.
