//! Opens and closes a file many times and prints what one open costs, in microseconds. Run it as it is and as the program of a session:
//! `session observe allow=rlimits pipe ro=FOLDER -- FOLDER/opens`.

use std::io::Write;

const COUNT: u32 = 20_000;

fn main() {
    let present = cost("/etc/passwd");
    let missing = cost("/usr/lib/nonesuch");
    let _gone = writeln!(std::io::stdout(), "open {present:.1} us, refused open {missing:.1} us ({COUNT} each)");
}

fn cost(path: &str) -> f64 {
    let start = std::time::Instant::now();
    for _ in 0..COUNT {
        drop(std::fs::File::open(path));
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(COUNT)
}
