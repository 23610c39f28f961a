use schema::UpstreamKind;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

/// Longest URL of an upstream, in bytes.
pub const URL_BYTES_MAX: usize = 2048;

/// Where an upstream listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// HTTP/1.1, over TLS unless `plaintext`.
    Http {
        /// Without TLS: on loopback, or by a setting that carries `danger`.
        plaintext: bool,
        /// Host name or address, lower case, an IPv6 address without its brackets.
        host: String,
        /// The port.
        port: u16,
        /// What stands before the dialect's own path; empty, or `/…` without a slash at its end.
        path: String,
    },
    /// HTTP/1.1 over a Unix socket.
    Unix(PathBuf),
    /// A model file that Bailiwick runs itself.
    ModelFile(PathBuf),
    /// Nowhere: the gateway answers by itself.
    Within,
}

/// Why a URL does not name an upstream. The URL is never repeated: it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No URL where one is needed.
    #[error("the url is missing: give https://…, unix:/path or, for a local model, file:/path")]
    Missing,
    /// A URL where none belongs.
    #[error("an echo upstream has no url: leave it out")]
    Needless,
    /// Another scheme, or none.
    #[error("the url must begin with https://, http:// (loopback only), unix:/ or, for a local model, file:/")]
    Scheme,
    /// `file:` for something else than a local model, or HTTP for one.
    #[error("a local model is reached by file:/path or unix:/path, and file:/path names a local model only")]
    KindMismatch,
    /// Plain HTTP that would leave the machine.
    #[error(
        "http:// would send prompts in the clear: use https:// (in a policy, danger_allow_plaintext = true on this upstream accepts the danger)"
    )]
    Plaintext,
    /// `user:password@`.
    #[error("the url holds a user or password: secrets are never written inline; give key_file = \"/path\" or key_env = \"NAME\"")]
    Secret,
    /// `?…` or `#…`.
    #[error("the url has a query or fragment: give scheme, host, port and path only")]
    Query,
    /// Anything that is no host, or a pattern of hosts.
    #[error("the url's host must be one exact host name or address: no wildcards, no spaces, letters outside ASCII in their xn-- form")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("the url's port must be a number from 1 to 65535")]
    Port,
    /// A path that is relative, too long, or climbs.
    #[error("the url's path must be absolute, plain and without `..`")]
    Path,
    /// Too long.
    #[error("the url has more than {URL_BYTES_MAX} bytes")]
    TooLong,
}

impl Address {
    /// Takes the URL of an upstream apart. Plain HTTP beyond loopback is [`AddressError::Plaintext`] unless `danger_allow_plaintext`.
    pub(crate) fn parse(kind: UpstreamKind, url: &str, danger_allow_plaintext: bool) -> Result<Self, AddressError> {
        match (kind, url.is_empty()) {
            (UpstreamKind::Echo, true) => return Ok(Self::Within),
            (UpstreamKind::Echo, false) => return Err(AddressError::Needless),
            (_, true) => return Err(AddressError::Missing),
            (_, false) => {}
        }
        if url.len() > URL_BYTES_MAX {
            return Err(AddressError::TooLong);
        }
        if let Some(path) = url.strip_prefix("unix:") {
            return local_path(path).map(Self::Unix);
        }
        if let Some(path) = url.strip_prefix("file:") {
            return if kind == UpstreamKind::Local { local_path(path).map(Self::ModelFile) } else { Err(AddressError::KindMismatch) };
        }
        let (plaintext, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (false, rest),
            (None, Some(rest)) => (true, rest),
            (None, None) => return Err(AddressError::Scheme),
        };
        if kind == UpstreamKind::Local {
            return Err(AddressError::KindMismatch);
        }
        let address = http(plaintext, rest)?;
        if plaintext && !danger_allow_plaintext && !address.is_loopback() {
            return Err(AddressError::Plaintext);
        }
        Ok(address)
    }

    /// Whether it cannot leave this machine.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Http { host, .. } => host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
            Self::Unix(_) | Self::ModelFile(_) | Self::Within => true,
        }
    }
}

fn local_path(path: &str) -> Result<PathBuf, AddressError> {
    let plain = !path.contains('\0') && path.split('/').all(|part| part != "..");
    if path.starts_with('/') && !path.starts_with("//") && path.len() > 1 && plain {
        Ok(PathBuf::from(path))
    } else {
        Err(AddressError::Path)
    }
}

fn http(plaintext: bool, rest: &str) -> Result<Address, AddressError> {
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    if authority.contains('@') {
        return Err(AddressError::Secret);
    }
    if rest.contains(['?', '#']) {
        return Err(AddressError::Query);
    }
    let (host, port) = split_authority(authority)?;
    let port = match port {
        None => {
            if plaintext {
                80
            } else {
                443
            }
        }
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok().filter(|port| *port != 0).ok_or(AddressError::Port)?
        }
        Some(_) => return Err(AddressError::Port),
    };
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"%\\\"<>{}|^`".contains(&byte));
    let climbs = path.split('/').any(|part| part == ".." || part == ".");
    if !plain || climbs || path.contains("//") {
        return Err(AddressError::Path);
    }
    Ok(Address::Http { plaintext, host, port, path: path.trim_end_matches('/').to_owned() })
}

fn split_authority(authority: &str) -> Result<(String, Option<&str>), AddressError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (inside, after) = rest.split_once(']').ok_or(AddressError::Host)?;
        let address: Ipv6Addr = inside.parse().map_err(|_| AddressError::Host)?;
        let port = match after {
            "" => None,
            _ => Some(after.strip_prefix(':').ok_or(AddressError::Host)?),
        };
        return Ok((address.to_string(), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if is_host(host) { Ok((host.to_ascii_lowercase(), port)) } else { Err(AddressError::Host) }
}

/// A host name of letters, digits and hyphens (RFC 1123), or an IPv4 address in its usual spelling: a last label that is
/// all digits, or hexadecimal with 0x, would be taken for an address by some resolvers and not by others.
fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !label.is_empty() && label.len() <= 63 && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or(host);
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X");
    host.len() <= 253 && host.split('.').all(is_label) && (!numeric || host.parse::<std::net::Ipv4Addr>().is_ok())
}
