//! One session's memory of what it replaced.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_lc_rs::hmac;
use schema::DataClasses;

use crate::finding::{Finding, resolve};
use crate::{Detectors, Error, Kind, bounds};

mod known;
mod placeholder;
mod restorer;
#[cfg(test)]
mod tests;

use known::Known;
use placeholder::Reading;
pub use restorer::{Escape, Restorer};
use restorer::{Values, escape_json, restore_into};

/// What masking found, summed over all texts of one content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaskReport {
    /// The classes of the content as it came.
    pub classes_before: DataClasses,
    /// The classes that it still carries.
    pub classes_after: DataClasses,
    /// How many values of each kind were masked, by [`Kind::name`].
    pub by_kind: BTreeMap<&'static str, u64>,
    /// How many values stand masked in it: replaced now, or sent with this session's placeholder.
    pub values_masked: usize,
}

impl MaskReport {
    fn add(&mut self, kind: Kind, before: DataClasses) {
        self.classes_before = self.classes_before.union(before);
        self.classes_after = self.classes_after.union(kind.after_masking());
        *self.by_kind.entry(kind.name()).or_default() += 1;
        self.values_masked += 1;
    }
}

/// A session's placeholders and the values they stand for. Its values are a deny-set: once replaced, a value is replaced wherever it stands later.
/// It lives and dies with the session; nothing of it can be printed.
pub struct Vault {
    key: hmac::Key,
    entries: HashMap<Arc<str>, (Arc<str>, Kind)>,
    values: Arc<Values>,
    kinds: HashMap<Arc<str>, Kind>,
    counts: BTreeMap<Kind, u32>,
    patterns: Vec<(Arc<str>, Kind)>,
    known: Known,
    bytes: usize,
    changing: bool,
}

impl Vault {
    /// An empty vault. `key` makes placeholders unpredictable outside of the session; take 32 random bytes.
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            entries: HashMap::new(),
            values: Arc::default(),
            kinds: HashMap::new(),
            counts: BTreeMap::new(),
            patterns: Vec::new(),
            known: Known::default(),
            bytes: 0,
            changing: false,
        }
    }

    /// Replaces what `detectors` find in `text`, and every value replaced before, by placeholders; adds to `report` what it did. On an error nothing of
    /// `text` may travel.
    pub fn mask<'t>(&mut self, text: &'t str, detectors: &Detectors, report: &mut MaskReport) -> Result<Cow<'t, str>, Error> {
        if self.changing {
            return Err(Error::Crashed);
        }
        let mut candidates = detectors.candidates(text)?;
        self.changing = true;
        self.known.refresh(&self.patterns)?;
        self.changing = false;
        self.known.find(text, &self.patterns, |finding| candidates.push(finding));
        if candidates.len() > bounds::FINDINGS_MAX {
            return Err(Error::TooManyFindings { max: bounds::FINDINGS_MAX });
        }
        self.spare_placeholders(text, &mut candidates, report);
        let mut findings = Vec::new();
        resolve(candidates, &mut findings);
        self.replace(text, &findings, report)
    }

    /// Drops findings inside of this session's own placeholders, and reports those as values that were masked before.
    fn spare_placeholders(&self, text: &str, candidates: &mut Vec<Finding>, report: &mut MaskReport) {
        let mut own = Vec::new();
        for place in memchr::memmem::find_iter(text.as_bytes(), placeholder::PREFIX) {
            let Reading::Whole(length) = placeholder::read(text.as_bytes().get(place..).unwrap_or(&[])) else { continue };
            if let Some(kind) = text.get(place..place + length).and_then(|placeholder| self.kinds.get(placeholder)) {
                report.add(*kind, kind.after_masking());
                own.push(place..place + length);
            }
        }
        if !own.is_empty() {
            candidates.retain(|finding| {
                let after = own.partition_point(|range| range.start <= finding.start);
                let range = after.checked_sub(1).and_then(|index| own.get(index));
                range.is_none_or(|range| finding.end > range.end)
            });
        }
    }

    fn replace<'t>(&mut self, text: &'t str, findings: &[Finding], report: &mut MaskReport) -> Result<Cow<'t, str>, Error> {
        if findings.is_empty() {
            return Ok(Cow::Borrowed(text));
        }
        let mut masked = String::with_capacity(text.len());
        let mut written = 0;
        for finding in findings {
            let (Some(between), Some(value)) = (text.get(written..finding.start), text.get(finding.start..finding.end)) else {
                return Err(Error::Crashed);
            };
            let (placeholder, kind) = self.placeholder(value, finding.kind)?;
            masked.push_str(between);
            masked.push_str(&placeholder);
            report.add(kind, kind.classes().union(finding.kind.classes()));
            written = finding.end;
        }
        masked.push_str(text.get(written..).unwrap_or(""));
        Ok(Cow::Owned(masked))
    }

    /// The placeholder of `value`: the one that it has, or a new one.
    fn placeholder(&mut self, value: &str, kind: Kind) -> Result<(Arc<str>, Kind), Error> {
        if let Some((placeholder, kind)) = self.entries.get(value) {
            return Ok((Arc::clone(placeholder), *kind));
        }
        if value.len() > bounds::VALUE_BYTES_MAX {
            return Err(Error::ValueTooLong { bytes: value.len(), max: bounds::VALUE_BYTES_MAX });
        }
        if self.entries.len() >= bounds::VAULT_ENTRIES_MAX || self.bytes + value.len() > bounds::VAULT_BYTES_MAX {
            return Err(Error::VaultFull);
        }
        self.changing = true;
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let placeholder: Arc<str> = placeholder::mint(&self.key, kind, *count, value).into();
        let value: Arc<str> = value.into();
        self.bytes += value.len();
        Arc::make_mut(&mut self.values).insert(Arc::clone(&placeholder), Arc::clone(&value));
        self.kinds.insert(Arc::clone(&placeholder), kind);
        self.entries.insert(Arc::clone(&value), (Arc::clone(&placeholder), kind));
        self.remember(value, kind);
        self.changing = false;
        Ok((placeholder, kind))
    }

    /// Adds a value, and how it looks inside of JSON, to the deny-set.
    fn remember(&mut self, value: Arc<str>, kind: Kind) {
        let mut escaped = String::new();
        escape_json(&value, &mut escaped);
        if escaped.as_str() != &*value {
            self.patterns.push((escaped.into(), kind));
        }
        self.patterns.push((value, kind));
    }

    /// Puts values back for this session's placeholders; everything else stays as it is. Also says how many.
    pub fn restore<'t>(&self, text: &'t str) -> (Cow<'t, str>, u64) {
        self.restore_with(text, Escape::None)
    }

    /// As [`Self::restore`], for text in which values must be escaped.
    pub fn restore_with<'t>(&self, text: &'t str, escape: Escape) -> (Cow<'t, str>, u64) {
        if self.values.is_empty() || memchr::memmem::find(text.as_bytes(), placeholder::PREFIX.as_bytes()).is_none() {
            return (Cow::Borrowed(text), 0);
        }
        let mut out = String::with_capacity(text.len());
        let progress = restore_into(text, "", &self.values, escape, &mut out);
        if progress.restored == 0 {
            return (Cow::Borrowed(text), 0);
        }
        out.push_str(text.get(progress.undecided_from..).unwrap_or(""));
        (Cow::Owned(out), progress.restored)
    }

    /// Restores a text that arrives in pieces; one for each channel (a content block, a tool call's arguments). Knows the values of this moment.
    pub fn stream(&self, escape: Escape) -> Restorer {
        Restorer::new(Arc::clone(&self.values), escape)
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was replaced yet.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("values", &self.entries.len()).finish_non_exhaustive()
    }
}
