//! Runs a list of reversible actions with a journal, and unwinds it.
