//! The catalogue of things done inside Windows: script, typed options, how to read the answer.
