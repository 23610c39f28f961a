//! The upstreams that calls may be routed to: prepared before the process confines itself, one pool each.
mod dial;
mod target;

use crate::Error;
use crate::limits::{UPSTREAM_IDLE_CONNECTIONS_MAX, UPSTREAM_IDLE_SECONDS_MAX};
use crate::secret::{self, Environment};
use bytes::Bytes;
use dial::Dial;
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::Full;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use schema::{Token, UpstreamKind};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use target::{Target, Way};
use zeroize::Zeroizing;

type Pool = Client<HttpsConnector<Dial>, Full<Bytes>>;

/// Every upstream of a policy, ready to be reached: keys read, names looked up, trust store loaded.
/// Nothing is shared between two of them.
#[derive(Debug)]
pub struct Upstreams(BTreeMap<Token, Upstream>);

/// One upstream.
pub(crate) struct Upstream {
    target: Target,
    dial: Option<Dial>,
    tls: Arc<ClientConfig>,
    pool: OnceLock<Pool>,
    key: Option<(HeaderName, HeaderValue)>,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream").field("target", &self.target.way).finish_non_exhaustive()
    }
}

impl Upstreams {
    /// Reads every key, looks every name up and loads the machine's trust store. Call it while files can still be read.
    /// `model_sockets` says where the model files among the upstreams are served, by the upstreams' names.
    ///
    /// # Errors
    /// [`Error`] names the upstream and what to do.
    pub fn prepare(policy: &policy::Policy, model_sockets: &BTreeMap<Token, PathBuf>, environment: Environment<'_>) -> Result<Self, Error> {
        let mut targets = Vec::new();
        for upstream in policy.upstreams() {
            targets.push((upstream, Target::of(upstream, model_sockets.get(upstream.name()))?));
        }
        let wants_tls = targets.iter().any(|(_, target)| target.is_tls());
        let tls = Arc::new(client_config(if wants_tls { trust_store()? } else { RootCertStore::empty() })?);
        let mut prepared = BTreeMap::new();
        for (upstream, target) in targets {
            let key = key(upstream, environment)?.map(|secret| key_header(upstream, &secret)).transpose()?;
            let dial = Dial::prepare(&target.way);
            let ready = Upstream { target, dial, tls: Arc::clone(&tls), pool: OnceLock::new(), key };
            prepared.insert(upstream.name().clone(), ready);
        }
        Ok(Self(prepared))
    }

    pub(crate) fn named(&self, name: &Token) -> Option<&Upstream> {
        self.0.get(name)
    }
}

impl Upstream {
    pub(crate) fn is_within(&self) -> bool {
        self.target.way == Way::Within
    }

    /// The connections; opened lazily, inside the runtime that drives them.
    pub(crate) fn pool(&self) -> Option<&Pool> {
        let dial = self.dial.as_ref()?;
        Some(self.pool.get_or_init(|| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(Duration::from_secs(UPSTREAM_IDLE_SECONDS_MAX))
                .pool_max_idle_per_host(UPSTREAM_IDLE_CONNECTIONS_MAX)
                .set_host(false)
                .build(HttpsConnector::from((dial.clone(), Arc::clone(&self.tls))))
        }))
    }

    /// A request there, with this upstream's own key and nothing of the agent's but `passed`.
    pub(crate) fn request(&self, path: &str, passed: &[(HeaderName, String)], body: Bytes) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.uri(path)?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.target.host_header()?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(concat!("bailiwick/", env!("CARGO_PKG_VERSION"))));
        for (name, value) in passed {
            headers.insert(name.clone(), HeaderValue::from_str(value)?);
        }
        if let Some((name, value)) = &self.key {
            headers.insert(name.clone(), value.clone());
        }
        Ok(request)
    }
}

fn key(upstream: &policy::Upstream, environment: Environment<'_>) -> Result<Option<Zeroizing<String>>, Error> {
    let what = format!("the key of upstream {}", upstream.name());
    match (upstream.key_file(), upstream.key_env()) {
        (Some(path), _) => secret::from_file(&what, path).map(Some),
        (None, Some(variable)) => secret::from_environment(&what, variable, environment).map(Some),
        (None, None) => Ok(None),
    }
}

fn key_header(upstream: &policy::Upstream, secret: &Zeroizing<String>) -> Result<(HeaderName, HeaderValue), Error> {
    let (name, text) = match upstream.kind() {
        UpstreamKind::Anthropic => (HeaderName::from_static("x-api-key"), secret.clone()),
        UpstreamKind::Openai | UpstreamKind::Local | UpstreamKind::Echo => {
            (header::AUTHORIZATION, Zeroizing::new(format!("Bearer {}", secret.as_str())))
        }
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| Error::Secret {
        what: format!("the key of upstream {}", upstream.name()),
        from: "its file or variable".to_owned(),
        reason: "it cannot stand in a header".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn trust_store() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let reason = found.errors.first().map_or_else(|| "none were found".to_owned(), ToString::to_string);
        return Err(Error::TrustStore(reason));
    }
    Ok(roots)
}

fn client_config(roots: RootCertStore) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::TrustStore(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
