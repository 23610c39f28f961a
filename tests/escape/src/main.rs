//! The escape battery: a sham host, every known way out of a sandbox tried for real inside one, and a judge who looks at the host only.
//! A test tool, not shipped.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test tool: what it cannot do it cannot judge, so it stops and says where")]

mod attempt;
mod attempts;
mod drive;
mod host;
mod inside;
mod outsider;
mod record;
mod result;
mod session;
mod sys;
mod table;
mod watch;

use std::process::ExitCode;

const USAGE: &str = "usage: escape list
       escape drive --label NAME --scratch DIR [--evidence DIR] [--program PATH] -- COMMAND…   (tries all; {workspace}, {home}, {scratch}
           and {program} are replaced; without a command: no sandbox)
       escape table FILE…                                                    (Markdown of what `drive` printed)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => {
            for (class, attempt) in attempt::all() {
                println!("{}: {class}", attempt.name);
            }
        }
        ["inside", scene] => inside::serve(scene),
        ["try", name, scene] => inside::attempt(name, scene),
        ["outsider", mark] => outsider::live(mark),
        ["linger", _] => outsider::linger(),
        ["memory"] => sys::gained("executed what has no name"),
        ["drive", ..] => return drive::drive(args.get(1..).unwrap_or_default()),
        ["table", ..] => return table::print(args.get(1..).unwrap_or_default()),
        _ => {
            println!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
