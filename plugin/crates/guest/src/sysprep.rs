//! Reads sysprep's logs.
