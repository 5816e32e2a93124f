//! From a spec and facts to a plan, and the actions that carry the plan out.
