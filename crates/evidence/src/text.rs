//! A session's report as text: one screen, at most [`LINES_MAX`] lines of [`COLUMNS_MAX`] characters.

mod section;

use crate::view::{Ending, Route, SessionReport, class_name};
use schema::{BoundarySource, Token, Trust};
use section::{Mood, Section};
use std::collections::BTreeMap;

/// Most lines of a report.
pub const LINES_MAX: usize = 44;
/// Longest line of a report, in characters, colour codes not counted.
pub const COLUMNS_MAX: usize = 100;

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// With colour codes (ECMA-48).
    pub color: bool,
}

/// The report for people. Nothing in it can control a terminal; names that were chosen inside the session are escaped. Ends with a line
/// feed.
pub fn render(report: &SessionReport, style: Style) -> String {
    let sections = [
        head(report),
        when(report),
        purpose(report),
        kept_by(report),
        walls(report),
        probes(report),
        limits(report),
        files(report),
        programs(report),
        calls(report),
        redacted(report),
        classes(report),
        routed(report),
        refused(report),
        unknown(report),
        recovered(report),
        undetected(report),
    ];
    let mut out = String::new();
    for section in sections {
        section.write(style, &mut out);
    }
    out
}

fn head(report: &SessionReport) -> Section {
    let mut words: Vec<_> = report.session_id.iter().map(ToString::to_string).collect();
    words.extend(report.subject.as_ref().map(|subject| format!("user {}", subject.user_id)));
    words.extend(report.subject.as_ref().map(|subject| format!("agent {}", subject.agent_id)));
    Section::new("session", Mood::Plain).wrapped(words, 3)
}

fn when(report: &SessionReport) -> Section {
    let started = report.started.map_or_else(|| "start not recorded".to_owned(), |time| time.to_string());
    let (text, mood) = match (report.ended, report.exit_code, &report.cause) {
        (Some(ended), Some(code), Some(cause)) => (format!("{started} to {ended}, exit {code} ({cause})"), Mood::Plain),
        _ => (format!("{started}, end not recorded"), Mood::Bad),
    };
    Section::new("when", mood).line(&text)
}

fn purpose(report: &SessionReport) -> Section {
    let purpose = report.subject.as_ref().and_then(|subject| subject.purpose.as_ref());
    let words = vec![
        purpose.map_or("none given".to_owned(), |purpose| purpose.as_str().to_owned()),
        report.profile.as_ref().map_or("profile not recorded".to_owned(), |profile| format!("profile {profile}")),
    ];
    Section::new("purpose", Mood::Plain).wrapped(words, 2)
}

fn kept_by(report: &SessionReport) -> Section {
    let (text, mood) = match report.subject.as_ref().map(|subject| subject.trust) {
        Some(Trust::SelfKept) => ("the user's own processes: the user could have altered it before it was sealed", Mood::Bad),
        Some(Trust::Endpoint) => ("the endpoint service, under its own account", Mood::Good),
        None => ("not recorded", Mood::Bad),
    };
    Section::new("kept by", mood).line(text)
}

fn walls(report: &SessionReport) -> Section {
    let walls = &report.walls;
    let mut words = vec![format!("{} held", walls.held.len())];
    words.extend(walls.missing.iter().map(|(wall, found)| format!("MISSING {wall} ({found})")));
    words.extend(walls.unused.iter().map(|wall| format!("{wall} unused")));
    let mood = if walls.missing.is_empty() && !walls.held.is_empty() { Mood::Good } else { Mood::Bad };
    Section::new("walls", mood).wrapped(words, 3)
}

/// Nothing of a log from before there were probes.
fn probes(report: &SessionReport) -> Section {
    let probes = &report.probes;
    if probes.made == 0 && probes.failed.is_empty() {
        return Section::new("probes", Mood::Plain);
    }
    let mut words = vec![format!("{} of {} refused", probes.refused, probes.made), format!("repeated {}", count(probes.rounds, "time"))];
    words.extend(probes.failed.iter().map(|name| format!("GOT THROUGH {name}")));
    Section::new("probes", if probes.failed.is_empty() { Mood::Good } else { Mood::Bad }).wrapped(words, 3)
}

/// Nothing unless a bound was reached or the policy's file did not stay as it was.
fn limits(report: &SessionReport) -> Section {
    let reached = report.limits_reached.iter().map(|(limit, reached)| format!("{limit} {}: {}", reached.bound, reached.outcome.name()));
    let changed = report.policy_changes.iter().map(|change| format!("the policy's file was {change} meanwhile"));
    Section::new("limits", Mood::Bad).wrapped(reached.chain(changed).collect(), 3)
}

fn files(report: &SessionReport) -> Section {
    let observed = report.file_observation.as_ref().map(Token::as_str).filter(|observation| *observation != "none");
    let Some(observed) = observed else {
        return Section::new("read", Mood::Bad).line("file opens were not observed");
    };
    let counts = report.files.iter().map(|(class, counts)| match counts.written {
        0 => format!("{} {}", class_name(*class), counts.read),
        written => format!("{} {} (written {written})", class_name(*class), counts.read),
    });
    let mut counts: Vec<_> = counts.collect();
    if counts.is_empty() {
        counts.push("no file".to_owned());
    }
    counts.push(format!("seen by {observed}"));
    let mut names: Vec<_> = report.files_read.iter().filter_map(|file| file.name.clone()).collect();
    let unnamed = report.files_read.len() - names.len() + usize::try_from(report.files_read_omitted).unwrap_or(usize::MAX);
    if !names.is_empty() && unnamed > 0 {
        names.push(format!("{unnamed} more without a name"));
    }
    Section::new("read", Mood::Plain).wrapped(counts, 2).wrapped(names, 2)
}

fn programs(report: &SessionReport) -> Section {
    let programs = &report.programs;
    let words = vec![
        format!("{} executed", count(programs.executed, "program")),
        format!("{} of the workspace or private areas", programs.from_writable),
        format!("{} not confirmed", programs.unconfirmed),
        format!("{} refused", programs.refused),
    ];
    Section::new("ran", Mood::Plain).wrapped(words, 2)
}

fn calls(report: &SessionReport) -> Section {
    let calls = &report.calls;
    let words = vec![
        format!("{} authorised", count(calls.authorised, "call")),
        format!("{} sent", count(calls.sent_bytes, "byte")),
        format!("{} answered", count(calls.answer_bytes, "byte")),
        format!("tokens {} in, {} out as upstreams counted", calls.tokens_in, calls.tokens_out),
    ];
    let endings = calls.by_ending.iter().map(|(ending, number)| format!("{} {number}", ending_name(*ending))).collect();
    Section::new("sent", Mood::Plain).wrapped(words, 2).wrapped(endings, 1)
}

fn redacted(report: &SessionReport) -> Section {
    let mut words: Vec<_> = report.redacted.iter().map(|(kind, number)| format!("{kind} {number}")).collect();
    if words.is_empty() {
        words.push("nothing".to_owned());
    }
    words.push(format!("{} restored for the agent", count(report.calls.values_restored, "value")));
    Section::new("redacted", Mood::Plain).wrapped(words, 3)
}

fn classes(report: &SessionReport) -> Section {
    let section = Section::new("classes", Mood::Plain);
    if report.calls.authorised == 0 {
        return section;
    }
    let text = format!("{} \u{2192} {}", report.classes_before, report.classes_after);
    section.spaced(text.split(' ').map(str::to_owned).collect(), 3)
}

fn routed(report: &SessionReport) -> Section {
    let section = Section::new("routed", Mood::Plain);
    if report.routes.is_empty() {
        return section.line("nowhere");
    }
    let more = report.routes_calls_omitted;
    let lines = report.routes.iter().map(route).chain((more > 0).then(|| format!("{} to further upstreams", count(more, "call"))));
    section.lines(lines.collect(), 4)
}

fn route(route: &Route) -> String {
    let upstream = &route.upstream;
    let region = upstream.region.as_ref().map_or("region unknown", Token::as_str);
    let source = match upstream.boundary_source {
        BoundarySource::Policy => "policy",
        BoundarySource::User => "user",
    };
    format!(
        "{} ({}, {}, {region}, says {source}): {}, {}, {}",
        upstream.name,
        upstream.kind.name(),
        upstream.boundary.name(),
        count(route.calls, "call"),
        count(route.bytes, "byte"),
        route.classes
    )
}

fn refused(report: &SessionReport) -> Section {
    let section = Section::new("refused", Mood::Plain);
    if report.refused_by_code.is_empty() {
        return section.line("nothing");
    }
    let totals = report.refused_by_code.iter().map(|(code, attempts)| {
        let of_code = report.refused.iter().filter(|refused| refused.code == *code && !refused.target.is_empty());
        let mut targets: BTreeMap<&str, u64> = BTreeMap::new();
        for refused in of_code {
            *targets.entry(&refused.target).or_default() += refused.attempts;
        }
        let shown: Vec<_> = targets.iter().take(TARGETS_SHOWN_MAX).map(|(target, attempts)| several(target, *attempts)).collect();
        let more = targets.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{attempts} \u{d7} {code}  {}{more}", shown.join(", "))
    });
    section.lines(totals.collect(), 7)
}

/// A target, with the number of attempts if there were several.
fn several(target: &str, attempts: u64) -> String {
    if attempts > 1 { format!("{target} {attempts}\u{d7}") } else { target.to_owned() }
}

/// Targets shown for each code.
const TARGETS_SHOWN_MAX: usize = 3;

fn unknown(report: &SessionReport) -> Section {
    let section = Section::new("unknown", Mood::Bad);
    let Some(&number) = report.calls.by_ending.get(&Ending::Unknown) else { return section };
    let text = format!("{} without a recorded outcome: it may have been sent", count(number, "call"));
    section.line(&text).wrapped(report.unknown.iter().map(ToString::to_string).collect(), 2)
}

fn recovered(report: &SessionReport) -> Section {
    let section = Section::new("crashed", Mood::Bad);
    let text = format!("the log was cut to its last seal {} during the session", count(report.log_recoveries, "time"));
    if report.log_recoveries == 0 { section } else { section.line(&text) }
}

fn undetected(report: &SessionReport) -> Section {
    let section = Section::new("unseen", Mood::Bad);
    let mut kinds = report.undetected.clone();
    if let Some(first) = kinds.first_mut() {
        first.insert_str(0, "no detector yet for ");
    }
    section.wrapped(kinds, 2)
}

fn ending_name(ending: Ending) -> &'static str {
    match ending {
        Ending::Answered => "answered",
        Ending::UpstreamError => "upstream error",
        Ending::NotSent => "not sent",
        Ending::Broken => "broken off",
        Ending::ClientGone => "agent gone",
        Ending::Unknown => "unknown",
    }
}

fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
