//! Byte access that cannot fail, and the boundaries of values.

/// The text under search. Reading outside of it gives NUL, which is part of no value.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    text: &'a str,
    bytes: &'a [u8],
}

/// Bytes before and after a candidate in which context is looked for.
const CONTEXT_BEFORE: usize = 64;
const CONTEXT_AFTER: usize = 40;

impl<'a> Text<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes() }
    }

    pub(crate) fn as_str(self) -> &'a str {
        self.text
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn at(self, index: usize) -> u8 {
        self.bytes.get(index).copied().unwrap_or(0)
    }

    /// The byte `back` places before `index`.
    pub(crate) fn before(self, index: usize, back: usize) -> u8 {
        index.checked_sub(back).map_or(0, |place| self.at(place))
    }

    pub(crate) fn slice(self, start: usize, end: usize) -> &'a [u8] {
        self.bytes.get(start..end.min(self.bytes.len())).unwrap_or(&[])
    }

    /// How far `accept` holds from `start` on, at most `max` bytes: the end.
    pub(crate) fn span(self, start: usize, max: usize, accept: impl Fn(u8) -> bool) -> usize {
        let slice = self.slice(start, start.saturating_add(max));
        start + slice.iter().position(|byte| !accept(*byte)).unwrap_or(slice.len())
    }

    /// Whether a value may begin at `index`: no letter or digit goes before it, other than the end of an escape such as `\n` or `%3D`.
    pub(crate) fn opens(self, index: usize) -> bool {
        let previous = self.before(index, 1);
        if !is_word(previous) {
            return true;
        }
        let escape = self.before(index, 2) == b'\\' && matches!(previous, b'n' | b'r' | b't' | b'b' | b'f');
        escape
            || (self.before(index, 3) == b'%' && previous.is_ascii_hexdigit() && self.before(index, 2).is_ascii_hexdigit())
            || self.unicode_escape(index)
    }

    /// Whether `\u00XX` ends right before `index`.
    fn unicode_escape(self, index: usize) -> bool {
        self.before(index, 6) == b'\\' && self.before(index, 5) == b'u' && (1..=4).all(|back| self.before(index, back).is_ascii_hexdigit())
    }

    /// Whether a value may end at `index` (one past its last byte).
    pub(crate) fn closes(self, index: usize) -> bool {
        !is_word(self.at(index))
    }

    /// As [`Self::opens`], and no other number is joined before it by a dash, dot or such (as in UUIDs, versions and dates).
    pub(crate) fn opens_number(self, index: usize) -> bool {
        if !self.opens(index) {
            return false;
        }
        let previous = self.before(index, 1);
        !(is_joint(previous) && self.before(index, 2).is_ascii_alphanumeric() && self.word_has_digit(index.saturating_sub(1)))
    }

    /// As [`Self::closes`], and no further letter or digit is joined by a dash, dot or such.
    pub(crate) fn closes_number(self, index: usize) -> bool {
        self.closes(index)
            && !(is_joint(self.at(index))
                && self.at(index + 1).is_ascii_alphanumeric()
                && !(self.at(index) == b'.' && self.at(index + 1).is_ascii_alphabetic()))
    }

    fn word_has_digit(self, end: usize) -> bool {
        (1..=12).map(|back| self.before(end, back)).take_while(u8::is_ascii_alphanumeric).any(|byte| byte.is_ascii_digit())
    }

    /// Whether one of `words` (lower case) stands near the candidate: before it or shortly after it.
    pub(crate) fn has_context(self, start: usize, end: usize, words: &[&str]) -> bool {
        self.has_context_within((CONTEXT_BEFORE, CONTEXT_AFTER), start, end, words)
    }

    /// As [`Self::has_context`], within so many bytes before and after.
    pub(crate) fn has_context_within(self, reach: (usize, usize), start: usize, end: usize, words: &[&str]) -> bool {
        let before = self.slice(start.saturating_sub(reach.0), start);
        let after = self.slice(end, end.saturating_add(reach.1));
        words.iter().any(|word| holds_word(before, word.as_bytes()) || holds_word(after, word.as_bytes()))
    }
}

/// Whether `word` stands in `window` with no letter right before it or, for short words, right after it.
fn holds_word(window: &[u8], word: &[u8]) -> bool {
    let Some(first) = word.first() else { return false };
    memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), window).any(|place| {
        window.get(place..place + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word))
            && !place.checked_sub(1).and_then(|previous| window.get(previous)).is_some_and(u8::is_ascii_alphabetic)
            && (word.len() > 4 || !window.get(place + word.len()).is_some_and(u8::is_ascii_alphabetic))
    })
}

fn is_joint(byte: u8) -> bool {
    matches!(byte, b'-' | b'.' | b'/' | b':' | b'_')
}

/// Characters beyond ASCII bound a value: scripts without spaces put text right before a number.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}
