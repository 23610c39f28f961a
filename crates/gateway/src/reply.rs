//! What goes back to the agent.
use crate::dialect::Dialect;
use crate::refusal;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use schema::{RefusalCode, RequestId, Token};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// The body of a reply: at hand, or still coming.
pub(crate) enum ReplyBody {
    Whole(Option<Bytes>),
    Parts(mpsc::Receiver<Bytes>),
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Parts(parts) => parts.poll_recv(cx).map(|part| part.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Parts(_) => SizeHint::default(),
        }
    }
}

/// A reply of JSON.
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response<ReplyBody> {
    let body = if body.is_empty() { None } else { Some(Bytes::from(body)) };
    let mut reply = Response::new(ReplyBody::Whole(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

/// A refusal in the caller's dialect: the stable code, the rules, what to do; never content.
pub(crate) fn refused(dialect: Dialect, code: RefusalCode, rules: &[Token], request_id: Option<&RequestId>) -> Response<ReplyBody> {
    let answer = refusal::answer(dialect, code, rules, request_id);
    let mut reply = json(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), answer.body);
    let retry = HeaderValue::from_static(if answer.retry { "true" } else { "false" });
    reply.headers_mut().insert("x-should-retry", retry);
    if let Some(request_id) = request_id {
        number(&mut reply, request_id);
    }
    reply
}

/// Puts the call's number where SDKs look for it.
pub(crate) fn number(reply: &mut Response<ReplyBody>, request_id: &RequestId) {
    if let Ok(value) = HeaderValue::from_str(request_id.as_str()) {
        reply.headers_mut().insert("request-id", value.clone());
        reply.headers_mut().insert("x-request-id", value);
    }
}
