//! Sessions against each other, and against nonsense.
