//! Prints the body of `docs/reference/policy.md`: `cargo run -p policy --example reference > docs/reference/policy.md`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(policy::reference().as_bytes())
}
