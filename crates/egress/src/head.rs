//! The head of a proxy request (RFC 9112): `CONNECT host:port` or a request in absolute form. Nothing after the head is read.
//!
//! Strict where two readers could differ (request smuggling, domain fronting): one space, CRLF only, no folded lines, no repeated or
//! contradicting framing headers, and a Host header that names the same destination as the target.

#[cfg(test)]
mod tests;

use crate::host::{Destination, HostError};

/// Largest head, in bytes.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 100;
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// Why a head was not understood. Its text is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// The first line is not a request to a proxy.
    #[error("the first line is not a request to a proxy; use CONNECT host:port or an absolute http url")]
    RequestLine,
    /// A header line is not one, or there are too many.
    #[error("a header line is not valid")]
    Header,
    /// Headers say two things about the message's length or upgrade it to another protocol.
    #[error("the headers contradict each other about the message's framing")]
    Framing,
    /// The Host header names another destination than the target.
    #[error("the host header and the target name different destinations")]
    HostMismatch,
    /// The destination.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// How a program asked the proxy port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// A tunnel.
    Connect,
    /// One request.
    Absolute,
}

/// A head that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// How it was asked.
    pub kind: HeadKind,
    /// Where to.
    pub destination: Destination,
}

impl Head {
    /// How many bytes of `bytes` are a head with its empty line, if it is all there.
    pub fn length(bytes: &[u8]) -> Option<usize> {
        bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
    }

    /// Parses a head that ends with its empty line.
    ///
    /// # Errors
    /// [`HeadError`] if it has no reading, or more than one.
    pub fn parse(head: &[u8]) -> Result<Self, HeadError> {
        let head = head.strip_suffix(b"\r\n\r\n").ok_or(HeadError::RequestLine)?;
        let mut lines = Lines(Some(head));
        let (kind, destination) = parse_request_line(lines.next().ok_or(HeadError::RequestLine)?)?;
        let mut framing = Framing::default();
        for (count, line) in lines.enumerate() {
            if count >= HEADERS_MAX {
                return Err(HeadError::Header);
            }
            framing.read(line, &destination)?;
        }
        Ok(Self { kind, destination })
    }
}

fn parse_request_line(line: &[u8]) -> Result<(HeadKind, Destination), HeadError> {
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next()) else {
        return Err(HeadError::RequestLine);
    };
    let is_http_1 = version == b"HTTP/1.1" || version == b"HTTP/1.0";
    if !is_http_1 || method.is_empty() || !method.iter().copied().all(is_token_byte) || !target.iter().all(u8::is_ascii_graphic) {
        return Err(HeadError::RequestLine);
    }
    if method == b"CONNECT" {
        return Ok((HeadKind::Connect, Destination::parse(target, None)?));
    }
    let (rest, port) = strip_scheme(target).ok_or(HeadError::RequestLine)?;
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let authority = rest.get(..end).ok_or(HeadError::RequestLine)?;
    Ok((HeadKind::Absolute, Destination::parse(authority, Some(port))?))
}

fn strip_scheme(target: &[u8]) -> Option<(&[u8], u16)> {
    [(&b"http://"[..], HTTP_PORT), (b"https://", HTTPS_PORT)].into_iter().find_map(|(scheme, port)| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some((rest, port))
    })
}

/// What the headers have said so far.
#[derive(Default)]
struct Framing {
    has_host: bool,
    has_length: bool,
    has_encoding: bool,
}

impl Framing {
    fn read(&mut self, line: &[u8], destination: &Destination) -> Result<(), HeadError> {
        let colon = line.iter().position(|byte| *byte == b':').ok_or(HeadError::Header)?;
        let (name, value) = line.split_at_checked(colon).ok_or(HeadError::Header)?;
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        if name.is_empty() || !name.iter().copied().all(is_token_byte) || value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t')
        {
            return Err(HeadError::Header);
        }
        match name.to_ascii_lowercase().as_slice() {
            b"host" => {
                let repeated = std::mem::replace(&mut self.has_host, true);
                let named = Destination::parse(value, Some(destination.port))?;
                if repeated || named != *destination {
                    return Err(HeadError::HostMismatch);
                }
            }
            b"content-length" => {
                let repeated = std::mem::replace(&mut self.has_length, true);
                if repeated || value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
                    return Err(HeadError::Framing);
                }
            }
            b"transfer-encoding" => {
                let repeated = std::mem::replace(&mut self.has_encoding, true);
                if repeated || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(HeadError::Framing);
                }
            }
            b"upgrade" | b"http2-settings" => return Err(HeadError::Framing),
            _ => {}
        }
        if self.has_length && self.has_encoding { Err(HeadError::Framing) } else { Ok(()) }
    }
}

/// A byte of a method or header name (RFC 9110, 5.6.2).
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// The lines between CRLFs; a CR or LF alone stays in its line, where no part allows it.
struct Lines<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0?;
        let end = text.windows(2).position(|window| window == b"\r\n");
        self.0 = end.and_then(|at| text.get(at + 2..));
        text.get(..end.unwrap_or(text.len()))
    }
}
