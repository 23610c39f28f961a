//! Synthetic events, keys and time for the tests of evidence and of its verifier.

use evidence::{Keys, Log};
use schema::{
    Boundary, BoundarySource, Clock, DataClass, DataClasses, Event, KeyedDigest, RefusalCode, RequestId, SessionId, Subject, Timestamp,
    Token, Trust, UpstreamKind, Verdict, event,
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Each look at it is a millisecond later.
pub(crate) struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp { unix_ms: self.0.fetch_add(1, Ordering::Relaxed) }
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(Ticking(AtomicU64::new(1_768_651_200_000)))
}

pub(crate) fn keys(place: &Path) -> Keys {
    Keys::load_or_create(&place.join("keys")).unwrap()
}

pub(crate) fn log(place: &Path) -> Log {
    Log::open(&place.join("log"), keys(place), clock()).unwrap()
}

pub(crate) fn token(text: &str) -> Token {
    Token::parse(text).unwrap()
}

pub(crate) fn digest(text: &str) -> KeyedDigest {
    evidence::DigestKey::from_bytes([3; 32]).digest("sample", text.as_bytes())
}

pub(crate) fn session() -> SessionId {
    SessionId::from_random([5; 16])
}

pub(crate) fn request(number: u8) -> RequestId {
    RequestId::from_random([number; 16])
}

pub(crate) fn subject() -> Subject {
    Subject {
        session_id: session(),
        user_id: token("maria.rossi@bank.example"),
        agent_id: token("sample-agent/1.0"),
        purpose: Some(token("client-reporting")),
        trust: Trust::SelfKept,
        agent_version: None,
        runtime_digest: None,
    }
}

pub(crate) fn started() -> Event {
    Event::SessionStarted(event::SessionStarted {
        subject: subject(),
        bailiwick_version: token("0.1.0"),
        profile: token("pilot"),
        policy_digest: token(&"a".repeat(64)),
        runtime_digest: Some(token(&"b".repeat(64))),
        walls: BTreeMap::from([(token("seccomp"), token("held")), (token("landlock"), token("held"))]),
        file_observation: token("seccomp-addfd"),
        limits_by: token("cgroup-v2"),
        upstreams: vec![upstream()],
    })
}

pub(crate) fn upstream() -> event::UpstreamFacts {
    event::UpstreamFacts {
        name: token("on-prem-a"),
        kind: UpstreamKind::Openai,
        boundary: Boundary::OnPrem,
        boundary_source: BoundarySource::Policy,
        region: Some(token("eu-de")),
    }
}

pub(crate) fn ended() -> Event {
    Event::SessionEnded(event::SessionEnded { session_id: session(), exit_code: 0, cause: token("agent_exited") })
}

pub(crate) fn authorised(number: u8) -> Event {
    Event::CallAuthorised(event::CallAuthorised {
        subject: subject(),
        request_id: request(number),
        dialect: token("openai.chat"),
        model: token("sample-model"),
        upstream: upstream(),
        classes_before: DataClasses::from_iter([DataClass::Personal, DataClass::Financial]),
        classes_after: DataClasses::only(DataClass::Personal),
        redactions: BTreeMap::from([(token("iban"), 2)]),
        verdict: Verdict::Redact,
        rules: vec![token("pilot.mask")],
        prompt_digest: digest("prompt"),
        sent_digest: digest("sent"),
        sent_bytes: 912,
    })
}

pub(crate) fn completed(number: u8) -> Event {
    Event::CallCompleted(event::CallCompleted {
        session_id: session(),
        request_id: request(number),
        outcome: event::Outcome::Answered,
        status: Some(200),
        tokens_in: Some(40),
        tokens_out: None,
        answer_digest: digest("answer"),
        answer_bytes: 120,
        values_restored: 2,
    })
}

pub(crate) fn refused(number: u8) -> Event {
    Event::CallRefused(event::CallRefused {
        subject: Some(subject()),
        request_id: request(number),
        code: RefusalCode::NoRoute,
        rules: vec![token("pilot.credential")],
        classes_before: DataClasses::only(DataClass::Credential),
        classes_after: DataClasses::only(DataClass::Credential),
        redactions: BTreeMap::new(),
    })
}

pub(crate) fn opened(name: &str, path_class: event::PathClass) -> Event {
    Event::FileOpened(event::FileOpened { session_id: session(), file_id: digest(name), path_class, mode: event::FileMode::Read })
}

pub(crate) fn file_refused() -> Event {
    Event::FileRefused(event::FileRefused {
        session_id: session(),
        file_id: digest("private key"),
        path_class: event::PathClass::Outside,
        mode: event::FileMode::Read,
        code: RefusalCode::FileDenied,
        errno: token("ENOENT"),
        attempts: 1,
    })
}

pub(crate) fn connection_refused() -> Event {
    Event::ConnectionRefused(event::ConnectionRefused {
        session_id: session(),
        protocol: token("tcp"),
        host: token("203.0.113.7"),
        port: 443,
        code: RefusalCode::DestinationDenied,
        attempts: 3,
    })
}

pub(crate) fn name_refused() -> Event {
    Event::NameRefused(event::NameRefused {
        session_id: session(),
        name: token("~.tunnel.example"),
        name_digest: digest("name"),
        query_type: 16,
        code: RefusalCode::NameDenied,
        attempts: 2,
    })
}

pub(crate) fn system_call_refused() -> Event {
    Event::SystemCallRefused(event::SystemCallRefused {
        session_id: session(),
        system_call: token("ptrace"),
        code: RefusalCode::SystemCallDenied,
        attempts: 1,
    })
}

pub(crate) fn program_executed() -> Event {
    Event::ProgramExecuted(event::ProgramExecuted {
        session_id: session(),
        program_id: digest("/usr/bin/dash"),
        path_class: event::PathClass::System,
        sha256: Some(token(&"d".repeat(64))),
        script_id: Some(digest("/workspace/build.sh")),
        script_class: Some(event::PathClass::Workspace),
        arguments_digest: Some(digest("arguments")),
        confirmed: true,
    })
}

pub(crate) fn program_refused() -> Event {
    Event::ProgramRefused(event::ProgramRefused {
        session_id: session(),
        subject: None,
        program_id: digest("/workspace/tool"),
        path_class: event::PathClass::Workspace,
        sha256: None,
        reason: token("not_listed"),
        code: RefusalCode::ProgramDenied,
    })
}

pub(crate) fn system_call_observed() -> Event {
    Event::SystemCallObserved(event::SystemCallObserved { session_id: session(), system_call: token("ptrace"), request: token("trace_me") })
}

pub(crate) fn file_changed() -> Event {
    Event::FileChanged(event::FileChanged {
        session_id: session(),
        file_id: digest("/workspace/old"),
        path_class: event::PathClass::Workspace,
        change: event::FileChange::RenamedAway,
    })
}

pub(crate) fn recovered() -> Event {
    Event::LogRecovered(event::LogRecovered { bytes_dropped: 512, trust: Trust::SelfKept })
}

pub(crate) fn limit_reached() -> Event {
    Event::LimitReached(event::LimitReached {
        session_id: session(),
        limit: token("processes_max"),
        bound: 1024,
        action: event::LimitAction::Refused,
    })
}

pub(crate) fn walls_probed(occasion: event::ProbeOccasion, failed: &[&str]) -> Event {
    Event::WallsProbed(event::WallsProbed {
        session_id: session(),
        occasion,
        probes: 70,
        refused: 70 - failed.len() as u64,
        failed: failed.iter().map(|name| token(name)).collect(),
        kernel: token("6.18.0"),
        profile_digest: token("cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"),
        tier: token("launcher"),
    })
}

pub(crate) fn policy_changed() -> Event {
    Event::PolicyChanged(event::PolicyChanged { session_id: session(), change: token("deleted") })
}

pub(crate) fn workspace_snapshotted() -> Event {
    Event::WorkspaceSnapshotted(event::WorkspaceSnapshotted {
        session_id: session(),
        method: token("copy"),
        files: 12,
        bytes: 4096,
        manifest_digest: Some(token(&"c".repeat(64))),
    })
}

fn workspace_act(phase: event::ActPhase) -> event::WorkspaceAct {
    event::WorkspaceAct {
        session_id: session(),
        user_id: token("maria.rossi@bank.example"),
        phase,
        paths: 3,
        manifest_digest: token(&"c".repeat(64)),
        kept_digest: token(&"d".repeat(64)),
        forced: phase == event::ActPhase::Begun,
    }
}

pub(crate) fn workspace_restored() -> Event {
    Event::WorkspaceRestored(workspace_act(event::ActPhase::Done))
}

pub(crate) fn workspace_committed() -> Event {
    let (manifest_digest, kept_digest) = (token(&"d".repeat(64)), token(&"c".repeat(64)));
    Event::WorkspaceCommitted(event::WorkspaceAct { manifest_digest, kept_digest, ..workspace_act(event::ActPhase::Begun) })
}

pub(crate) fn workspace_discarded() -> Event {
    Event::WorkspaceDiscarded(workspace_act(event::ActPhase::Done))
}

/// One session with an event of every type that the verifier's test vector has; call 3 has no outcome.
pub(crate) fn every_event() -> Vec<Event> {
    vec![
        started(),
        opened("client.txt", event::PathClass::Documents),
        opened("libc", event::PathClass::System),
        authorised(1),
        completed(1),
        refused(2),
        file_refused(),
        connection_refused(),
        name_refused(),
        system_call_refused(),
        recovered(),
        authorised(3),
        ended(),
    ]
}
