//! A standalone gateway is its clients' session keeper: it records when their sessions begin and end.
use crate::Error;
use crate::gate::Gate;
use aws_lc_rs::digest::{SHA256, digest};
use schema::event::{SessionEnded, SessionStarted};
use schema::{Event, Token};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Records the start of every client's session. No walls stand around such a client, and none are claimed.
pub(crate) async fn started(gate: &Gate) -> Result<(), Error> {
    let mut policy_digest = String::new();
    for byte in digest(&SHA256, gate.policy.digest_input().as_bytes()).as_ref() {
        // Writing to a string cannot fail.
        let _written = write!(policy_digest, "{byte:02x}");
    }
    for session in gate.door.sessions() {
        let event = SessionStarted {
            subject: session.subject.clone(),
            bailiwick_version: Token::lossy(env!("CARGO_PKG_VERSION")),
            profile: gate.policy.profile().clone(),
            policy_digest: Token::lossy(&policy_digest),
            runtime_digest: None,
            walls: BTreeMap::new(),
            file_observation: Token::lossy("none"),
            limits_by: Token::lossy("none"),
            upstreams: gate.policy.upstreams().iter().map(policy::Upstream::facts).collect(),
        };
        gate.evidence.append_async(Event::SessionStarted(event)).await.map_err(|_| Error::Evidence)?;
    }
    Ok(())
}

/// Records the end of every client's session.
pub(crate) async fn ended(gate: &Gate) -> Result<(), Error> {
    for session in gate.door.sessions() {
        let session_id = session.subject.session_id.clone();
        let event = SessionEnded { session_id, exit_code: 0, cause: Token::lossy("interrupted") };
        gate.evidence.append_async(Event::SessionEnded(event)).await.map_err(|_| Error::Evidence)?;
    }
    Ok(())
}
