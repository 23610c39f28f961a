//! Makes system calls, each in a process of its own, and says what came of each: `calls FILE`, where each line of the file is a number and
//! six arguments. Prints for each line `returned NUMBER` or `ended STATUS`. For tests.
#![expect(unsafe_code, reason = "a call with any number and arguments, in a fork of its own")]

#[path = "../tests/it/bare.rs"]
mod bare;

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let file = std::env::args().nth(1).unwrap_or_default();
    let text = std::fs::read_to_string(file)?;
    let said = bare::shared()?;
    let mut out = String::new();
    for line in text.lines() {
        let mut numbers = [0_u64; 7];
        for (to, from) in numbers.iter_mut().zip(line.split(' ')) {
            *to = from.parse().map_err(io::Error::other)?;
        }
        out.push_str(&bare::attempt(said, numbers, || {})?);
        out.push('\n');
    }
    io::stdout().write_all(out.as_bytes())
}
