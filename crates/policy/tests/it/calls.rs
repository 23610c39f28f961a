//! Content and callers for the tests.

use policy::{CallFacts, Decision, Policy, Upstream, builtin, decide};
use schema::{Classified, DataClass, DataClasses, SessionId, Subject, Token, Trust, UpstreamKind};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Content {
    pub(crate) left: DataClasses,
    pub(crate) masked: usize,
}

impl Classified for Content {
    fn classes_before(&self) -> DataClasses {
        self.left
    }
    fn classes_after(&self) -> DataClasses {
        self.left
    }
    fn values_masked(&self) -> usize {
        self.masked
    }
}

pub(crate) fn content(classes: &[DataClass], masked: usize) -> Content {
    Content { left: classes.iter().copied().collect(), masked }
}

pub(crate) fn subject(trust: Trust, purpose: Option<&str>) -> Subject {
    Subject {
        session_id: SessionId::from_random([1; 16]),
        user_id: Token::lossy("tester"),
        agent_id: Token::lossy("agent"),
        purpose: purpose.map(Token::lossy),
        trust,
        agent_version: None,
        runtime_digest: None,
    }
}

pub(crate) fn pilot(arguments: &[&str]) -> Policy {
    let pilot = Policy::parse("pilot", builtin("pilot").expect("built in")).expect("right");
    arguments.iter().fold(pilot, |policy, argument| {
        let upstream = Upstream::parse_argument(argument).expect("a right argument");
        policy.with_user_upstream(upstream).expect("pilot takes it")
    })
}

pub(crate) fn regulated() -> Policy {
    Policy::parse("regulated", builtin("regulated").expect("built in")).expect("right")
}

pub(crate) fn decided(policy: &Policy, subject: &Subject, content: Content) -> Decision<Content> {
    let model = Token::lossy("small-1");
    decide(policy, &CallFacts { subject, dialect_kind: UpstreamKind::Openai, model: &model }, content)
}

/// Name of the route, or the refusal's code.
pub(crate) fn route(policy: &Policy, content: Content) -> String {
    match decided(policy, &subject(Trust::Endpoint, Some("document-synthesis")), content) {
        Decision::Allow(cleared) | Decision::Redact(cleared) => cleared.route().name().to_string(),
        Decision::Hold(refusal) | Decision::Deny(refusal) => refusal.code.to_string(),
    }
}
