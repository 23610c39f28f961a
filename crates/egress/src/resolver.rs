//! DNS: every question is answered `REFUSED` once it is recorded.

use crate::dns::{QUERY_BYTES_MAX, Question};
use crate::door::Door;
use crate::ledger::Refused;
use policy::ConnectionDecision;
use schema::RefusalCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout};

/// What the digests of names are digests of.
pub(crate) const DIGEST_DOMAIN: &str = "name";
/// Most datagrams that are looked at in a second; further ones are counted and dropped.
const QUERIES_PER_SECOND_MAX: u32 = 200;
/// Most questions on one TCP connection.
const STREAM_QUERIES_MAX: usize = 64;
/// Longest wait for the whole of a question on a TCP connection, and for the answer to be taken.
const STREAM_WAIT_MAX: Duration = Duration::from_secs(5);

pub(crate) async fn refuse_datagrams(socket: UdpSocket, door: Arc<Door>) {
    let mut buffer = [0; QUERY_BYTES_MAX + 1];
    let mut pace = Pace { second: Instant::now(), taken: 0 };
    loop {
        // An error belongs to an earlier datagram (ICMP); the socket goes on.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        if !pace.take(Instant::now()) {
            drop(door.ledger.record(door.ledger.untold_name(RefusalCode::Overloaded)).await);
            continue;
        }
        if let Some(answer) = answer(&door, buffer.get(..length).unwrap_or_default()).await {
            // A full queue loses the answer as any network may; the question is recorded.
            let _sent = socket.try_send_to(&answer, from);
        }
    }
}

pub(crate) async fn refuse_stream(door: Arc<Door>, mut stream: TcpStream) {
    for _ in 0..STREAM_QUERIES_MAX {
        let Ok(Some(message)) = timeout(STREAM_WAIT_MAX, read_message(&mut stream)).await else { return };
        let Some(answer) = answer(&door, &message).await else { return };
        let Ok(length) = u16::try_from(answer.len()) else { return };
        let framed = [&length.to_be_bytes(), answer.as_slice()].concat();
        if !matches!(timeout(STREAM_WAIT_MAX, stream.write_all(&framed)).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// A message after its two length bytes (RFC 1035, 4.2.2); one that is too large is cut so that it is recorded as malformed.
async fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let length = usize::from(stream.read_u16().await.ok()?);
    let mut message = vec![0; length.min(QUERY_BYTES_MAX + 1)];
    stream.read_exact(&mut message).await.ok()?;
    Some(message)
}

/// The answer, once the question is recorded; none for what is no question.
async fn answer(door: &Door, message: &[u8]) -> Option<Vec<u8>> {
    let Ok(question) = Question::parse(message) else {
        door.ledger.record(door.ledger.untold_name(RefusalCode::Malformed)).await.ok()?;
        return None;
    };
    let ConnectionDecision::Deny(refusal) = policy::decide_name(&door.policy, &door.session_id);
    let digest = door.digest_key.digest(DIGEST_DOMAIN, question.full_name().as_bytes());
    let refused = Refused::Name { name: question.told(), digest, query_type: question.query_type(), code: refusal.code };
    door.ledger.record(refused).await.ok()?;
    Some(question.refusal())
}

struct Pace {
    second: Instant,
    taken: u32,
}

impl Pace {
    fn take(&mut self, now: Instant) -> bool {
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            *self = Self { second: now, taken: 0 };
        }
        self.taken = self.taken.saturating_add(1);
        self.taken <= QUERIES_PER_SECOND_MAX
    }
}
