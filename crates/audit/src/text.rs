//! Results in plain words.

use crate::{
    Report,
    verification::{BadRecord, KeySource, Listed, Meaning, Proven, Standing, Tail, Verification, Witnessed},
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
        Standing::Unwitnessed => "NOT VERIFIED to its end: the last entries are UNWITNESSED",
        Standing::UnconfirmedTail => "NOT VERIFIED to its end: no checkpoint covers the last entries",
        Standing::Broken => "NOT VERIFIED: something does not hold",
        Standing::Empty => "NOT VERIFIED: the log is empty and proves nothing; a session that could not start, or a log that was emptied",
    };
    writeln!(out, "{}: {verdict}.", verification.log.display())?;
    if verification.standing == Standing::Empty {
        return Ok(());
    }
    if let Some(bad) = &verification.first_bad {
        write_bad(out, bad)?;
    }
    write_proven(out, verification.proven.as_ref())?;
    if let Some(Tail { entries, bytes, ends_within_line }) = verification.unconfirmed {
        let unfinished = if ends_within_line { ", the last line unfinished" } else { "" };
        let entries = entry_count(entries);
        writeln!(out, "  After the last checkpoint: {entries} ({bytes} bytes{unfinished}), never confirmed as durable.")?;
    }
    if let Some(witnessed) = &verification.witnessed {
        write_witnessed(out, witnessed)?;
    }
    let key = &verification.key;
    match key.source {
        KeySource::Given => writeln!(out, "  Checkpoints checked with the key given, {}.", key.public_key)?,
        KeySource::BesideLog => {
            writeln!(out, "  Key {} came from beside the log, so this proves only that the log is", key.public_key)?;
            writeln!(out, "  consistent in itself: whoever wrote it anew would have put a key of their own there. Give the keeper's key")?;
            writeln!(out, "  with --key.")?;
        }
    }
    write_meaning(out, &verification.meaning)
}

fn write_bad(out: &mut String, bad: &BadRecord) -> fmt::Result {
    let BadRecord { index, entries, file, reason, .. } = bad;
    let whose = match entries {
        0 => "no entry of its own".to_owned(),
        1 => format!("entry {index}"),
        _ => format!("entries {index} to {}", index.saturating_add(entries - 1)),
    };
    let place = match (bad.line, bad.offset) {
        (Some(line), Some(offset)) => format!(", line {line}, byte {offset}"),
        _ => String::new(),
    };
    writeln!(out, "  First thing bad: {whose}, in {file}{place}: {reason}.")?;
    if bad.could_be_torn {
        writeln!(
            out,
            "  A crash could have left it so: then it was never confirmed to anyone, or is derived anew when the log is next opened."
        )?;
    }
    writeln!(out, "  Nothing from there on was looked at.")
}

fn write_proven(out: &mut String, proven: Option<&Proven>) -> fmt::Result {
    let Some(Proven { entries, root, first_time, last_time, .. }) = proven else {
        return writeln!(out, "  Nothing stands proven.");
    };
    writeln!(out, "  Proven: {}, {first_time} to {last_time}, root {root}.", entry_count(*entries))?;
    writeln!(
        out,
        "  Keep its checkpoint elsewhere (the log's file `checkpoint` or `proven.checkpoint` of --json); with --checkpoint a later"
    )?;
    writeln!(out, "  cut or another history shows.")
}

fn write_witnessed(out: &mut String, witnessed: &Witnessed) -> fmt::Result {
    let Witnessed { quorum, entries, unwitnessed, witnesses, time } = witnessed;
    let entries = entry_count(*entries);
    match time {
        Some(time) => writeln!(out, "  Witnessed: {entries}, at {time}, by {} ({quorum} are asked for).", witnesses.join(", "))?,
        None => writeln!(out, "  Witnessed: nothing ({quorum} witnesses are asked for).")?,
    }
    if *unwitnessed > 0 {
        writeln!(out, "  UNWITNESSED: the last {}; whoever stole the log's key could have written them anew.", entry_count(*unwitnessed))?;
    }
    Ok(())
}

fn entry_count(number: u64) -> impl Display {
    format!("{number} {}", if number == 1 { "entry" } else { "entries" })
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
        writeln!(out, "  {sessions} kept by the user's own processes: the user could have altered it before it was signed.")?;
    }
    write_list(out, &meaning.calls_unknown, "call", "without an outcome: whether it was sent is UNKNOWN", |call| {
        format!("{} of {}, entry {}", call.request_id, call.session_id, call.index)
    })?;
    write_list(out, &meaning.sessions_without_end, "session", "without an end", ToString::to_string)?;
    if meaning.events_after_end > 0 {
        writeln!(out, "  {} of a session after its end.", count(meaning.events_after_end, "event"))?;
    }
    write_list(out, &meaning.recoveries, "time", "the log was opened again after a crash and an unconfirmed tail was cut off", |bytes| {
        format!("{bytes} bytes")
    })?;
    write_list(out, &meaning.times_backwards, "time", "the clock went backwards", |index| format!("at entry {index}"))
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
