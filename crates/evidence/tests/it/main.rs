//! The log, its writer and its clients, against real files, sockets and processes.

#[cfg(test)]
mod append;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests of the verifier")]
mod sample;
