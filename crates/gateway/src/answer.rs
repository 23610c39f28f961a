//! The way back: what the upstream answered is digested as it came, restored for the agent, and its outcome is durable before its end goes out.
use crate::crossing::ReplyTo;
use crate::dialect::{Dialect, Expected};
use crate::gate::Gate;
use crate::limits::{ANSWER_BYTES_MAX, ANSWER_PARTS_QUEUED_MAX, ANSWER_PAUSE_SECONDS_MAX, ANSWER_TAIL_SECONDS_MAX};
use crate::pipeline::{NoAnswer, Sent, SentBody};
use crate::refusal;
use crate::reply::{self, ReplyBody};
use crate::restore::{self, AnswerStream, Usage};
use crate::session::Session;
use bytes::Bytes;
use evidence::DigestHasher;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt;
use schema::event::{CallCompleted, Outcome};
use schema::{Event, RefusalCode, RequestId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;

/// Headers of an upstream that agents act upon.
const RETURNED: [HeaderName; 3] =
    [header::RETRY_AFTER, HeaderName::from_static("retry-after-ms"), HeaderName::from_static("x-should-retry")];

/// A forwarded call that owes the log its outcome.
pub(crate) struct Delivery {
    gate: Arc<Gate>,
    session: Arc<Session>,
    request_id: RequestId,
    expected: Expected,
    digest: DigestHasher,
    bytes: u64,
    status: Option<StatusCode>,
    /// The memory that the request's body takes, until its answer is there.
    _reserved: OwnedSemaphorePermit,
}

/// The end of a whole answer, as evidence tells it and as the agent sees it.
struct End {
    outcome: Outcome,
    usage: Usage,
    values_restored: u64,
}

impl End {
    fn without_content(outcome: Outcome) -> Self {
        Self { outcome, usage: Usage::default(), values_restored: 0 }
    }
}

impl Delivery {
    pub(crate) fn new(
        gate: Arc<Gate>,
        session: Arc<Session>,
        request_id: RequestId,
        expected: Expected,
        reserved: OwnedSemaphorePermit,
    ) -> Self {
        let digest = gate.digest_key.hasher("answer");
        Self { gate, session, request_id, expected, digest, bytes: 0, status: None, _reserved: reserved }
    }

    /// Brings the answer to the agent. `sent` is `None` if the agent went away first.
    pub(crate) async fn deliver(mut self, sent: Option<Result<Sent, NoAnswer>>, reply_to: ReplyTo) {
        let sent = match sent {
            Some(Ok(sent)) => sent,
            Some(Err(NoAnswer::NotSent)) => return self.fail(Outcome::NotSent, RefusalCode::UpstreamFailed, reply_to).await,
            Some(Err(NoAnswer::Broken)) => return self.fail(Outcome::Broken, RefusalCode::UpstreamFailed, reply_to).await,
            None => return self.gone().await,
        };
        self.status = Some(sent.status);
        // Nobody follows a redirect, here or at the agent: a call goes where the policy says.
        if sent.status.is_redirection() || sent.status.is_informational() {
            return self.fail(Outcome::UpstreamError, RefusalCode::UpstreamFailed, reply_to).await;
        }
        if is_encoded(&sent.headers) {
            return self.fail(Outcome::Broken, RefusalCode::UpstreamMalformed, reply_to).await;
        }
        if sent.status.is_success() && is_event_stream(&sent.headers) {
            return self.stream(sent, reply_to).await;
        }
        self.whole(sent, reply_to).await;
    }

    fn dialect(&self) -> Dialect {
        self.expected.endpoint.dialect()
    }

    /// Takes note of bytes as they came.
    fn take(&mut self, data: &[u8]) -> Result<(), RefusalCode> {
        self.digest.update(data);
        self.bytes += data.len() as u64;
        if self.bytes > ANSWER_BYTES_MAX as u64 { Err(RefusalCode::UpstreamMalformed) } else { Ok(()) }
    }

    async fn whole(mut self, sent: Sent, mut reply_to: ReplyTo) {
        let mut bytes = Vec::new();
        let mut body = Source::new(sent.body);
        loop {
            let part = tokio::select! {
                biased;
                () = reply_to.closed() => return self.gone().await,
                part = body.next(ANSWER_PAUSE_SECONDS_MAX) => part,
            };
            match part {
                Ok(Some(data)) => {
                    if let Err(code) = self.take(&data) {
                        return self.fail(Outcome::Broken, code, reply_to).await;
                    }
                    bytes.extend_from_slice(&data);
                }
                Ok(None) => break,
                Err(()) => return self.fail(Outcome::Broken, RefusalCode::UpstreamFailed, reply_to).await,
            }
        }
        let restored = self.session.vault().and_then(|vault| restore::answer(self.expected, bytes, &vault));
        let outcome = if sent.status.is_success() { Outcome::Answered } else { Outcome::UpstreamError };
        match restored {
            Ok(restored) => {
                self.session.remember(&restored.thoughts);
                let reply = with_headers(reply::json(sent.status, restored.bytes), &sent.headers);
                let end = End { outcome, usage: restored.usage, values_restored: restored.values_restored };
                self.finish(end, reply, reply_to).await;
            }
            // An error page that is no JSON: its status is all that the agent needs of it.
            Err(_) if !sent.status.is_success() => {
                let mut reply = reply::refused(self.dialect(), RefusalCode::UpstreamFailed, &[], Some(&self.request_id));
                *reply.status_mut() = sent.status;
                self.finish(End::without_content(outcome), with_headers(reply, &sent.headers), reply_to).await;
            }
            Err(code) => self.fail(Outcome::Broken, code, reply_to).await,
        }
    }

    async fn fail(self, outcome: Outcome, code: RefusalCode, reply_to: ReplyTo) {
        let reply = reply::refused(self.dialect(), code, &[], Some(&self.request_id));
        self.finish(End::without_content(outcome), reply, reply_to).await;
    }

    /// The agent went away: nothing more to say to it.
    async fn gone(self) {
        // Without its record the call counts as unknown, which is true.
        let _unknown = self.record(&End::without_content(Outcome::ClientGone)).await;
    }

    /// Makes the outcome durable, then replies.
    async fn finish(self, end: End, mut reply: Response<ReplyBody>, reply_to: ReplyTo) {
        let dialect = self.dialect();
        let request_id = self.request_id.clone();
        let recorded =
            if reply_to.is_closed() { self.record(&End { outcome: Outcome::ClientGone, ..end }).await } else { self.record(&end).await };
        reply::number(&mut reply, &request_id);
        if recorded.is_err() {
            reply = reply::refused(dialect, RefusalCode::EvidenceUnavailable, &[], Some(&request_id));
        }
        // If the agent left in this very moment, the record says that it was answered: the answer was on its way.
        let _gone = reply_to.send(reply);
    }

    async fn record(self, end: &End) -> Result<(), RefusalCode> {
        let completed = CallCompleted {
            session_id: self.session.subject.session_id.clone(),
            request_id: self.request_id,
            outcome: end.outcome,
            status: self.status.map(|status| status.as_u16()),
            tokens_in: end.usage.tokens_in,
            tokens_out: end.usage.tokens_out,
            answer_digest: self.digest.finish(),
            answer_bytes: self.bytes,
            values_restored: end.values_restored,
        };
        let recorded = self.gate.evidence.append_async(Event::CallCompleted(completed)).await;
        recorded.map(|_| ()).map_err(|_| RefusalCode::EvidenceUnavailable)
    }

    /// An answer that comes in events: restored and passed on as it comes, but for its end.
    async fn stream(mut self, sent: Sent, reply_to: ReplyTo) {
        let (parts, receiver) = mpsc::channel(ANSWER_PARTS_QUEUED_MAX);
        let mut reply = Response::new(ReplyBody::Parts(receiver));
        *reply.status_mut() = sent.status;
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        reply::number(&mut reply, &self.request_id);
        if reply_to.send(with_headers(reply, &sent.headers)).is_err() {
            return self.gone().await;
        }
        let mut answer = AnswerStream::new(self.expected);
        let mut body = Source::new(sent.body);
        let mut held = Vec::new();
        let failure = self.pass_on(&mut answer, &mut body, &parts, &mut held).await.err();
        let mut failure = match failure {
            None => None,
            Some(Stop::Gone) => return self.stream_gone(answer).await,
            Some(Stop::Failed(code)) => Some(code),
        };
        let end = self.session.vault().map(|vault| answer.finish(&vault, &mut held));
        self.session.remember(&answer.thoughts());
        let end = match end {
            Ok(end) => end,
            Err(code) => return self.close(End::without_content(Outcome::Broken), Some(code), Vec::new(), &parts).await,
        };
        if failure.is_none() && !end.complete {
            failure = Some(RefusalCode::UpstreamFailed);
        }
        let outcome = if failure.is_some() { Outcome::Broken } else { Outcome::Answered };
        let end = End { outcome, usage: end.usage, values_restored: end.values_restored };
        self.close(end, failure, held, &parts).await;
    }

    async fn stream_gone(self, mut answer: AnswerStream) {
        let end = self.session.vault().map(|vault| answer.finish(&vault, &mut Vec::new()));
        let end = end.map_or_else(
            |_| End::without_content(Outcome::ClientGone),
            |end| End { outcome: Outcome::ClientGone, usage: end.usage, values_restored: end.values_restored },
        );
        // Without its record the call counts as unknown, which is true.
        let _unknown = self.record(&end).await;
    }

    /// Passes on all but the end, which is left in `held`.
    async fn pass_on(
        &mut self,
        answer: &mut AnswerStream,
        body: &mut Source,
        parts: &mpsc::Sender<Bytes>,
        held: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        loop {
            let pause = if answer.terminated() { ANSWER_TAIL_SECONDS_MAX } else { ANSWER_PAUSE_SECONDS_MAX };
            let data = tokio::select! {
                biased;
                () = parts.closed() => return Err(Stop::Gone),
                part = body.next(pause) => match part {
                    Ok(Some(data)) => data,
                    Ok(None) => return Ok(()),
                    // After the dialect's own end nothing is missing.
                    Err(()) if answer.terminated() => return Ok(()),
                    Err(()) => return Err(Stop::Failed(RefusalCode::UpstreamFailed)),
                },
            };
            self.take(&data).map_err(Stop::Failed)?;
            if answer.terminated() {
                continue;
            }
            {
                let vault = self.session.vault().map_err(Stop::Failed)?;
                answer.push(&vault, &data, held).map_err(Stop::Failed)?;
            }
            // Before the agent has it, which may send it back at once.
            self.session.remember(&answer.thoughts());
            if !answer.terminated() && !held.is_empty() {
                let part = Bytes::from(std::mem::take(held));
                let pause = Duration::from_secs(ANSWER_PAUSE_SECONDS_MAX);
                timeout(pause, parts.send(part)).await.map_err(|_| Stop::Gone)?.map_err(|_| Stop::Gone)?;
            }
        }
    }

    /// Makes the outcome durable, then lets the end go: the rest of the answer, or an error event in its place.
    async fn close(self, end: End, failure: Option<RefusalCode>, held: Vec<u8>, parts: &mpsc::Sender<Bytes>) {
        let dialect = self.dialect();
        let request_id = self.request_id.clone();
        let failure = self.record(&end).await.err().or(failure);
        let last = match failure {
            None => held,
            Some(code) => refusal::stream_event(dialect, code, &[], Some(&request_id)),
        };
        if !last.is_empty() {
            // The agent may have left in this very moment.
            let _gone = timeout(Duration::from_secs(ANSWER_PAUSE_SECONDS_MAX), parts.send(Bytes::from(last))).await;
        }
    }
}

/// Why a stream stops early.
enum Stop {
    Gone,
    Failed(RefusalCode),
}

/// The parts of an upstream's body.
struct Source(SentBody);

impl Source {
    fn new(body: SentBody) -> Self {
        Self(body)
    }

    /// The next part; `None` at the end, an error if it broke off or paused too long.
    async fn next(&mut self, pause_seconds: u64) -> Result<Option<Bytes>, ()> {
        match &mut self.0 {
            SentBody::Within(bytes) => Ok(Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty())),
            SentBody::Network(body) => loop {
                let frame = timeout(Duration::from_secs(pause_seconds), body.frame()).await.map_err(|_| ())?;
                let Some(frame) = frame else { return Ok(None) };
                if let Ok(data) = frame.map_err(|_| ())?.into_data() {
                    return Ok(Some(data));
                }
            },
        }
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_ENCODING).iter().any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    kind.get(..17).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/event-stream"))
}

/// Adds the headers that agents act upon: short numbers and flags only.
fn with_headers(mut reply: Response<ReplyBody>, headers: &HeaderMap) -> Response<ReplyBody> {
    for name in RETURNED {
        if let Some(value) = headers.get(&name).filter(|value| value.len() <= 64) {
            reply.headers_mut().insert(name, value.clone());
        }
    }
    reply
}
