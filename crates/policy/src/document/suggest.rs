//! Which known word a mistyped one was meant to be.

/// The nearest of `known` to `word`, if one is near enough to be meant.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let bound = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= bound || is_part(word, candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A word that is the beginning or the end of the candidate (`memory` for `memory_bytes_max`).
fn is_part(word: &str, candidate: &str) -> bool {
    word.len() >= 4 && (candidate.starts_with(word) || candidate.ends_with(word))
}

/// Edit distance (Levenshtein, 1966), one row at a time.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, a) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        for (slot, b) in std::iter::once(None).chain(right.chars().map(Some)).zip(row.iter_mut()).map(|(b, slot)| (slot, b)) {
            let above = *slot;
            let value = match b {
                None => line + 1,
                Some(b) => (diagonal + usize::from(a != b)).min(above + 1).min(before + 1),
            };
            if b.is_some() {
                diagonal = above;
            }
            before = value;
            *slot = value;
        }
    }
    row.last().copied().unwrap_or(0)
}
