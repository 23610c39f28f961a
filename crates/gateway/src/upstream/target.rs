//! Where an upstream is, and the parts of a request that follow from it.
use crate::Error;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use policy::Address;
use std::net::Ipv6Addr;
use std::path::PathBuf;

/// How an upstream is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// TCP to a host, under TLS if the target's scheme says so. What is named as this machine must be this machine.
    Tcp { host: String, port: u16, loopback: bool },
    /// A Unix socket.
    Unix(PathBuf),
    /// Nowhere: the gateway answers by itself.
    Within,
}

/// An upstream's place.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) way: Way,
    scheme: Scheme,
    authority: Authority,
    /// What stands before `/v1/…`, without a slash at its end.
    base_path: String,
}

impl Target {
    /// The place of `upstream`; a model file is reached through `model_socket`, where Bailiwick runs it.
    pub(crate) fn of(upstream: &policy::Upstream, model_socket: Option<&PathBuf>) -> Result<Self, Error> {
        match upstream.address() {
            Address::Within => Ok(Self::local(Way::Within)),
            Address::Unix(path) => Ok(Self::local(Way::Unix(path.clone()))),
            Address::ModelFile(_) => {
                let missing = || Error::NoModel { upstream: upstream.name().to_string() };
                model_socket.map(|path| Self::local(Way::Unix(path.clone()))).ok_or_else(missing)
            }
            Address::Http { plaintext, host, port, path } => {
                let way = Way::Tcp { host: host.clone(), port: *port, loopback: upstream.address().is_loopback() };
                let name = if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.clone() };
                let usual = if *plaintext { 80 } else { 443 };
                let text = if *port == usual { name } else { format!("{name}:{port}") };
                let authority = text.parse().map_err(|_| Error::UpstreamHost { upstream: upstream.name().to_string() })?;
                let scheme = if *plaintext { Scheme::HTTP } else { Scheme::HTTPS };
                // SDKs write their base URL with the version, other people without.
                let base_path = path.strip_suffix("/v1").unwrap_or(path).to_owned();
                Ok(Self { way, scheme, authority, base_path })
            }
        }
    }

    fn local(way: Way) -> Self {
        Self { way, scheme: Scheme::HTTP, authority: Authority::from_static("localhost"), base_path: String::new() }
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The URI of one of the dialects' paths there.
    pub(crate) fn uri(&self, path: &str) -> Result<Uri, http::Error> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(if self.base_path.is_empty() {
            PathAndQuery::try_from(path)?
        } else {
            PathAndQuery::try_from(format!("{}{path}", self.base_path))?
        });
        Ok(Uri::from_parts(parts)?)
    }

    /// The `host` header.
    pub(crate) fn host_header(&self) -> Result<HeaderValue, http::Error> {
        Ok(HeaderValue::from_str(self.authority.as_str())?)
    }
}

#[cfg(test)]
mod tests;
