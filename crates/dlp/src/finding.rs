use crate::{Error, Kind, bounds};

/// A sensitive value in a text: where it stands and what it is. The value itself is never copied here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

/// Where detectors put what they find. Past its bound it refuses everything.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    found: Vec<Finding>,
    overflowed: bool,
}

impl Sink {
    pub(crate) fn push(&mut self, start: usize, end: usize, kind: Kind) {
        if self.found.len() >= bounds::FINDINGS_MAX {
            self.overflowed = true;
        } else if start < end {
            self.found.push(Finding { start, end, kind });
        }
    }

    pub(crate) fn finish(self) -> Result<Vec<Finding>, Error> {
        if self.overflowed { Err(Error::TooManyFindings { max: bounds::FINDINGS_MAX }) } else { Ok(self.found) }
    }
}

/// Sorts findings and joins those that overlap, so that none cuts another: the union is masked as one value, named by the surest kind, then by the
/// longest.
pub(crate) fn resolve(mut found: Vec<Finding>, out: &mut Vec<Finding>) {
    found.sort_unstable_by_key(|finding| (finding.start, std::cmp::Reverse(finding.end)));
    let mut widest = 0;
    let first = out.len();
    for finding in found {
        let length = finding.end - finding.start;
        match out.get_mut(first..).and_then(<[Finding]>::last_mut) {
            Some(last) if finding.start < last.end => {
                last.end = last.end.max(finding.end);
                if (finding.kind.rank(), length) > (last.kind.rank(), widest) {
                    last.kind = finding.kind;
                    widest = length;
                }
            }
            _ => {
                out.push(finding);
                widest = length;
            }
        }
    }
}
