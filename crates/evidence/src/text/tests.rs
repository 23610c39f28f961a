use super::{COLUMNS_MAX, LINES_MAX, Style, render};
use crate::view::{CallTotals, Ending, FileCounts, ReadFile, RefusedCount, Route, SessionReport, Walls};
use schema::{
    Boundary, BoundarySource, DataClass, RefusalCode, RequestId, SessionId, Subject, Token, Trust, UpstreamKind,
    event::{PathClass, UpstreamFacts},
};

fn long(number: usize) -> Token {
    Token::lossy(&format!("{number}{}", "x".repeat(127)))
}

/// As much of everything as fits into a report.
fn crowded() -> SessionReport {
    let upstream = UpstreamFacts {
        name: long(0),
        kind: UpstreamKind::Anthropic,
        boundary: Boundary::IsolatedVpc,
        boundary_source: BoundarySource::User,
        region: Some(long(1)),
    };
    let classes = DataClass::ALL.into_iter().collect();
    let subject = Subject {
        session_id: SessionId::parse(long(0).as_str()).unwrap(),
        user_id: long(1),
        agent_id: long(2),
        purpose: Some(long(3)),
        trust: Trust::SelfKept,
        agent_version: None,
        runtime_digest: None,
    };
    SessionReport {
        session_id: Some(subject.session_id.clone()),
        subject: Some(subject),
        profile: Some(long(4)),
        walls: Walls { held: vec![long(0)], missing: (0..16).map(|n| (long(n), long(n))).collect(), unused: vec![long(1)] },
        file_observation: Some(long(5)),
        files: [PathClass::Documents, PathClass::Outside].map(|class| (class, FileCounts { read: u64::MAX, written: u64::MAX })).into(),
        files_read: (0..64)
            .map(|n| ReadFile { path_class: PathClass::Documents, file_id: String::new(), name: Some(format!("{n}\u{1b}[2J\u{202e}\n")) })
            .collect(),
        files_read_omitted: u64::MAX,
        calls: CallTotals {
            authorised: u64::MAX,
            sent_bytes: u64::MAX,
            answer_bytes: u64::MAX,
            by_ending: [Ending::Answered, Ending::Broken, Ending::Unknown].map(|ending| (ending, u64::MAX)).into(),
            ..CallTotals::default()
        },
        redacted: (0..64).map(|n| (long(n), u64::MAX)).collect(),
        classes_before: classes,
        classes_after: classes,
        routes: vec![Route { upstream, calls: u64::MAX, bytes: u64::MAX, classes }; 16],
        routes_calls_omitted: u64::MAX,
        refused_by_code: RefusalCode::ALL.iter().map(|code| (*code, u64::MAX)).collect(),
        refused: RefusalCode::ALL
            .iter()
            .flat_map(|code| [(); 5].map(|()| RefusedCount { code: *code, target: "t".repeat(300), attempts: 1 }))
            .collect(),
        unknown: (0..16).map(|n| RequestId::parse(long(n).as_str()).unwrap()).collect(),
        log_recoveries: 1,
        undetected: (0..64).map(|n| format!("kind {n}")).collect(),
        ..SessionReport::default()
    }
}

#[test]
fn the_fullest_report_fits_one_screen_and_cannot_control_a_terminal() {
    let text = render(&crowded(), Style::default());
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() <= LINES_MAX, "{} lines\n{text}", lines.len());
    for line in &lines {
        assert!(line.chars().count() <= COLUMNS_MAX, "{} columns: {line}", line.chars().count());
        assert!(!line.contains(['\u{1b}', '\u{202e}']), "{line:?}");
        assert_eq!(line.trim_end(), *line);
    }
    assert!(text.contains("more"), "what is left out is told");
}

#[test]
fn colour_changes_nothing_but_colour() {
    let report = crowded();
    let coloured = render(&report, Style { color: true });
    assert!(coloured.contains("\u{1b}[1;31m"));
    let plain = ["\u{1b}[1m", "\u{1b}[1;31m", "\u{1b}[1;32m", "\u{1b}[0m"].iter().fold(coloured, |text, code| text.replace(code, ""));
    assert_eq!(plain, render(&report, Style::default()));
}

#[test]
fn an_empty_report_claims_nothing() {
    let text = render(&SessionReport::default(), Style::default());
    for told in ["start not recorded", "end not recorded", "kept by   not recorded", "0 held", "not observed", "nowhere"] {
        assert!(text.contains(told), "{told}\n{text}");
    }
}
