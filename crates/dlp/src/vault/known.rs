//! Finds the values that a session replaced before, wherever they stand.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::{Error, Finding, Kind};

/// A run of values and the automaton that finds them.
struct Segment {
    first: usize,
    automaton: AhoCorasick,
}

/// Automata over all values. New values make a small one; segments are joined when they are of like size, so that the work of building stays
/// `O(n log n)` over a session and a search passes over the text `O(log n)` times.
#[derive(Default)]
pub(super) struct Known {
    segments: Vec<Segment>,
    covered: usize,
}

impl Known {
    /// Covers `values` from now on: the earlier ones, unchanged, and whatever was added.
    pub(super) fn refresh(&mut self, values: &[(Arc<str>, Kind)]) -> Result<(), Error> {
        if self.covered == values.len() {
            return Ok(());
        }
        let mut first = self.covered;
        while let Some(last) = self.segments.last() {
            if first - last.first > 2 * (values.len() - first) {
                break;
            }
            first = last.first;
            self.segments.pop();
            self.covered = first;
        }
        let patterns = values.get(first..).unwrap_or(&[]).iter().map(|(value, _)| value.as_bytes());
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(patterns).map_err(|_| Error::KnownValues)?;
        self.segments.push(Segment { first, automaton });
        self.covered = values.len();
        Ok(())
    }

    /// Every place where a value stands.
    pub(super) fn find(&self, text: &str, values: &[(Arc<str>, Kind)], mut found: impl FnMut(Finding)) {
        for segment in &self.segments {
            for place in segment.automaton.find_iter(text.as_bytes()) {
                if let Some((_, kind)) = values.get(segment.first + place.pattern().as_usize()) {
                    found(Finding { start: place.start(), end: place.end(), kind: *kind });
                }
            }
        }
    }
}
