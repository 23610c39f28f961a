//! The checksum of gzip (ISO 3309, RFC 1952 section 8), eight bytes a step.

const POLYNOMIAL: u32 = 0xedb8_8320;
static TABLES: [[u32; 256]; 8] = tables();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which would refuse a wrong index")]
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte: u8 = 0;
    loop {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        tables[0][byte as usize] = value;
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    let mut place = 1;
    while place < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[place - 1][byte];
            tables[place][byte] = before >> 8 ^ tables[0][(before & 255) as usize];
            byte += 1;
        }
        place += 1;
    }
    tables
}

/// The checksum of `bytes`.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut state = u32::MAX;
    for word in words {
        let mixed = u64::from_le_bytes(*word) ^ u64::from(state);
        let [t0, t1, t2, t3, t4, t5, t6, t7] = &TABLES;
        let [b0, b1, b2, b3, b4, b5, b6, b7] = mixed.to_le_bytes();
        state = at(t7, b0) ^ at(t6, b1) ^ at(t5, b2) ^ at(t4, b3) ^ at(t3, b4) ^ at(t2, b5) ^ at(t1, b6) ^ at(t0, b7);
    }
    let [first, ..] = &TABLES;
    for byte in rest {
        let [low, ..] = state.to_le_bytes();
        state = state >> 8 ^ at(first, low ^ byte);
    }
    !state
}

fn at(table: &[u32; 256], byte: u8) -> u32 {
    table.get(usize::from(byte)).copied().unwrap_or_default()
}
