//! Gzip (RFC 1952), strictly: one member with the header that the log's writer gives it, its checksum and length, and nothing after it.
//!
//! Code of its own, because a library would not say where a stream ends nor refuse spare bits, and the verifier is to stay small.

mod crc;
mod inflate;

/// What each bundle begins with: gzip, deflate, no flags, no time, no hint, no system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Why something is not the compressed form of at most so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GzipError {
    /// It does not begin as it must.
    Header,
    /// It is no deflate stream, or would become longer than allowed.
    Stream,
    /// The checksum or length does not fit.
    Checksum,
    /// Something follows.
    Trailing,
}

/// Writes what `file` holds into `out`, at most `bytes_max`.
pub(crate) fn decode(file: &[u8], out: &mut Vec<u8>, bytes_max: usize) -> Result<(), GzipError> {
    out.clear();
    let stream = file.strip_prefix(&HEADER).ok_or(GzipError::Header)?;
    let used = inflate::inflate(stream, out, bytes_max).ok_or(GzipError::Stream)?;
    let trailer = stream.get(used..).ok_or(GzipError::Stream)?;
    let (checks, rest) = trailer.split_first_chunk::<8>().ok_or(GzipError::Checksum)?;
    let length = u32::try_from(out.len()).map_err(|_| GzipError::Stream)?;
    let expected = u64::from(length) << 32 | u64::from(crc::crc32(out));
    if u64::from_le_bytes(*checks) != expected {
        return Err(GzipError::Checksum);
    }
    if rest.is_empty() { Ok(()) } else { Err(GzipError::Trailing) }
}

#[cfg(test)]
mod tests;
