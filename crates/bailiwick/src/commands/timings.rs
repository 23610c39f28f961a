use crate::exit::{Failure, UNREADABLE};
use endpoint::{Timeline, Timelines};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;

/// Writes when the steps of a session were done: for each process its name, when its first step began, and each step with the time at
/// which it was done, in nanoseconds of the monotonic clock.
pub(super) fn write(mut file: File, timelines: &Timelines) -> Result<(), Failure> {
    let Timelines { supervisor, warden } = timelines;
    let text = json!([process("supervisor", supervisor), process("warden", warden)]).to_string();
    let written = file.write_all((text + "\n").as_bytes());
    written.map_err(|error| Failure::new(UNREADABLE, format_args!("cannot write the session's timings: {error}")))
}

fn process(name: &str, timeline: &Timeline) -> Value {
    let steps: Vec<Value> = timeline.steps.iter().map(|(step, done_ns)| json!({ "step": step, "done_ns": done_ns })).collect();
    json!({ "process": name, "began_ns": timeline.began_ns, "steps": steps })
}
