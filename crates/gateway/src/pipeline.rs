//! The way of a call, as types: each step takes what the step before gave and nothing else.
//!
//! [`Call`] → [`Authenticated`] → `dlp::Inspected` → `policy::Cleared` → `evidence::Recorded` → [`send`].
use crate::dialect::Body;
use crate::echo;
use crate::limits::{ANSWER_HEAD_SECONDS_MAX, PASSED_HEADER_BYTES_MAX};
use crate::session::{Caller, Session};
use crate::upstream::{Upstream, Upstreams};
use bytes::Bytes;
use dlp::{Inspectable, Inspected};
use evidence::Recorded;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hyper::body::Incoming;
use policy::Cleared;
use schema::{RefusalCode, RequestId, Subject, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Headers of the agent that its dialect needs at the upstream. They are inspected like the body; all others stay here.
const PASSED: [HeaderName; 2] = [HeaderName::from_static("anthropic-version"), HeaderName::from_static("anthropic-beta")];

/// What an agent asks of a model. Raw content: no `Debug`, no `Display`, no serialisation.
///
/// ```compile_fail,E0277
/// fn print(call: gateway::Call) -> String { format!("{call:?}") }
/// ```
#[expect(missing_debug_implementations, reason = "holds content, which is never printed")]
pub struct Call {
    request_id: RequestId,
    body: Body,
    passed: Vec<(HeaderName, String)>,
}

impl Call {
    /// A parsed call. Of the agent's headers only those that its dialect needs come along.
    pub(crate) fn new(request_id: RequestId, body: Body, headers: &HeaderMap) -> Result<Self, RefusalCode> {
        let mut passed = Vec::new();
        for name in PASSED {
            let mut values = headers.get_all(&name).iter();
            let Some(value) = values.next() else { continue };
            let text = value.to_str().map_err(|_| RefusalCode::Malformed)?;
            if values.next().is_some() || text.len() > PASSED_HEADER_BYTES_MAX {
                return Err(RefusalCode::Malformed);
            }
            passed.push((name, text.to_owned()));
        }
        Ok(Self { request_id, body, passed })
    }

    /// Its number.
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    pub(crate) fn body(&self) -> &Body {
        &self.body
    }
}

impl Inspectable for Call {
    fn mask_all(self, masker: dlp::Masker<'_>) -> Result<Self, dlp::Error> {
        let mut passed = self.passed;
        for (_, value) in &mut passed {
            if let Some(masked) = masker(value)? {
                *value = masked;
            }
        }
        Ok(Self { request_id: self.request_id, body: self.body.mask_all(masker)?, passed })
    }

    fn opaque(&self) -> bool {
        self.body.opaque()
    }
}

/// Content whose sender proved who it is. Only the door makes one:
///
/// ```compile_fail,E0451
/// fn forge(call: gateway::Call, caller: gateway::Caller) -> gateway::Authenticated<gateway::Call> {
///     gateway::Authenticated { content: call, caller }
/// }
/// ```
/// ```compile_fail,E0624
/// fn mint(call: gateway::Call, caller: gateway::Caller) -> gateway::Authenticated<gateway::Call> {
///     gateway::Authenticated::new(caller, call)
/// }
/// ```
#[expect(missing_debug_implementations, reason = "holds content, which is never printed")]
pub struct Authenticated<T> {
    content: T,
    caller: Caller,
}

impl<T> Authenticated<T> {
    pub(crate) fn new(caller: Caller, content: T) -> Self {
        Self { content, caller }
    }

    /// On whose behalf it was sent.
    pub fn subject(&self) -> &Subject {
        &self.caller.session.subject
    }

    /// What was sent.
    pub fn content(&self) -> &T {
        &self.content
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.caller.session
    }
}

impl<T: Inspectable> Inspectable for Authenticated<T> {
    fn mask_all(self, masker: dlp::Masker<'_>) -> Result<Self, dlp::Error> {
        Ok(Self { content: self.content.mask_all(masker)?, caller: self.caller })
    }

    fn opaque(&self) -> bool {
        self.content.opaque()
    }
}

/// A call that may be sent: its sender is known, it was inspected, the policy let it go, and that is on the disk.
pub type Sendable = Recorded<Cleared<Inspected<Authenticated<Call>>>>;

/// What an upstream answered. Its body is raw content.
pub(crate) struct Sent {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: SentBody,
}

/// The body of an answer.
pub(crate) enum SentBody {
    Network(Incoming),
    Within(Bytes),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// Nothing was sent.
    NotSent,
    /// Something may have been sent.
    Broken,
}

/// A way to an answer that nobody has taken yet; what [`send`] gives.
#[expect(missing_debug_implementations, reason = "holds content, which is never printed")]
pub struct Answer(pub(crate) Result<Sent, NoAnswer>);

/// Sends a call to the upstream that it was cleared for. No other function talks to an upstream, and nothing less than every proof
/// is taken:
///
/// ```compile_fail,E0308
/// async fn unauthenticated(upstreams: &gateway::Upstreams, call: gateway::Call) {
///     gateway::send(call, upstreams, schema::Timestamp::default()).await;
/// }
/// ```
/// ```compile_fail,E0308
/// async fn uninspected(upstreams: &gateway::Upstreams, call: evidence::Recorded<policy::Cleared<gateway::Authenticated<gateway::Call>>>) {
///     gateway::send(call, upstreams, schema::Timestamp::default()).await;
/// }
/// ```
/// ```compile_fail,E0308
/// async fn uncleared(upstreams: &gateway::Upstreams, call: evidence::Recorded<dlp::Inspected<gateway::Authenticated<gateway::Call>>>) {
///     gateway::send(call, upstreams, schema::Timestamp::default()).await;
/// }
/// ```
/// ```compile_fail,E0308
/// async fn unrecorded(upstreams: &gateway::Upstreams, call: policy::Cleared<dlp::Inspected<gateway::Authenticated<gateway::Call>>>) {
///     gateway::send(call, upstreams, schema::Timestamp::default()).await;
/// }
/// ```
///
/// With all of them it is:
///
/// ```
/// async fn proved(upstreams: &gateway::Upstreams, call: gateway::Sendable) {
///     gateway::send(call, upstreams, schema::Timestamp::default()).await;
/// }
/// ```
pub async fn send(call: Sendable, upstreams: &Upstreams, now: Timestamp) -> Answer {
    let (inspected, route, _, _) = call.into_inner().into_parts();
    let Call { request_id, body, passed } = inspected.into_parts().0.content;
    let Some(upstream) = upstreams.named(route.name()) else { return Answer(Err(NoAnswer::NotSent)) };
    if upstream.is_within() {
        return Answer(echo_answer(&body, &request_id, now));
    }
    Answer(over_network(upstream, body, &passed).await)
}

async fn over_network(upstream: &Upstream, body: Body, passed: &[(HeaderName, String)]) -> Result<Sent, NoAnswer> {
    let pool = upstream.pool().ok_or(NoAnswer::NotSent)?;
    let path = body.endpoint().path();
    let request = upstream.request(path, passed, Bytes::from(body.into_bytes())).map_err(|_| NoAnswer::NotSent)?;
    let limit = Duration::from_secs(ANSWER_HEAD_SECONDS_MAX);
    let answer = tokio::time::timeout(limit, pool.request(request)).await.map_err(|_| NoAnswer::Broken)?;
    let answer = answer.map_err(|error| if error.is_connect() { NoAnswer::NotSent } else { NoAnswer::Broken })?;
    let (head, body) = answer.into_parts();
    Ok(Sent { status: head.status, headers: head.headers, body: SentBody::Network(body) })
}

fn echo_answer(body: &Body, request_id: &RequestId, now: Timestamp) -> Result<Sent, NoAnswer> {
    let echo = echo::answer(body.endpoint(), body.bytes(), request_id, now).map_err(|_| NoAnswer::NotSent)?;
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(echo.content_type));
    Ok(Sent { status: StatusCode::OK, headers, body: SentBody::Within(Bytes::from(echo.body)) })
}
