//! Results in plain words.

use crate::{
    Report,
    verification::{KeySource, Listed, Meaning, Proven, Standing, Tail, Verification},
};
use std::fmt::{self, Display, Write};

/// Entries of a list that are printed; JSON has more.
const SHOWN_MAX: usize = 10;

/// One log's result for people: what holds, what does not, and what that means. Ends with a line feed.
pub fn render(verification: &Verification) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ok = write_verification(&mut out, verification);
    out
}

/// The results of several logs, and the total if there are more than one.
pub fn render_report(report: &Report) -> String {
    let mut out: String = report.logs.iter().map(render).collect();
    for log in &report.unreadable {
        let _ok = writeln!(out, "{}: COULD NOT BE READ: {}.", log.log.display(), log.reason);
    }
    if report.logs.len() + report.unreadable.len() > 1 {
        let unreadable = report.unreadable.len();
        let _ok = writeln!(out, "Total: {} verified, {} not verified, {unreadable} unreadable.", report.verified, report.not_verified);
    }
    out
}

fn write_verification(out: &mut String, verification: &Verification) -> fmt::Result {
    let verdict = match verification.standing {
        Standing::Verified => "verified",
        Standing::UnsealedTail => "NOT VERIFIED to its end: the last records are not sealed",
        Standing::Broken => "NOT VERIFIED: a record does not hold",
        Standing::Empty => "NOT VERIFIED: the log is empty and proves nothing; a session that could not start, or a log that was emptied",
    };
    writeln!(out, "{}: {verdict}.", verification.log.display())?;
    if verification.standing == Standing::Empty {
        return Ok(());
    }
    if let Some(bad) = &verification.first_bad {
        writeln!(out, "  First bad record: index {}, line {}, byte {}: {}.", bad.index, bad.line, bad.offset, bad.reason)?;
        writeln!(out, "  Nothing from there on was looked at.")?;
    }
    write_proven(out, verification.proven.as_ref())?;
    if let Some(Tail { records, bytes, ends_within_line }) = verification.unsealed {
        let unfinished = if ends_within_line { ", the last line unfinished" } else { "" };
        writeln!(out, "  After the last seal: {} ({bytes} bytes{unfinished}), never confirmed as durable.", count(records, "record"))?;
    }
    let (key, id) = (&verification.key, &verification.key.id);
    match key.source {
        KeySource::Given => writeln!(out, "  Seals checked with the key given, {id}.")?,
        KeySource::BesideLog => {
            writeln!(out, "  Key {id} came from beside the log, so this proves only that the log is consistent in itself:")?;
            writeln!(out, "  whoever wrote it anew would have put a key of their own there. Give the keeper's key with --key.")?;
        }
    }
    write_meaning(out, &verification.meaning)
}

fn write_proven(out: &mut String, proven: Option<&Proven>) -> fmt::Result {
    let Some(Proven { records, last_index, last_hash, first_time, last_time, .. }) = proven else {
        return writeln!(out, "  Nothing stands proven.");
    };
    writeln!(out, "  Proven: {}, {first_time} to {last_time}.", count(*records, "record"))?;
    writeln!(out, "  Head (note it elsewhere; a later cut shows with --head): {last_index}:{last_hash}")
}

fn write_meaning(out: &mut String, meaning: &Meaning) -> fmt::Result {
    writeln!(
        out,
        "  {}; {} authorised, {} completed, {} refused.",
        count(meaning.sessions, "session"),
        count(meaning.calls_authorised, "call"),
        meaning.calls_completed,
        meaning.calls_refused
    )?;
    if meaning.sessions_kept_by_user > 0 {
        let sessions = count(meaning.sessions_kept_by_user, "session");
        writeln!(out, "  {sessions} kept by the user's own processes: the user could have altered it before it was sealed.")?;
    }
    write_list(out, &meaning.calls_unknown, "call", "without an outcome: whether it was sent is UNKNOWN", |call| {
        format!("{} of {}, record {}", call.request_id, call.session_id, call.index)
    })?;
    write_list(out, &meaning.sessions_without_end, "session", "without an end", ToString::to_string)?;
    if meaning.events_after_end > 0 {
        writeln!(out, "  {} of a session after its end.", count(meaning.events_after_end, "event"))?;
    }
    write_list(out, &meaning.recoveries, "time", "the log was opened again after a crash and an unsealed tail was cut off", |bytes| {
        format!("{bytes} bytes")
    })?;
    write_list(out, &meaning.times_backwards, "time", "the clock went backwards", |index| format!("at record {index}"))
}

fn write_list<T>(out: &mut String, list: &Listed<T>, noun: &str, what: &str, show: impl Fn(&T) -> String) -> fmt::Result {
    if list.total == 0 {
        return Ok(());
    }
    writeln!(out, "  {} {what}:", count(list.total, noun))?;
    for item in list.first.iter().take(SHOWN_MAX) {
        writeln!(out, "    {}", show(item))?;
    }
    let more = list.total.saturating_sub(SHOWN_MAX as u64);
    if more > 0 { writeln!(out, "    and {more} more") } else { Ok(()) }
}

fn count(number: u64, noun: &str) -> impl Display {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
