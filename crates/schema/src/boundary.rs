use crate::Token;
use serde::{Deserialize, Serialize};

/// Who controls the place where a model runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boundary {
    /// The organisation's own machines.
    OnPrem,
    /// A cloud network that only the organisation reaches.
    IsolatedVpc,
    /// A tenancy in a sovereign cloud.
    Sovereign,
    /// Anyone else; the default for what is not known better.
    ThirdParty,
}

impl Boundary {
    /// Every boundary.
    pub const ALL: [Self; 4] = [Self::OnPrem, Self::IsolatedVpc, Self::Sovereign, Self::ThirdParty];

    /// The boundary's name in policies, events and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnPrem => "on_prem",
            Self::IsolatedVpc => "isolated_vpc",
            Self::Sovereign => "sovereign",
            Self::ThirdParty => "third_party",
        }
    }

    /// The boundary of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|boundary| boundary.name() == name)
    }
}

/// Who says that an upstream lies within its boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundarySource {
    /// The policy.
    Policy,
    /// The user, on the command line.
    User,
}

/// Where an upstream keeps and processes data, as policies name it (`eu`, `eu-de`, `us`).
pub type Region = Token;

/// What an upstream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamKind {
    /// OpenAI chat completions over HTTP.
    Openai,
    /// Anthropic messages over HTTP.
    Anthropic,
    /// A model file that Bailiwick runs itself, inside walls.
    Local,
    /// No model: answers with what it was sent. For trying things out.
    Echo,
}

impl UpstreamKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Openai, Self::Anthropic, Self::Local, Self::Echo];

    /// The kind's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Local => "local",
            Self::Echo => "echo",
        }
    }

    /// The kind of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
