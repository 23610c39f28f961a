//! One call's life, from its head to its outcome. It runs in a task of its own, so that an agent that goes away cuts nothing off.
use crate::answer::Delivery;
use crate::dialect::{Body, Dialect, Endpoint};
use crate::gate::Gate;
use crate::intake;
use crate::limits::INSPECT_INLINE_BYTES_MAX;
use crate::pipeline::{Authenticated, Call, Sendable, send};
use crate::reply::{self, ReplyBody};
use dlp::{Inspectable, Inspected};
use http::Response;
use http::request::Parts;
use hyper::body::Incoming;
use policy::{CallFacts, Cleared, Decision};
use schema::event::{CallAuthorised, CallRefused};
use schema::{Classified, DataClasses, Event, KeyedDigest, RefusalCode, RequestId, Subject, Token, UpstreamKind};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;

/// Where the reply goes; closed when the agent is gone.
pub(crate) type ReplyTo = oneshot::Sender<Response<ReplyBody>>;

type Findings = BTreeMap<Token, u64>;

/// Why a call does not go, and all that evidence says about it.
pub(crate) struct Refused {
    code: RefusalCode,
    rules: Vec<Token>,
    classes_before: DataClasses,
    classes_after: DataClasses,
    redactions: Findings,
}

impl From<RefusalCode> for Box<Refused> {
    fn from(code: RefusalCode) -> Self {
        let (classes_before, classes_after) = (DataClasses::GENERAL, DataClasses::GENERAL);
        Self::new(Refused { code, rules: Vec::new(), classes_before, classes_after, redactions: Findings::new() })
    }
}

/// A call on its way.
pub(crate) struct Crossing {
    pub(crate) gate: Arc<Gate>,
    pub(crate) request_id: RequestId,
    pub(crate) endpoint: Result<Endpoint, RefusalCode>,
    pub(crate) dialect: Dialect,
    /// Set as soon as the log may say that the call goes out.
    pub(crate) announced: Arc<AtomicBool>,
}

impl Crossing {
    /// Takes the call all the way and replies.
    pub(crate) async fn run(self, head: Parts, body: Incoming, reply_to: ReplyTo) {
        let Ok(_permit) = Arc::clone(&self.gate.calls).try_acquire_owned() else {
            return self.refuse(None, RefusalCode::Overloaded.into(), reply_to).await;
        };
        let mut subject = None;
        match self.prepare(&head, body, &mut subject).await {
            Ok((sendable, delivery)) => {
                let mut reply_to = reply_to;
                let sent = tokio::select! {
                    biased;
                    () = reply_to.closed() => None,
                    answer = send(sendable, &self.gate.upstreams, self.gate.clock.now()) => Some(answer.0),
                };
                delivery.deliver(sent, reply_to).await;
            }
            Err(refused) => self.refuse(subject, refused, reply_to).await,
        }
    }

    /// Everything before the upstream: nothing has been sent when this is done.
    async fn prepare(&self, head: &Parts, body: Incoming, subject: &mut Option<Subject>) -> Result<(Sendable, Delivery), Box<Refused>> {
        let gate = &self.gate;
        let caller = gate.door.identify(&head.headers)?;
        *subject = Some(caller.session.subject.clone());
        let endpoint = self.endpoint?;
        let intake = intake::read(gate, &head.headers, body).await?;
        let prompt_digest = gate.digest_key.digest("prompt", &intake.bytes);
        let mut body = Body::parse(endpoint, intake.bytes)?;
        if gate.spares_thoughts {
            body.spare_thoughts(&*caller.session.thoughts()?);
        }
        let expected = body.expects();
        let call = Call::new(self.request_id.clone(), body, &head.headers)?;
        let session = Arc::clone(&caller.session);
        let inspected = self.inspect(Authenticated::new(caller, call)).await?;
        let redactions = findings(&inspected);
        let cleared = self.clear(inspected, &redactions)?;
        let event = self.authorised(&cleared, prompt_digest, redactions);
        self.announced.store(true, Ordering::Relaxed);
        let recorded = gate.evidence.record(cleared, Event::CallAuthorised(event)).await;
        let sendable = recorded.map_err(|_| RefusalCode::EvidenceUnavailable)?;
        let delivery = Delivery::new(Arc::clone(gate), session, self.request_id.clone(), expected, intake.reserved);
        Ok((sendable, delivery))
    }

    /// Inspects a call; a large one beside the event loop, so that others need not wait for it.
    async fn inspect(&self, call: Authenticated<Call>) -> Result<Inspected<Authenticated<Call>>, RefusalCode> {
        let detectors = self.gate.detectors.clone();
        if call.content().body().bytes().len() <= INSPECT_INLINE_BYTES_MAX {
            return inspect(call, &detectors);
        }
        tokio::task::spawn_blocking(move || inspect(call, &detectors)).await.map_err(|_| RefusalCode::InspectionFailed)?
    }

    fn clear(
        &self,
        inspected: Inspected<Authenticated<Call>>,
        redactions: &Findings,
    ) -> Result<Cleared<Inspected<Authenticated<Call>>>, Box<Refused>> {
        let subject = inspected.content().subject().clone();
        let body = inspected.content().content().body();
        let model = body.model().clone();
        let facts = CallFacts { subject: &subject, dialect_kind: kind_of(self.dialect), model: &model };
        match policy::decide(&self.gate.policy, &facts, inspected) {
            Decision::Allow(cleared) | Decision::Redact(cleared) => Ok(cleared),
            Decision::Hold(refusal) | Decision::Deny(refusal) => Err(Box::new(Refused {
                code: refusal.code,
                rules: refusal.rules,
                classes_before: refusal.classes_before,
                classes_after: refusal.classes_after,
                redactions: redactions.clone(),
            })),
        }
    }

    fn authorised(
        &self,
        cleared: &Cleared<Inspected<Authenticated<Call>>>,
        prompt_digest: KeyedDigest,
        redactions: Findings,
    ) -> CallAuthorised {
        let inspected = cleared.content();
        let body = inspected.content().content().body();
        CallAuthorised {
            subject: inspected.content().subject().clone(),
            request_id: self.request_id.clone(),
            dialect: Token::lossy(name_of(body.endpoint())),
            model: body.model().clone(),
            upstream: cleared.route().facts(),
            classes_before: inspected.classes_before(),
            classes_after: inspected.classes_after(),
            redactions,
            verdict: cleared.verdict(),
            rules: cleared.rules().iter().take(schema::bounds::RULES_PER_EVENT_MAX).cloned().collect(),
            prompt_digest,
            sent_digest: self.gate.digest_key.digest("sent", body.bytes()),
            sent_bytes: body.bytes().len() as u64,
        }
    }

    /// Records a refusal, then replies with it. Without its record the reply only says that evidence is unavailable.
    async fn refuse(&self, subject: Option<Subject>, refused: Box<Refused>, reply_to: ReplyTo) {
        let Refused { code, mut rules, classes_before, classes_after, redactions } = *refused;
        rules.truncate(schema::bounds::RULES_PER_EVENT_MAX);
        let shown = rules.clone();
        let request_id = self.request_id.clone();
        let event = CallRefused { subject, request_id, code, rules, classes_before, classes_after, redactions };
        let recorded = code != RefusalCode::EvidenceUnavailable && self.gate.evidence.append_async(Event::CallRefused(event)).await.is_ok();
        let code = if recorded { code } else { RefusalCode::EvidenceUnavailable };
        // The agent may be gone; the record stands all the same.
        let _gone = reply_to.send(reply::refused(self.dialect, code, if recorded { &shown } else { &[] }, Some(&self.request_id)));
    }
}

fn inspect<T: Inspectable>(call: Authenticated<T>, detectors: &dlp::Detectors) -> Result<Inspected<Authenticated<T>>, RefusalCode> {
    let session = Arc::clone(call.session());
    let mut vault = session.vault()?;
    dlp::inspect(call, &mut vault, detectors).map_err(|error| match error {
        dlp::Error::Crashed => RefusalCode::InspectionFailed,
        dlp::Error::TextTooLong { .. }
        | dlp::Error::TooManyFindings { .. }
        | dlp::Error::ValueTooLong { .. }
        | dlp::Error::VaultFull
        | dlp::Error::KnownValues => RefusalCode::InspectionBound,
    })
}

fn findings<T>(inspected: &Inspected<T>) -> Findings {
    inspected.report().by_kind.iter().map(|(kind, count)| (Token::lossy(kind), *count)).collect()
}

/// Records a call whose task crashed before it was announced: nothing of it was sent. One that was announced stays without outcome,
/// which reads as unknown.
pub(crate) async fn crashed(gate: &Gate, request_id: RequestId, announced: &AtomicBool) -> RefusalCode {
    let code = RefusalCode::InspectionFailed;
    if announced.load(Ordering::Relaxed) {
        return RefusalCode::UpstreamFailed;
    }
    let (rules, classes_before, classes_after) = (Vec::new(), DataClasses::GENERAL, DataClasses::GENERAL);
    let redactions = Findings::new();
    let event = CallRefused { subject: None, request_id, code, rules, classes_before, classes_after, redactions };
    let recorded = gate.evidence.append_async(Event::CallRefused(event)).await;
    if recorded.is_ok() { code } else { RefusalCode::EvidenceUnavailable }
}

/// Which upstreams speak a dialect.
fn kind_of(dialect: Dialect) -> UpstreamKind {
    match dialect {
        Dialect::OpenAi => UpstreamKind::Openai,
        Dialect::Anthropic => UpstreamKind::Anthropic,
    }
}

/// An endpoint's name in evidence.
fn name_of(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::ChatCompletions => "openai.chat",
        Endpoint::Messages => "anthropic.messages",
        Endpoint::CountTokens => "anthropic.count_tokens",
        Endpoint::Models => "models",
        Endpoint::Probe => "probe",
    }
}

#[cfg(test)]
mod tests;
