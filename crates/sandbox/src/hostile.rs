//! What must hold for the parsers of hostile bytes, whatever the bytes are: for fuzzing (`fuzz/`) and for the property tests beside it. Not
//! part of the product.
#![expect(clippy::missing_panics_doc, reason = "each panics where what must hold does not: that is what it is for")]

use crate::message::{Answer, BYTES_MAX, Request as Order};
use crate::netlink;
use crate::probe::{Round, read};
use crate::report::{REPORT_BYTES_MAX, Report};

pub use crate::opener::hostile::{call, settings};
pub use crate::seccomp::hostile::filter;

/// A report of the warden's: what is read is what was said.
pub fn report(bytes: &[u8]) {
    let Ok(report) = Report::decode(bytes) else { return };
    let again = report.encode();
    assert!(again.len() <= REPORT_BYTES_MAX, "a report is bounded");
    if bytes.len() <= REPORT_BYTES_MAX {
        assert_eq!(Report::decode(&again).ok(), Some(report), "a report says the same twice");
    }
}

/// A message between supervisor and warden.
pub fn message(bytes: &[u8]) {
    if let Some(order) = Order::decode(bytes) {
        assert_eq!(Order::decode(&order.encode()), Some(order), "an order says the same twice");
    }
    if let Ok(answer) = Answer::decode(bytes) {
        let again = answer.encode();
        assert!(again.len() <= BYTES_MAX, "an answer is bounded");
        assert!(again.len() == BYTES_MAX || Answer::decode(&again).is_ok(), "an answer can be read again: {answer:?}");
    }
}

/// What the kernel's netlink sockets answer.
pub fn netlink_answer(bytes: &[u8]) {
    if let Ok(count) = netlink::read_answers(bytes) {
        assert!(count <= bytes.len() / 16, "no more acknowledgements than headers");
    }
}

/// What a probe found, as it tells the warden.
pub fn findings(bytes: &[u8]) {
    assert!(read(bytes).is_none() || bytes.len() == crate::probe::all().count(), "an answer has one length");
    if let Ok(round) = Round::decode(bytes) {
        assert_eq!(round.encode(), bytes, "a round says the same twice");
    }
}

#[cfg(test)]
mod tests;
