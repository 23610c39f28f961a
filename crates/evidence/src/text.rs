//! Human-readable rendering.
