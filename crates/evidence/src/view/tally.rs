//! Bounded counts for a session's report.

use schema::{
    DataClasses, KeyedDigest, RefusalCode, RequestId, Token,
    event::{FileMode, FileOpened, PathClass, UpstreamFacts},
};
use std::collections::{BTreeMap, BTreeSet};

/// Most files that a report names.
pub const FILES_NAMED_MAX: usize = 64;
/// Most kinds of redacted values that a report tells apart; further ones count as `other`.
pub const KINDS_MAX: usize = 64;
/// Most refusals of one code that a report tells apart; further ones are counted by code only.
pub const REFUSALS_MAX: usize = 64;
/// Most upstreams that a report tells apart; calls to further ones are counted only.
pub const ROUTES_MAX: usize = 16;
/// Most calls without outcome that a report lists.
pub const UNKNOWN_LISTED_MAX: usize = 16;
/// Most calls whose outcome is waited for; further ones count as unknown.
const CALLS_OPEN_MAX: usize = 65_536;

/// Values by kind.
#[derive(Default)]
pub(crate) struct Kinds(pub(crate) BTreeMap<Token, u64>);

impl Kinds {
    pub(crate) fn add(&mut self, kinds: &BTreeMap<Token, u64>) {
        for (kind, count) in kinds {
            let is_known = self.0.contains_key(kind) || self.0.len() < KINDS_MAX;
            let kind = if is_known { kind.clone() } else { Token::lossy("other") };
            *self.0.entry(kind).or_default() += count;
        }
    }
}

/// Files by class, and the ids of those worth naming.
#[derive(Default)]
pub(crate) struct FileTally {
    pub(crate) by_class: BTreeMap<PathClass, (u64, u64)>,
    pub(crate) named: Vec<(PathClass, KeyedDigest)>,
    known: BTreeSet<KeyedDigest>,
    pub(crate) omitted: u64,
}

impl FileTally {
    pub(crate) fn add(&mut self, file: &FileOpened) {
        let (read, written) = self.by_class.entry(file.path_class).or_default();
        let is_read = matches!(file.mode, FileMode::Read | FileMode::ReadWrite);
        *read += u64::from(is_read);
        *written += u64::from(matches!(file.mode, FileMode::Write | FileMode::ReadWrite));
        if !is_read || matches!(file.path_class, PathClass::System | PathClass::Program) || self.known.contains(&file.file_id) {
            return;
        }
        if self.named.len() >= FILES_NAMED_MAX {
            self.omitted += 1;
            return;
        }
        self.known.insert(file.file_id.clone());
        self.named.push((file.path_class, file.file_id.clone()));
    }
}

/// What was refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refused {
    /// A destination, name, system call or rule.
    Named(String),
    /// A file.
    File { id: KeyedDigest, path_class: PathClass, errno: Token },
}

/// Refusals by code and target.
#[derive(Default)]
pub(crate) struct Refusals {
    pub(crate) by_code: BTreeMap<RefusalCode, u64>,
    pub(crate) by_target: BTreeMap<(RefusalCode, Refused), u64>,
}

impl Refusals {
    pub(crate) fn add(&mut self, code: RefusalCode, target: Refused, attempts: u64) {
        let total = self.by_code.entry(code).or_default();
        *total = total.saturating_add(attempts);
        let key = (code, target);
        let told_apart = self.by_target.keys().filter(|(known, _)| *known == code).count();
        if told_apart < REFUSALS_MAX || self.by_target.contains_key(&key) {
            let count = self.by_target.entry(key).or_default();
            *count = count.saturating_add(attempts);
        }
    }
}

/// Calls that went to one upstream.
pub(crate) struct RouteTally {
    pub(crate) upstream: UpstreamFacts,
    pub(crate) calls: u64,
    pub(crate) bytes: u64,
    pub(crate) classes: DataClasses,
}

/// Calls by upstream.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) listed: Vec<RouteTally>,
    pub(crate) calls_omitted: u64,
}

impl Routes {
    pub(crate) fn add(&mut self, upstream: &UpstreamFacts, bytes: u64, classes: DataClasses) {
        let place = self.listed.iter().position(|route| route.upstream == *upstream).or_else(|| {
            let is_room = self.listed.len() < ROUTES_MAX;
            is_room.then(|| self.listed.push(RouteTally { upstream: upstream.clone(), calls: 0, bytes: 0, classes: DataClasses::GENERAL }));
            is_room.then(|| self.listed.len() - 1)
        });
        match place.and_then(|place| self.listed.get_mut(place)) {
            Some(route) => {
                route.calls += 1;
                route.bytes = route.bytes.saturating_add(bytes);
                route.classes = route.classes.union(classes);
            }
            None => self.calls_omitted += 1,
        }
    }
}

/// A call that was authorised and waits for its outcome.
pub(crate) struct Announced {
    pub(crate) upstream: UpstreamFacts,
    pub(crate) bytes: u64,
    pub(crate) classes: DataClasses,
}

/// Calls that wait for their outcome, in the order in which they were authorised.
#[derive(Default)]
pub(crate) struct Open {
    calls: BTreeMap<RequestId, (u64, Announced)>,
    taken: u64,
}

impl Open {
    /// Takes a call, or gives it back if there is no room or its id was used before.
    pub(crate) fn add(&mut self, request: RequestId, call: Announced) -> Option<Announced> {
        self.taken += 1;
        if self.calls.len() >= CALLS_OPEN_MAX {
            return Some(call);
        }
        self.calls.insert(request, (self.taken, call)).map(|(_, doubled)| doubled)
    }

    pub(crate) fn remove(&mut self, request: &RequestId) -> Option<Announced> {
        self.calls.remove(request).map(|(_, call)| call)
    }

    pub(crate) fn into_ordered(self) -> Vec<(RequestId, Announced)> {
        let mut calls: Vec<_> = self.calls.into_iter().collect();
        calls.sort_by_key(|(_, (order, _))| *order);
        calls.into_iter().map(|(request, (_, call))| (request, call)).collect()
    }
}
