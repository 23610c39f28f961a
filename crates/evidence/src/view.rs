//! Joined telemetry.
