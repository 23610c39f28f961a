//! SOCKS5 (RFC 1928): the greeting and the request, without authentication.

#[cfg(test)]
mod tests;

use crate::host::{Destination, Host, HostError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// First byte of every message.
pub const VERSION: u8 = 5;
/// Answer to a greeting: no authentication.
pub const METHOD_NONE: [u8; 2] = [VERSION, 0];
/// Answer to a greeting: no method that is offered will do.
pub const METHOD_UNACCEPTABLE: [u8; 2] = [VERSION, 0xff];
/// Answer to a request: not allowed by ruleset.
pub const REPLY_NOT_ALLOWED: [u8; 10] = [VERSION, 2, 0, 1, 0, 0, 0, 0, 0, 0];
/// Answer to a request that is none: general failure.
pub const REPLY_FAILURE: [u8; 10] = [VERSION, 1, 0, 1, 0, 0, 0, 0, 0, 0];
/// Longest greeting or request, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 262;

const ADDRESS_IPV4: u8 = 1;
const ADDRESS_NAME: u8 = 3;
const ADDRESS_IPV6: u8 = 4;

/// Why a message was not understood. What was asked for is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocksError {
    /// Not SOCKS5.
    #[error("the message is not socks5")]
    Malformed,
    /// The destination.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// What has been read of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<T> {
    /// More bytes are needed.
    Partial,
    /// All of it.
    Done(T),
}

/// A greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Whether the program offers to go without authentication.
    pub offers_none: bool,
}

impl Greeting {
    /// Parses a greeting.
    ///
    /// # Errors
    /// [`SocksError::Malformed`] if it is none, also if more than one greeting came.
    pub fn parse(bytes: &[u8]) -> Result<Reading<Self>, SocksError> {
        match bytes {
            [] | [VERSION] => Ok(Reading::Partial),
            [VERSION, count, methods @ ..] if *count > 0 => match methods.len().cmp(&usize::from(*count)) {
                std::cmp::Ordering::Less => Ok(Reading::Partial),
                std::cmp::Ordering::Equal => Ok(Reading::Done(Self { offers_none: methods.contains(&0) })),
                std::cmp::Ordering::Greater => Err(SocksError::Malformed),
            },
            _ => Err(SocksError::Malformed),
        }
    }
}

/// Parses a request for any command; none is allowed more than another.
///
/// # Errors
/// [`SocksError`] if it is no request, or its destination has no reading, or more than one.
pub fn parse_request(bytes: &[u8]) -> Result<Reading<Destination>, SocksError> {
    let (VERSION, rest) = (match bytes.split_first() {
        None => return Ok(Reading::Partial),
        Some((first, rest)) => (*first, rest),
    }) else {
        return Err(SocksError::Malformed);
    };
    match rest {
        [] | [1..=3] | [1..=3, 0] => Ok(Reading::Partial),
        [1..=3, 0, kind, rest @ ..] => parse_destination(*kind, rest),
        _ => Err(SocksError::Malformed),
    }
}

fn parse_destination(kind: u8, bytes: &[u8]) -> Result<Reading<Destination>, SocksError> {
    let address_bytes = match (kind, bytes) {
        (ADDRESS_IPV4, _) => 4,
        (ADDRESS_IPV6, _) => 16,
        (ADDRESS_NAME, []) => return Ok(Reading::Partial),
        (ADDRESS_NAME, [length, ..]) => 1 + usize::from(*length),
        _ => return Err(SocksError::Malformed),
    };
    let Some((address, port)) = bytes.split_at_checked(address_bytes) else { return Ok(Reading::Partial) };
    let port = match port {
        [] | [_] => return Ok(Reading::Partial),
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => return Err(SocksError::Malformed),
    };
    let host = match (kind, address) {
        (ADDRESS_NAME, [_length, name @ ..]) => Host::parse(name)?,
        _ => Host::from_address(address_from(address).ok_or(SocksError::Malformed)?),
    };
    if port == 0 { Err(HostError::Port.into()) } else { Ok(Reading::Done(Destination { host, port })) }
}

fn address_from(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|octets| Ipv4Addr::from(octets).into());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|octets| Ipv6Addr::from(octets).into())).ok()
}
