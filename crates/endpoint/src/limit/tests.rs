use super::*;
use evidence::{Keys, Log, Writer};
use policy::Policy;
use schema::{Clock, Timestamp};
use std::collections::BTreeMap;

const ALL: [Limit; 14] = [
    Limit::Memory,
    Limit::Processes,
    Limit::Cpu,
    Limit::CpuTotal,
    Limit::File,
    Limit::WallClock,
    Limit::WorkspaceGrowth,
    Limit::DiskFree,
    Limit::Output,
    Limit::OutputRate,
    Limit::Home,
    Limit::Tmp,
    Limit::SharedMemory,
    Limit::Run,
];

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp { unix_ms: 1_768_651_200_000 }
    }
}

/// A policy in which each bound has a number of its own.
fn rules() -> (SessionRules, BTreeMap<&'static str, u64>) {
    let mut tables: BTreeMap<&str, String> = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    for (number, limit) in (0..).zip(ALL) {
        let ((table, key), value) = (limit.key(), (64 << 20) + number);
        // Some bounds are counts that go no further.
        let value = if limit == Limit::Processes { 64 } else { value };
        let value = if matches!(limit, Limit::Cpu | Limit::WallClock) { 3600 + number } else { value };
        tables.entry(table).or_default().extend([format!("{key} = {value}\n")]);
        numbers.insert(key, value);
    }
    let tables = tables.iter().map(|(table, keys)| format!("[{table}]\n{keys}")).collect::<Vec<_>>().concat();
    let text = format!("version = 1\nprofile = \"p\"\n[session]\npurpose_required = false\n{tables}");
    let policy = Policy::parse("limits.toml", &text).unwrap_or_else(|errors| panic!("{text}{errors:?}"));
    (policy.session().clone(), numbers)
}

#[test]
fn each_bound_is_named_by_the_policys_key_and_has_its_number() {
    let (rules, numbers) = rules();
    // No two share a key: the map has one for each.
    assert_eq!(numbers.len(), ALL.len());
    for limit in ALL {
        assert_eq!(limit.bound(&rules), numbers[limit.key().1], "{limit:?}");
    }
}

#[test]
fn every_private_area_has_its_bound() {
    let policy = Policy::parse("pilot", policy::builtin("pilot").unwrap()).unwrap();
    for path in crate::layout::private_places(&policy) {
        assert!(Limit::of_area(&path).is_some_and(|limit| limit.key().0 == "session.private"), "{}", path.display());
    }
    assert_eq!(Limit::of_area(Path::new("/project")), None);
}

/// A log, and what was recorded in it when `act` is done.
fn recorded(act: impl FnOnce(&LimitLog)) -> Vec<Event> {
    let place = tempfile::tempdir().unwrap();
    let keys = Keys::load_or_create(&place.path().join("keys")).unwrap();
    let writer = Writer::new(Log::open(&place.path().join("log"), keys, Arc::new(Fixed)).unwrap()).run().unwrap();
    let log = LimitLog::new(writer.client(), SessionId::from_random([1; 16]), rules().0);
    act(&log);
    log.finish();
    drop(log);
    writer.shutdown().unwrap();
    evidence::read(&place.path().join("log")).unwrap().map(|record| record.unwrap().event).collect()
}

#[test]
fn a_bound_is_recorded_once_however_many_come_to_it() {
    let events = recorded(|log| {
        for _ in 0..8 {
            assert!(log.aside(|log| log.reached(Limit::Tmp, LimitAction::Refused)));
        }
        log.finish();
        assert!(log.has_told(Limit::Tmp, LimitAction::Refused) && !log.has_told(Limit::Tmp, LimitAction::Ended));
        // What became of the session for it is something else.
        log.reached(Limit::Tmp, LimitAction::Ended);
        log.reached(Limit::Tmp, LimitAction::Ended);
    });
    let reached = |action| {
        Event::LimitReached(LimitReached {
            session_id: SessionId::from_random([1; 16]),
            limit: Token::lossy("tmp_bytes_max"),
            bound: (64 << 20) + 11,
            action,
        })
    };
    assert_eq!(events, [reached(LimitAction::Refused), reached(LimitAction::Ended)]);
}

#[test]
fn what_is_recorded_aside_is_there_when_that_is_done() {
    let events = recorded(|log| {
        assert!(log.aside(|log| log.policy_changed("changed")));
        assert!(log.aside(|log| log.reached(Limit::Run, LimitAction::Refused)));
    });
    assert_eq!(events.len(), 2);
}
