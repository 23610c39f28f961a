//! DNS messages (RFC 1035): one question in, `REFUSED` out. Anything else is malformed; nothing is guessed.

#[cfg(test)]
mod tests;

use crate::host::told_labels;
use schema::Token;

/// Largest query that is read, in bytes (the size that DNS flag day 2020 settled on).
pub const QUERY_BYTES_MAX: usize = 1232;
const HEADER_BYTES: usize = 12;
/// Longest name on the wire with its length bytes (RFC 1035, 3.1).
const WIRE_NAME_BYTES_MAX: usize = 255;
const LABEL_BYTES_MAX: u8 = 63;
/// Resource record type of EDNS (RFC 6891).
const TYPE_OPT: u16 = 41;
const RESPONSE_CODE_REFUSED: u8 = 5;
/// An empty OPT record that offers [`QUERY_BYTES_MAX`] bytes.
const EMPTY_OPT: [u8; 11] = [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0];

/// The message is not one plain query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the datagram is not one plain dns query")]
pub struct Malformed;

/// One question.
#[derive(Clone, PartialEq, Eq)]
pub struct Question {
    id: [u8; 2],
    recursion_desired: bool,
    labels: Vec<Vec<u8>>,
    query_type: u16,
    wire: Vec<u8>,
    has_opt: bool,
}

impl Question {
    /// Parses a standard query with exactly one question, no answers, and at most one OPT record after it.
    ///
    /// # Errors
    /// [`Malformed`] for everything else, also for compressed names and bytes after the end.
    pub fn parse(message: &[u8]) -> Result<Self, Malformed> {
        if message.len() > QUERY_BYTES_MAX {
            return Err(Malformed);
        }
        let mut rest = Bytes(message);
        let [id_high, id_low, flags_high, _flags_low] = rest.take_array()?;
        let is_response = flags_high & 0x80 != 0;
        let (operation, truncated) = (flags_high >> 3 & 0x0f, flags_high & 0x02 != 0);
        let counts = [rest.u16()?, rest.u16()?, rest.u16()?, rest.u16()?];
        let [1, 0, 0, additional @ 0..=1] = counts else { return Err(Malformed) };
        if is_response || operation != 0 || truncated {
            return Err(Malformed);
        }
        let labels = rest.labels()?;
        let query_type = rest.u16()?;
        let _class = rest.u16()?;
        let question_bytes = message.len().saturating_sub(HEADER_BYTES + rest.0.len());
        let wire = message.get(HEADER_BYTES..HEADER_BYTES + question_bytes).ok_or(Malformed)?.to_vec();
        if additional == 1 {
            rest.skip_opt()?;
        }
        if !rest.0.is_empty() {
            return Err(Malformed);
        }
        let recursion_desired = flags_high & 0x01 != 0;
        Ok(Self { id: [id_high, id_low], recursion_desired, labels, query_type, wire, has_opt: additional == 1 })
    }

    /// What an event may tell of the name; see [`crate::host::Host::told`].
    pub fn told(&self) -> Token {
        told_labels(self.labels.iter().map(Vec::as_slice))
    }

    /// The whole name in its only spelling, for a digest: lower case, no final dot, other bytes as `\DDD` (RFC 1035, 5.1).
    pub fn full_name(&self) -> String {
        let labels = self.labels.iter().map(|label| label.iter().map(|byte| spelled(*byte)).collect::<String>());
        labels.collect::<Vec<_>>().join(".")
    }

    /// The query type's number.
    pub const fn query_type(&self) -> u16 {
        self.query_type
    }

    /// The answer `REFUSED` with the question as it came.
    pub fn refusal(&self) -> Vec<u8> {
        let flags_high = 0x80 | u8::from(self.recursion_desired);
        let mut answer = Vec::with_capacity(HEADER_BYTES + self.wire.len() + EMPTY_OPT.len());
        answer.extend_from_slice(&self.id);
        answer.extend_from_slice(&[flags_high, RESPONSE_CODE_REFUSED, 0, 1, 0, 0, 0, 0, 0, u8::from(self.has_opt)]);
        answer.extend_from_slice(&self.wire);
        if self.has_opt {
            answer.extend_from_slice(&EMPTY_OPT);
        }
        answer
    }
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Question({} type {})", self.told(), self.query_type)
    }
}

fn spelled(byte: u8) -> String {
    match byte {
        b'.' | b'\\' => format!("\\{}", char::from(byte)),
        b'!'..=b'~' => char::from(byte.to_ascii_lowercase()).to_string(),
        _ => format!("\\{byte:03}"),
    }
}

/// What is left of a message.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        self.take_array().map(u16::from_be_bytes)
    }

    fn labels(&mut self) -> Result<Vec<Vec<u8>>, Malformed> {
        let mut labels = Vec::new();
        let mut wire_bytes = 1;
        loop {
            let [length] = self.take_array()?;
            if length == 0 {
                return Ok(labels);
            }
            wire_bytes += 1 + usize::from(length);
            if length > LABEL_BYTES_MAX || wire_bytes > WIRE_NAME_BYTES_MAX {
                return Err(Malformed);
            }
            labels.push(self.take(usize::from(length))?.to_vec());
        }
    }

    fn skip_opt(&mut self) -> Result<(), Malformed> {
        let [0] = self.take_array()? else { return Err(Malformed) };
        if self.u16()? != TYPE_OPT {
            return Err(Malformed);
        }
        let _class_and_flags: [u8; 6] = self.take_array()?;
        let data_bytes = self.u16()?;
        self.take(usize::from(data_bytes)).map(|_| ())
    }
}
