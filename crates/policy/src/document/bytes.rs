//! Numbers of bytes as people write them: `4 GiB`.

const UNITS: [(&str, u32); 5] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];

/// Reads `4 GiB`, `512MiB`, `100 B`; powers of two only (IEC 80000-13).
pub(crate) fn parse(text: &str) -> Option<u64> {
    UNITS.iter().find_map(|(unit, shift)| {
        let number: u64 = text.strip_suffix(unit)?.trim_end_matches(' ').parse().ok()?;
        number.checked_mul(1 << shift)
    })
}

/// Writes a number of bytes with the largest unit that divides it.
pub(crate) fn text(bytes: u64) -> String {
    UNITS
        .iter()
        .find(|(_, shift)| bytes != 0 && bytes.trailing_zeros() >= *shift)
        .map_or_else(|| format!("{bytes} B"), |(unit, shift)| format!("{} {unit}", bytes >> shift))
}
