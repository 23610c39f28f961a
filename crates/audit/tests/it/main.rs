//! The verifier, against logs that the writer wrote and logs that a forger wrote.
#![expect(clippy::print_stdout, reason = "a test says why it skips, and a measurement what it found")]

#[cfg(test)]
mod anchors;
#[cfg(test)]
mod budget;
#[cfg(test)]
mod command;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod forgeries;
#[cfg(test)]
mod meaning;
#[cfg(test)]
mod python;
#[cfg(test)]
#[expect(dead_code, reason = "the writer's part of it is for the writer's tests")]
#[path = "../../../evidence/tests/it/sample.rs"]
mod sample;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tampering;
#[cfg(test)]
mod vector;
