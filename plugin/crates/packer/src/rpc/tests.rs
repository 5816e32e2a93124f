//! Calls over a pipe.
