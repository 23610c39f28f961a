/// Bits of a stream, the lowest of each byte first.
pub(super) struct Bits<'a> {
    input: &'a [u8],
    /// Bytes that were taken into `held`.
    position: usize,
    held: u64,
    /// How many of the held bits count.
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, position: 0, held: 0, count: 0 }
    }

    /// The next bits, zeros after the end. As many as a code and its extra bits have are held if the stream has them.
    pub(super) fn peek(&mut self) -> u64 {
        if self.count < 32 {
            self.fill();
        }
        self.held
    }

    /// Passes over `count` bits.
    pub(super) fn skip(&mut self, count: u32) -> Option<()> {
        self.count = self.count.checked_sub(count)?;
        self.held >>= count;
        Some(())
    }

    /// Takes at most 16 bits.
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        let bits = self.peek() & ((1 << count) - 1);
        self.skip(count)?;
        u32::try_from(bits).ok()
    }

    /// Passes over the rest of a byte; it must be zero.
    pub(super) fn align(&mut self) -> Option<()> {
        let spare = self.count % 8;
        if self.take(spare)? == 0 { Some(()) } else { None }
    }

    /// How many bytes were used, once nothing more is taken.
    pub(super) fn end(mut self) -> Option<usize> {
        self.align()?;
        self.position.checked_sub(self.count as usize / 8)
    }

    fn fill(&mut self) {
        if let Some(word) = self.input.get(self.position..).and_then(|rest| rest.first_chunk()) {
            let bytes = (63 - self.count) / 8;
            let room = self.count + bytes * 8;
            // Bits above `room` would count twice.
            self.held |= (u64::from_le_bytes(*word) << self.count) & (u64::MAX >> (64 - room));
            self.count = room;
            self.position += bytes as usize;
            return;
        }
        while let Some(byte) = self.input.get(self.position).filter(|_| self.count <= 56) {
            self.held |= u64::from(*byte) << self.count;
            self.count += 8;
            self.position += 1;
        }
    }
}
