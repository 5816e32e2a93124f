//! The events of a build, their file, and the fold from events to state.
