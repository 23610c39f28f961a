//! Where a program wants to go, parsed once: a host and a port that have one spelling only.
//!
//! Hosts come from hostile bytes. Everything with two readings is refused, never repaired: percent signs, user info, NUL, non-ASCII,
//! zone identifiers. The many spellings of one address (decimal, octal, hexadecimal, short, IPv4-mapped) become that address.

#[cfg(test)]
mod tests;

use schema::Token;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Longest host name without its final dot, in bytes (RFC 1035, 2.3.4).
pub const NAME_BYTES_MAX: usize = 253;
/// Longest label, in bytes (RFC 1035, 2.3.4).
pub const LABEL_BYTES_MAX: usize = 63;
/// Most labels of a name that an event tells.
const LABELS_TOLD_MAX: usize = 3;
/// Longest label that an event tells; a longer one could carry data.
const LABEL_TOLD_BYTES_MAX: usize = 24;
/// What stands in an event for a label, or a whole host, that is not told.
const UNTOLD: &str = "~";

/// Why a destination was not understood. What was asked for is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing there, or an empty label.
    #[error("the host has an empty part")]
    Empty,
    /// Longer than a name or a label may be.
    #[error("the host is longer than a name may be")]
    TooLong,
    /// A byte that no host name has.
    #[error("the host has a character that no name has; write names as ASCII letters, digits, hyphens and dots")]
    Alphabet,
    /// It looks like an address and is none.
    #[error("the host looks like an address and is none")]
    Address,
    /// There is no port, or it is not between 1 and 65535.
    #[error("the port is missing or not between 1 and 65535")]
    Port,
}

/// A DNS name in its only spelling: lower-case ASCII letters, digits, `-` and `_`, without a final dot. International names stand
/// as their A-labels (`xn--…`, RFC 5890).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

impl HostName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for HostName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostName({})", told_labels(self.0.split('.').map(str::as_bytes)))
    }
}

/// A name, or an address in its only spelling.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A DNS name.
    Name(HostName),
    /// An address; an IPv4 address that was written as an IPv6 one is IPv4 here.
    Address(IpAddr),
}

impl Host {
    /// Parses a host as it stands in a URL or an authority: a name, an IPv4 address in any spelling of `inet_aton`, or an IPv6 address
    /// in brackets.
    ///
    /// # Errors
    /// [`HostError`] if it has no reading, or more than one.
    pub fn parse(text: &[u8]) -> Result<Self, HostError> {
        if let Some(rest) = text.strip_prefix(b"[") {
            return parse_ipv6(rest.strip_suffix(b"]").ok_or(HostError::Address)?);
        }
        let text = text.strip_suffix(b".").unwrap_or(text);
        if text.len() > NAME_BYTES_MAX {
            return Err(HostError::TooLong);
        }
        let name = std::str::from_utf8(text).map_err(|_| HostError::Alphabet)?.to_ascii_lowercase();
        name.split('.').try_for_each(check_label)?;
        match name.rsplit('.').next() {
            Some(last) if is_numeric(last) => parse_ipv4(&name).map(|address| Self::Address(address.into())),
            _ => Ok(Self::Name(HostName(name))),
        }
    }

    /// An address in its only spelling.
    pub fn from_address(address: IpAddr) -> Self {
        Self::Address(address.to_canonical())
    }

    /// What an event may tell of the host: an address as it is, of a name at most the last three labels, and `~` for each that is longer
    /// than 24 bytes.
    pub fn told(&self) -> Token {
        match self {
            Self::Name(name) => told_labels(name.as_str().split('.').map(str::as_bytes)),
            Self::Address(address) => Token::lossy(&address.to_string()),
        }
    }

    /// What an event tells of a host that was not understood.
    pub fn untold() -> Token {
        Token::lossy(UNTOLD)
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Host({})", self.told())
    }
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// The host.
    pub host: Host,
    /// The port, never 0 when it was parsed.
    pub port: u16,
}

impl Destination {
    /// Parses `host:port` (RFC 9110, 7.2 and 9.3.6); without a port, `default` if there is one.
    ///
    /// # Errors
    /// [`HostError`] if either part has no reading, or more than one.
    pub fn parse(authority: &[u8], default: Option<u16>) -> Result<Self, HostError> {
        let after_brackets = authority.iter().rposition(|byte| *byte == b']').map_or(0, |at| at + 1);
        let colon = authority.iter().skip(after_brackets).position(|byte| *byte == b':').map(|at| at + after_brackets);
        let (host, port) = colon.and_then(|at| authority.split_at_checked(at)).unwrap_or((authority, b""));
        let port = match port.strip_prefix(b":") {
            Some(digits) => parse_port(digits)?,
            None => default.ok_or(HostError::Port)?,
        };
        Ok(Self { host: Host::parse(host)?, port })
    }
}

impl From<SocketAddr> for Destination {
    fn from(address: SocketAddr) -> Self {
        Self { host: Host::from_address(address.ip()), port: address.port() }
    }
}

/// Shortens the labels of a name for an event; see [`Host::told`]. No labels at all are the root, `.`.
pub(crate) fn told_labels<'a>(labels: impl DoubleEndedIterator<Item = &'a [u8]>) -> Token {
    let mut told: Vec<&str> = labels.rev().take(LABELS_TOLD_MAX).map(told_label).collect();
    told.reverse();
    Token::lossy(&if told.is_empty() { ".".to_owned() } else { told.join(".").to_ascii_lowercase() })
}

fn told_label(label: &[u8]) -> &str {
    let plain = label.len() <= LABEL_TOLD_BYTES_MAX && label.iter().copied().all(is_name_byte);
    std::str::from_utf8(label).ok().filter(|_| plain).unwrap_or(UNTOLD)
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn check_label(label: &str) -> Result<(), HostError> {
    if label.is_empty() {
        return Err(HostError::Empty);
    }
    if label.len() > LABEL_BYTES_MAX {
        return Err(HostError::TooLong);
    }
    if !label.bytes().all(is_name_byte) || label.starts_with('-') || label.ends_with('-') {
        return Err(HostError::Alphabet);
    }
    Ok(())
}

/// Whether a resolver could take a name with this last label for an address (WHATWG URL, "ends in a number").
fn is_numeric(label: &str) -> bool {
    label.bytes().all(|byte| byte.is_ascii_digit())
        || label.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Every spelling that `inet_aton` takes: one to four parts, each decimal, octal (`0…`) or hexadecimal (`0x…`); the last part fills
/// the bytes that are left.
fn parse_ipv4(text: &str) -> Result<Ipv4Addr, HostError> {
    let parts = text.split('.').map(parse_number).collect::<Result<Vec<u32>, _>>()?;
    let (last, firsts) = parts.split_last().ok_or(HostError::Address)?;
    if firsts.len() > 3 || firsts.iter().any(|part| *part > 255) {
        return Err(HostError::Address);
    }
    let last_bits = 32 - 8 * firsts.len();
    if u64::from(*last) >= 1 << last_bits {
        return Err(HostError::Address);
    }
    let high = firsts.iter().zip([24_u32, 16, 8]).map(|(part, shift)| part << shift).sum::<u32>();
    Ok(Ipv4Addr::from(high | last))
}

fn parse_number(text: &str) -> Result<u32, HostError> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some("") => return Ok(0),
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    if digits.starts_with('+') {
        return Err(HostError::Address);
    }
    u32::from_str_radix(digits, radix).map_err(|_| HostError::Address)
}

fn parse_ipv6(text: &[u8]) -> Result<Host, HostError> {
    let text = std::str::from_utf8(text).map_err(|_| HostError::Alphabet)?;
    text.parse::<Ipv6Addr>().map(|address| Host::from_address(address.into())).map_err(|_| HostError::Address)
}

fn parse_port(text: &[u8]) -> Result<u16, HostError> {
    let text = std::str::from_utf8(text).map_err(|_| HostError::Port)?;
    if text.len() > 5 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HostError::Port);
    }
    text.parse().ok().filter(|port| *port != 0).ok_or(HostError::Port)
}
