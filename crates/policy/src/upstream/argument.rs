use super::{Address, AddressError, Upstream};
use crate::document::NAME_BYTES_MAX;
use schema::{Boundary, BoundarySource, Region, Token, UpstreamKind};

/// Why an `--upstream` argument is not understood. Its URL is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// What it speaks is not known.
    #[error("--upstream: give [BOUNDARY[@REGION]:]KIND=URL with a KIND of openai, anthropic, local or echo")]
    Kind,
    /// The boundary is not known.
    #[error("--upstream: the boundary must be on_prem, isolated_vpc, sovereign or third_party")]
    Boundary,
    /// The region is no name.
    #[error("--upstream: the region must be a short name such as eu or eu-de")]
    Region,
    /// The URL names no upstream.
    #[error("--upstream: {0}")]
    Address(#[from] AddressError),
}

impl Upstream {
    /// Reads `[BOUNDARY[@REGION]:]KIND=URL`, for example `openai=https://models.example/v1`, `on_prem:local=file:/srv/model.gguf`
    /// or `sovereign@eu-de:anthropic=https://models.example`. `echo` has no URL. Without a boundary, a local model that Bailiwick
    /// runs itself is `on_prem` and everything else `third_party`. The boundary is the user's claim
    /// ([`BoundarySource::User`]); a policy may refuse it ([`crate::Policy::with_user_upstream`]).
    ///
    /// # Errors
    /// [`ArgumentError`] says which part is wrong.
    pub fn parse_argument(text: &str) -> Result<Self, ArgumentError> {
        let (head, url) = text.split_once('=').unwrap_or((text, ""));
        let (place, kind) = match head.rsplit_once(':') {
            Some((place, kind)) => (Some(place), kind),
            None => (None, head),
        };
        let kind = UpstreamKind::from_name(kind).ok_or(ArgumentError::Kind)?;
        let address = Address::parse(kind, url, false)?;
        let (boundary, region) = match place {
            Some(place) => parse_place(place)?,
            None if matches!(address, Address::ModelFile(_)) => (Boundary::OnPrem, None),
            None => (Boundary::ThirdParty, None),
        };
        Ok(Self {
            name: Token::lossy("user"),
            kind,
            url: url.to_owned(),
            address,
            boundary,
            boundary_source: BoundarySource::User,
            region,
            models: None,
            accepts_pseudonymised: false,
            key: None,
        })
    }

    /// The argument that [`Upstream::parse_argument`] reads as this upstream.
    pub(crate) fn to_argument(&self) -> String {
        let region = self.region.as_ref().map_or_else(String::new, |region| format!("@{region}"));
        let equals = if self.url.is_empty() { "" } else { "=" };
        format!("{}{region}:{}{equals}{}", self.boundary.name(), self.kind.name(), self.url)
    }
}

fn parse_place(place: &str) -> Result<(Boundary, Option<Region>), ArgumentError> {
    let (boundary, region) = match place.split_once('@') {
        Some((boundary, region)) => (boundary, Some(region)),
        None => (place, None),
    };
    let boundary = Boundary::from_name(boundary).ok_or(ArgumentError::Boundary)?;
    let region = match region {
        None => None,
        Some(region) if region.len() > NAME_BYTES_MAX => return Err(ArgumentError::Region),
        Some(region) => Some(Token::parse(region).map_err(|_| ArgumentError::Region)?),
    };
    Ok((boundary, region))
}
