//! What tells a secret from an ordinary word.

/// How much of a value is looked at to tell what it is; the rest of a longer one is no different, and attackers choose the lengths.
const LOOK_BYTES_MAX: usize = 128;

/// Shannon entropy in bits per byte.
pub(super) fn entropy(value: &[u8]) -> f64 {
    let value = head(value);
    let mut counts = [0_u32; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total).map(|share| -share * share.log2()).sum()
}

/// Whether a value is a stand-in that people write instead of a secret.
pub(super) fn is_stand_in(value: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"xxxx",
        b"****",
        b"your",
        b"changeme",
        b"placeholder",
        b"redacted",
        b"example",
        b"process.env",
        b"os.environ",
        b"getenv",
        b"....",
        b"undefined",
    ];
    let value = head(value);
    let template = matches!(value.first(), Some(b'$' | b'<' | b'{' | b'[' | b'%' | b'('))
        || value.windows(2).any(|pair| matches!(pair, b"${" | b"{{" | b"()" | b"#{" | b"){" | b"&&"));
    template || WORDS.iter().any(|word| holds(value, word))
}

/// Whether `word` (lower case) stands in `value`, in either case.
fn holds(value: &[u8], word: &[u8]) -> bool {
    let Some(first) = word.first() else { return false };
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), value)
        .any(|place| value.get(place..place + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word)))
}

fn head(value: &[u8]) -> &[u8] {
    value.get(..LOOK_BYTES_MAX).unwrap_or(value)
}

/// Whether it has the shape of this product's placeholders.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    value.starts_with(b"BW_") && value.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}
