//! Deflate streams (RFC 1951), decoded within a bound.

mod bits;
mod codes;

use bits::Bits;
use codes::Codes;

const LENGTH_BASES: [u16; 29] =
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_EXTRA: [u8; 29] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASES: [u16; 30] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385,
    24577,
];
const DISTANCE_EXTRA: [u8; 30] = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
/// Order of the lengths of the code for code lengths.
const LENGTHS_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LITERALS_MAX: usize = 286;
const DISTANCES_MAX: usize = 30;
const END_OF_BLOCK: u16 = 256;

/// Appends what `stream` holds to `out`, which may become `bytes_max` long. Returns how many bytes of the stream were used; none if it is
/// malformed, too long, or has spare bits that are not zero.
pub(super) fn inflate(stream: &[u8], out: &mut Vec<u8>, bytes_max: usize) -> Option<usize> {
    let mut bits = Bits::new(stream);
    loop {
        let is_last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => stored(&mut bits, out, bytes_max)?,
            1 => compressed(&mut bits, out, bytes_max, &fixed()?)?,
            2 => {
                let codes = dynamic(&mut bits)?;
                compressed(&mut bits, out, bytes_max, &codes)?;
            }
            _ => return None,
        }
        if is_last {
            return bits.end();
        }
    }
}

/// Codes of literals with lengths, and of distances.
type Pair = (Codes, Codes);

fn stored(bits: &mut Bits<'_>, out: &mut Vec<u8>, bytes_max: usize) -> Option<()> {
    bits.align()?;
    let (length, complement) = (bits.take(16)?, bits.take(16)?);
    if length != !complement & 0xffff || out.len() + length as usize > bytes_max {
        return None;
    }
    for _ in 0..length {
        out.push(u8::try_from(bits.take(8)?).ok()?);
    }
    Some(())
}

fn fixed() -> Option<Pair> {
    let mut lengths = [8; 288];
    lengths.get_mut(144..256)?.fill(9);
    lengths.get_mut(256..280)?.fill(7);
    Some((Codes::new(&lengths, false)?, Codes::new(&[5; 32], false)?))
}

fn dynamic(bits: &mut Bits<'_>) -> Option<Pair> {
    let literals = bits.take(5)? as usize + 257;
    let distances = bits.take(5)? as usize + 1;
    let given = bits.take(4)? as usize + 4;
    if literals > LITERALS_MAX || distances > DISTANCES_MAX {
        return None;
    }
    let mut lengths = [0; 19];
    for place in LENGTHS_ORDER.iter().take(given) {
        *lengths.get_mut(*place)? = u8::try_from(bits.take(3)?).ok()?;
    }
    let code = Codes::new(&lengths, false)?;
    let mut lengths = Vec::with_capacity(LITERALS_MAX + DISTANCES_MAX);
    while lengths.len() < literals + distances {
        let (length, times) = match code.decode(bits)? {
            length @ 0..16 => (u8::try_from(length).ok()?, 1),
            16 => (*lengths.last()?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            _ => (0, 11 + bits.take(7)?),
        };
        lengths.extend((0..times).map(|_| length));
    }
    if lengths.len() != literals + distances || *lengths.get(usize::from(END_OF_BLOCK))? == 0 {
        return None;
    }
    let (literals, distances) = lengths.split_at_checked(literals)?;
    Some((Codes::new(literals, false)?, Codes::new(distances, true)?))
}

fn compressed(bits: &mut Bits<'_>, out: &mut Vec<u8>, bytes_max: usize, (literals, distances): &Pair) -> Option<()> {
    loop {
        let symbol = literals.decode(bits)?;
        if let Ok(byte) = u8::try_from(symbol) {
            if out.len() >= bytes_max {
                return None;
            }
            out.push(byte);
            continue;
        }
        if symbol == END_OF_BLOCK {
            return Some(());
        }
        let place = usize::from(symbol - END_OF_BLOCK - 1);
        let length = usize::from(*LENGTH_BASES.get(place)?) + bits.take(u32::from(*LENGTH_EXTRA.get(place)?))? as usize;
        let place = usize::from(distances.decode(bits)?);
        let distance = usize::from(*DISTANCE_BASES.get(place)?) + bits.take(u32::from(*DISTANCE_EXTRA.get(place)?))? as usize;
        if out.len() + length > bytes_max {
            return None;
        }
        repeat(out, distance, length)?;
    }
}

/// Appends `length` bytes from `distance` back; they may overlap with what is appended.
fn repeat(out: &mut Vec<u8>, distance: usize, mut length: usize) -> Option<()> {
    let start = out.len().checked_sub(distance)?;
    while length > 0 {
        let now = length.min(out.len() - start);
        out.extend_from_within(start..start + now);
        length -= now;
    }
    Some(())
}
