use super::{GzipError, decode};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use std::io::Write;

fn encode(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    let mut file = encoder.finish().unwrap();
    file[8] = 0;
    file
}

fn text() -> Vec<u8> {
    (0..4000_u32)
        .flat_map(|number| format!("{{\"time\":{},\"event\":{}}}", number * 7, number.wrapping_mul(2_654_435_761)).into_bytes())
        .collect()
}

fn decoded(file: &[u8], bytes_max: usize) -> Result<Vec<u8>, GzipError> {
    let mut out = vec![1, 2, 3];
    decode(file, &mut out, bytes_max).map(|()| out)
}

#[test]
fn one_byte_more_than_allowed_is_refused() {
    for level in [0, 1, 6, 9] {
        let file = encode(&text(), level);
        assert_eq!(decoded(&file, text().len() - 1), Err(GzipError::Stream));
        assert_eq!(decoded(&file, text().len()).unwrap(), text());
    }
    let run = encode(&vec![b'a'; 1 << 20], 9);
    assert_eq!(decoded(&run, (1 << 20) - 1), Err(GzipError::Stream));
    assert_eq!(decoded(&run, 1 << 20).unwrap().len(), 1 << 20);
}

#[test]
fn each_part_is_checked() {
    let file = encode(b"evidence", 6);
    for at in 0..10 {
        let mut other = file.clone();
        other[at] ^= 1;
        assert_eq!(decoded(&other, 100), Err(GzipError::Header), "{at}");
    }
    for at in file.len() - 8..file.len() {
        let mut other = file.clone();
        other[at] ^= 1;
        assert_eq!(decoded(&other, 100), Err(GzipError::Checksum), "{at}");
    }
    assert_eq!(decoded(&[file.as_slice(), &[0]].concat(), 100), Err(GzipError::Trailing));
    assert_eq!(decoded(&[file.as_slice(), &file].concat(), 100), Err(GzipError::Trailing), "a second member");
    for length in 0..file.len() {
        assert!(decoded(&file[..length], 100).is_err(), "{length}");
    }
}

#[test]
fn spare_bits_and_codes_that_leave_something_over_are_refused() {
    // The empty fixed block has 10 bits; the other 6 are spare.
    let empty = |second: u8| [&super::HEADER[..], &[3, second], &[0; 8]].concat();
    assert!(decoded(&empty(0), 0).unwrap().is_empty());
    for bit in 2..8 {
        assert_eq!(decoded(&empty(1 << bit), 0), Err(GzipError::Stream), "{bit}");
    }
    // A reserved block, a stored block with a wrong complement, a match before anything was written, a code of lengths that is not whole.
    for stream in [&[7][..], &[1, 1, 0, 0xff, 0xff, 0], &[3, 2, 0, 0], &[5, 0, 0, 0, 0, 0]] {
        assert_eq!(decoded(&[&super::HEADER[..], stream, &[0; 8]].concat(), 100), Err(GzipError::Stream), "{stream:?}");
    }
}

proptest! {
    #[test]
    fn what_another_implementation_wrote_is_read(pieces in prop::collection::vec(("[a-f]{0,40}", any::<[u8; 7]>(), 0..60_usize), 0..80), level in 0..10_u32) {
        let bytes: Vec<u8> = pieces.iter().flat_map(|(text, noise, times)| [text.repeat(*times).into_bytes(), noise.to_vec()].concat()).collect();
        prop_assert_eq!(decoded(&encode(&bytes, level), bytes.len()).unwrap(), bytes);
    }

    #[test]
    fn an_altered_file_is_refused_or_says_the_same(at in any::<prop::sample::Index>(), bit in 0..8_u32, level in 1..10_u32) {
        let mut file = encode(&text(), level);
        let at = at.index(file.len());
        file[at] ^= 1_u8 << bit;
        if let Ok(bytes) = decoded(&file, text().len()) {
            prop_assert_eq!(bytes, text());
        }
    }

    #[test]
    fn nothing_is_read_beyond_its_bound(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let file = [&super::HEADER[..], &bytes].concat();
        let mut out = Vec::new();
        let _any = decode(&file, &mut out, 1000);
        prop_assert!(out.len() <= 1000);
    }
}
