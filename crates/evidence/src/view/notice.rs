use super::row::Who;
use schema::Token;
use schema::event::{LimitAction, LimitReached, PolicyChanged, ProbeOccasion, WallsProbed};
use serde::Serialize;

/// See [`super::Row::LimitReached`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// The key of the policy that sets the bound.
    pub limit: Token,
    /// The bound, in the unit that the key's name ends with.
    pub bound: u64,
    /// What was done: `refused`, `slowed`, `killed`, `ended`.
    pub outcome: LimitAction,
}

/// See [`super::Row::PolicyChanged`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// `changed` or `deleted`.
    pub change: Token,
}

/// See [`super::Row::WallsProbed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbesRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// When the probes were made: `start` or `periodic`.
    pub occasion: ProbeOccasion,
    /// How many.
    pub probes: u64,
    /// How many were refused.
    pub refused: u64,
    /// The names of the others.
    pub failed: Vec<Token>,
}

impl ProbesRow {
    pub(crate) fn new(who: Who, event: WallsProbed) -> Self {
        Self { who, occasion: event.occasion, probes: event.probes, refused: event.refused, failed: event.failed }
    }
}

impl LimitRow {
    pub(crate) fn new(who: Who, event: LimitReached) -> Self {
        Self { who, limit: event.limit, bound: event.bound, outcome: event.action }
    }
}

impl PolicyRow {
    pub(crate) fn new(who: Who, event: PolicyChanged) -> Self {
        Self { who, change: event.change }
    }
}
