//! To whom a request is addressed. Some agents send even their model calls through the proxy that they were told of, in absolute form;
//! such a request is served when it names the gateway itself, and refused when it asks for anybody else.
use http::request::Parts;
use http::uri::Authority;
use http::{Uri, Version, header};
use schema::RefusalCode;
use std::net::IpAddr;

#[cfg(test)]
mod tests;

/// The listener, as requests may name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// A loopback address with this port.
    Port(u16),
    /// A Unix socket: it has no port, and clients call it `localhost`.
    Unix,
}

/// Checks that a request is for this gateway (RFC 9112 §3.2).
///
/// # Errors
/// [`RefusalCode::DestinationDenied`] if it asks for another host, [`RefusalCode::Malformed`] if it has no host or several.
pub(crate) fn check(head: &Parts, own: Own) -> Result<(), RefusalCode> {
    if let Some(authority) = head.uri.authority() {
        return if is_own(&head.uri, authority, own) { Ok(()) } else { Err(RefusalCode::DestinationDenied) };
    }
    match (head.headers.get_all(header::HOST).iter().count(), head.version) {
        (1, _) | (0, Version::HTTP_10) => Ok(()),
        _ => Err(RefusalCode::Malformed),
    }
}

fn is_own(uri: &Uri, authority: &Authority, own: Own) -> bool {
    // The form of CONNECT has no scheme; user information could carry content.
    if uri.scheme_str() != Some("http") || authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    let is_local_name = host.eq_ignore_ascii_case("localhost");
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match own {
        Own::Port(port) => {
            let is_loopback = bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
            (is_local_name || is_loopback) && authority.port_u16().unwrap_or(80) == port
        }
        Own::Unix => is_local_name,
    }
}
