//! Where a model runs, and how a person names such a place.

mod address;
mod argument;

pub use address::{Address, AddressError, URL_BYTES_MAX};
pub use argument::ArgumentError;

use schema::event::UpstreamFacts;
use schema::{Boundary, BoundarySource, Region, Token, UpstreamKind};
use std::path::{Path, PathBuf};

/// A place where a model runs. Made by the policy's reader or [`Upstream::parse_argument`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    pub(crate) name: Token,
    pub(crate) kind: UpstreamKind,
    pub(crate) url: String,
    pub(crate) address: Address,
    pub(crate) boundary: Boundary,
    pub(crate) boundary_source: BoundarySource,
    pub(crate) region: Option<Region>,
    pub(crate) models: Option<Vec<Token>>,
    pub(crate) accepts_pseudonymised: bool,
    pub(crate) key: Option<KeySource>,
}

/// Where an upstream's API key is read from; the key itself is never in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A file that holds it.
    File(PathBuf),
    /// An environment variable that holds it.
    Variable(String),
}

impl Upstream {
    /// Its name: the policy's, or `user`, `user-2`, … for those of the command line.
    pub fn name(&self) -> &Token {
        &self.name
    }

    /// What it speaks.
    pub fn kind(&self) -> UpstreamKind {
        self.kind
    }

    /// Where it is, as written.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it is, taken apart.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Who controls the place.
    pub fn boundary(&self) -> Boundary {
        self.boundary
    }

    /// Who says so.
    pub fn boundary_source(&self) -> BoundarySource {
        self.boundary_source
    }

    /// Where it keeps and processes data, if known.
    pub fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    /// Whether it accepts personal data whose values were all masked, whatever its boundary.
    pub fn accepts_pseudonymised(&self) -> bool {
        self.accepts_pseudonymised
    }

    /// The file that holds its API key, if one does.
    pub fn key_file(&self) -> Option<&Path> {
        match &self.key {
            Some(KeySource::File(path)) => Some(path),
            Some(KeySource::Variable(_)) | None => None,
        }
    }

    /// The environment variable that holds its API key, if one does.
    pub fn key_env(&self) -> Option<&str> {
        match &self.key {
            Some(KeySource::Variable(name)) => Some(name),
            Some(KeySource::File(_)) | None => None,
        }
    }

    /// The same upstream with its key read from somewhere else.
    #[must_use]
    pub fn with_key(self, key: KeySource) -> Self {
        Self { key: Some(key), ..self }
    }

    /// What evidence says of it.
    pub fn facts(&self) -> UpstreamFacts {
        UpstreamFacts {
            name: self.name.clone(),
            kind: self.kind,
            boundary: self.boundary,
            boundary_source: self.boundary_source,
            region: self.region.clone(),
        }
    }

    /// Whether it speaks the dialect of a call and serves the model that is asked for.
    pub(crate) fn fits(&self, dialect: UpstreamKind, model: &Token) -> bool {
        let speaks = match (dialect, self.kind) {
            (UpstreamKind::Openai, UpstreamKind::Openai | UpstreamKind::Local | UpstreamKind::Echo)
            | (UpstreamKind::Anthropic, UpstreamKind::Anthropic | UpstreamKind::Echo) => true,
            (UpstreamKind::Openai, UpstreamKind::Anthropic)
            | (UpstreamKind::Anthropic, UpstreamKind::Openai | UpstreamKind::Local)
            | (UpstreamKind::Local | UpstreamKind::Echo, _) => false,
        };
        speaks && self.models.as_ref().is_none_or(|models| models.contains(model))
    }
}
