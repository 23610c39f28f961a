//! Private keys in text armour: RFC 7468, OpenSSH, OpenPGP; also with newlines written as `\n`.

use crate::{Kind, finding::Sink, text::Text};

const LABEL_BYTES_MAX: usize = 64;

/// Looks at the `-----BEGIN ` at `start`. The body has no dashes in a row, so bodies never overlap and the search stays linear.
pub(super) fn detect(text: Text<'_>, start: usize, sink: &mut Sink) {
    let label = start + b"-----BEGIN ".len();
    let label_end = text.span(label, LABEL_BYTES_MAX, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
    let name = text.slice(label, label_end);
    if !(name.ends_with(b"PRIVATE KEY") || name.ends_with(b"PRIVATE KEY BLOCK")) || text.slice(label_end, label_end + 5) != b"-----" {
        return;
    }
    let body = label_end + 5;
    let rest = text.bytes().get(body..).unwrap_or(&[]);
    let length = memchr::memmem::find(rest, b"-----").unwrap_or_else(|| rest.iter().position(|byte| !is_body(*byte)).unwrap_or(rest.len()));
    let fence = body + length;
    let end_label = fence + b"-----END ".len();
    let end = end_label + name.len() + 5;
    let closed = text.slice(fence, end_label) == b"-----END " && text.slice(end_label, end_label + name.len()) == name;
    sink.push(start, if closed { end.min(text.bytes().len()) } else { fence }, Kind::PrivateKey);
}

fn is_body(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\\' | b'\r' | b'\n' | b' ' | b'\t' | b':' | b',' | b'-' | b'"')
}
