use schema::event::{
    ActPhase, FileChange, FileChanged, FileMode, FileOpened, LimitAction, LimitReached, LogRecovered, PathClass, ProbeOccasion,
    SessionEnded, WallsProbed, WorkspaceAct,
};
use schema::{Event, KeyedDigest, SessionId, Token, Trust};
use serde_json::{Value, json};

fn token(text: &str) -> Token {
    Token::parse(text).unwrap()
}

fn session() -> SessionId {
    SessionId::parse("ses-1").unwrap()
}

fn digest() -> KeyedDigest {
    KeyedDigest { key_id: token("key"), hmac_sha256: token("0a") }
}

/// Some events of this part of the product, and how each stands in a log: readers of logs rely on it.
fn samples() -> Vec<(Event, Value)> {
    vec![
        (
            Event::SessionEnded(SessionEnded { session_id: session(), exit_code: -1, cause: token("wall_clock") }),
            json!({ "type": "session.ended", "session_id": "ses-1", "exit_code": -1, "cause": "wall_clock" }),
        ),
        (
            Event::LogRecovered(LogRecovered { bytes_dropped: 1, trust: Trust::SelfKept }),
            json!({ "type": "log.recovered", "bytes_dropped": 1, "trust": "self" }),
        ),
    ]
    .into_iter()
    .chain(workspaces())
    .chain(observed())
    .collect()
}

fn workspaces() -> Vec<(Event, Value)> {
    let act = WorkspaceAct {
        session_id: session(),
        user_id: token("maria"),
        phase: ActPhase::Begun,
        paths: 2,
        manifest_digest: token("aa"),
        kept_digest: token("bb"),
        forced: true,
    };
    let act_json = |name: &str| {
        json!({
            "type": name, "session_id": "ses-1", "user_id": "maria", "phase": "begun", "paths": 2,
            "manifest_digest": "aa", "kept_digest": "bb", "forced": true,
        })
    };
    vec![
        (Event::WorkspaceRestored(act.clone()), act_json("workspace.restored")),
        (Event::WorkspaceCommitted(act), act_json("workspace.committed")),
    ]
}

fn observed() -> Vec<(Event, Value)> {
    let file_id = json!({ "key_id": "key", "hmac_sha256": "0a" });
    vec![
        (
            Event::FileOpened(FileOpened {
                session_id: session(),
                file_id: digest(),
                path_class: PathClass::Documents,
                mode: FileMode::ReadWrite,
            }),
            json!({ "type": "file.opened", "session_id": "ses-1", "file_id": file_id, "path_class": "documents", "mode": "read_write" }),
        ),
        (
            Event::FileChanged(FileChanged {
                session_id: session(),
                file_id: digest(),
                path_class: PathClass::Workspace,
                change: FileChange::RenamedAway,
            }),
            json!({ "type": "file.changed", "session_id": "ses-1", "file_id": file_id, "path_class": "workspace", "change": "renamed_away" }),
        ),
        (
            Event::LimitReached(LimitReached {
                session_id: session(),
                limit: token("tmp_bytes_max"),
                bound: u64::MAX,
                action: LimitAction::Refused,
            }),
            json!({ "type": "limit.reached", "session_id": "ses-1", "limit": "tmp_bytes_max", "bound": u64::MAX, "action": "refused" }),
        ),
        (
            Event::WallsProbed(WallsProbed {
                session_id: session(),
                occasion: ProbeOccasion::Periodic,
                probes: 3,
                refused: 2,
                failed: vec![token("one")],
                kernel: token("6.8"),
                profile_digest: token("cc"),
                tier: token("launcher"),
            }),
            json!({
                "type": "walls.probed", "session_id": "ses-1", "occasion": "periodic", "probes": 3, "refused": 2, "failed": ["one"],
                "kernel": "6.8", "profile_digest": "cc", "tier": "launcher",
            }),
        ),
    ]
}

#[test]
fn events_stand_in_a_log_as_readers_expect_them() {
    for (event, json) in samples() {
        assert_eq!(serde_json::to_value(&event).unwrap(), json);
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }
}

#[test]
fn an_event_with_a_field_more_or_less_or_of_another_form_is_refused() {
    for (_, json) in samples() {
        let Value::Object(fields) = &json else { panic!("an event is an object") };
        let refused = |changed: serde_json::Map<String, Value>| serde_json::from_value::<Event>(Value::Object(changed)).is_err();
        for name in fields.keys() {
            let mut less = fields.clone();
            less.remove(name);
            assert!(refused(less), "{json} without {name}");
            let mut other = fields.clone();
            other.insert(name.clone(), json!([{ "free": "text, with spaces" }]));
            assert!(refused(other), "{json} with another {name}");
        }
        let mut more = fields.clone();
        more.insert("path".to_owned(), json!("/home/maria/secret.txt"));
        assert!(refused(more), "{json} with a clear path");
    }
}

#[test]
fn no_text_of_people_fits_into_an_event() {
    for (_, json) in samples() {
        let Value::Object(fields) = json else { panic!("an event is an object") };
        for (name, value) in &fields {
            if !value.is_string() {
                continue;
            }
            let mut changed = fields.clone();
            changed.insert(name.clone(), json!("please pay Maria Rossi"));
            assert!(serde_json::from_value::<Event>(Value::Object(changed)).is_err(), "{name}");
        }
    }
}

#[test]
fn an_event_belongs_to_the_session_that_it_names() {
    for (event, json) in samples() {
        assert_eq!(event.session_id().map(SessionId::as_str), json.get("session_id").and_then(Value::as_str), "{json}");
    }
}
