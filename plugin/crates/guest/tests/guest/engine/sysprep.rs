//! The sysprep wrapper.
