//! What travels between a client and the log's writer: one event a datagram one way, acknowledgements in groups the other way.

use crate::{DurableIndex, Error};
use schema::{Event, bounds::EVENT_BYTES_MAX};

const ID_BYTES: usize = 8;
const ACK_BYTES: usize = 17;
/// Longest datagram of a client.
pub(crate) const REQUEST_BYTES_MAX: usize = ID_BYTES + EVENT_BYTES_MAX;
/// Most events that a client has under way; a client that waits for none of its answers is cut off.
pub(crate) const IN_FLIGHT_MAX: usize = 128;
/// Longest datagram of acknowledgements.
pub(crate) const ACKS_BYTES_MAX: usize = IN_FLIGHT_MAX * ACK_BYTES;

/// A client's last datagram. (An empty one would not arrive at all: unix(7) sockets that keep connections drop it.)
pub(crate) const GOODBYE: &[u8] = b"bye";

/// What became of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Durable(DurableIndex),
    Malformed,
    Unavailable,
}

impl Status {
    pub(crate) fn into_result(self) -> Result<DurableIndex, Error> {
        match self {
            Self::Durable(index) => Ok(index),
            Self::Malformed => Err(Error::Malformed),
            Self::Unavailable => Err(Error::Unavailable),
        }
    }
}

pub(crate) fn encode_request(id: u64, event_json: &str) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(ID_BYTES + event_json.len());
    datagram.extend_from_slice(&id.to_le_bytes());
    datagram.extend_from_slice(event_json.as_bytes());
    datagram
}

/// The number that the client gave, and the event unless it is not one.
pub(crate) fn decode_request(datagram: &[u8]) -> Option<(u64, Option<Event>)> {
    let (id, json) = datagram.split_first_chunk::<ID_BYTES>()?;
    Some((u64::from_le_bytes(*id), serde_json::from_slice(json).ok()))
}

pub(crate) fn encode_ack(id: u64, status: Status, out: &mut Vec<u8>) {
    let (code, index) = match status {
        Status::Durable(index) => (0, index.0),
        Status::Malformed => (1, 0),
        Status::Unavailable => (2, 0),
    };
    out.extend_from_slice(&id.to_le_bytes());
    out.push(code);
    out.extend_from_slice(&index.to_le_bytes());
}

pub(crate) fn decode_acks(datagram: &[u8]) -> impl Iterator<Item = (u64, Status)> {
    let (acks, _) = datagram.as_chunks::<ACK_BYTES>();
    acks.iter().filter_map(|ack| {
        let (id, rest) = ack.split_first_chunk()?;
        let (code, index) = rest.split_first()?;
        let index = index.first_chunk()?;
        let status = match code {
            0 => Status::Durable(DurableIndex(u64::from_le_bytes(*index))),
            1 => Status::Malformed,
            _ => Status::Unavailable,
        };
        Some((u64::from_le_bytes(*id), status))
    })
}
