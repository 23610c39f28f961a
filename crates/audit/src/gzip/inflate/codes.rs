use super::bits::Bits;

/// Longest code, in bits.
const LENGTH_MAX: usize = 15;
/// Bits that are looked up at once.
const DIRECT_BITS: u32 = 10;
const DIRECT: usize = 1 << DIRECT_BITS;

/// A canonical Huffman code.
pub(super) struct Codes {
    /// By the next bits: symbol and length of a code of at most [`DIRECT_BITS`]; length 0 for longer ones.
    direct: [(u16, u8); DIRECT],
    /// How many codes have each length.
    counts: [u16; LENGTH_MAX + 1],
    /// Symbols in the order of their codes.
    symbols: Vec<u16>,
}

impl Codes {
    /// The code in which each symbol has such a length; 0 for none. Only a code of distances may leave something over, if it has at most
    /// one symbol (RFC 1951 section 3.2.7).
    pub(super) fn new(lengths: &[u8], is_of_distances: bool) -> Option<Self> {
        let mut counts = [0_u16; LENGTH_MAX + 1];
        for length in lengths.iter().filter(|length| **length > 0) {
            *counts.get_mut(usize::from(*length))? += 1;
        }
        let mut left: i32 = 1;
        let mut firsts = [0_u32; LENGTH_MAX + 2];
        let mut code = 0_u32;
        for (length, count) in counts.iter().enumerate().skip(1) {
            left = (left << 1) - i32::from(*count);
            code <<= 1;
            *firsts.get_mut(length)? = code;
            code += u32::from(*count);
            if left < 0 {
                return None;
            }
        }
        let symbols_used: u16 = counts.iter().sum();
        if left > 0 && !(is_of_distances && symbols_used <= 1) {
            return None;
        }
        let mut codes = Self { direct: [(0, 0); DIRECT], counts, symbols: Vec::with_capacity(lengths.len()) };
        for length in 1..=u8::try_from(LENGTH_MAX).ok()? {
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, its)| **its == length) {
                let symbol = u16::try_from(symbol).ok()?;
                codes.symbols.push(symbol);
                let next = firsts.get_mut(usize::from(length))?;
                codes.enter(symbol, *next, length)?;
                *next += 1;
            }
        }
        Some(codes)
    }

    /// Enters a short code at every place that begins with it.
    fn enter(&mut self, symbol: u16, code: u32, length: u8) -> Option<()> {
        if u32::from(length) > DIRECT_BITS {
            return Some(());
        }
        // Codes are packed from their highest bit on.
        let first = (code.reverse_bits() >> (32 - u32::from(length))) as usize;
        for entry in self.direct.get_mut(first..)?.iter_mut().step_by(1 << length) {
            *entry = (symbol, length);
        }
        Some(())
    }

    /// The next symbol.
    #[inline]
    pub(super) fn decode(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let next = bits.peek();
        let (symbol, length) = *self.direct.get(usize::try_from(next).ok()? & (DIRECT - 1))?;
        if length > 0 {
            bits.skip(u32::from(length))?;
            return Some(symbol);
        }
        self.decode_long(next, bits)
    }

    fn decode_long(&self, mut next: u64, bits: &mut Bits<'_>) -> Option<u16> {
        let (mut code, mut first, mut before) = (0_u32, 0_u32, 0_u32);
        for (length, count) in (0..).zip(self.counts).skip(1) {
            code |= u32::try_from(next & 1).ok()?;
            next >>= 1;
            let count = u32::from(count);
            if code < first + count {
                bits.skip(length)?;
                return self.symbols.get((before + code - first) as usize).copied();
            }
            before += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}
