use super::{decode, encode};

#[test]
fn other_spellings_and_lengths_are_refused() {
    for text in ["", "0", "000", "0A", "0g", "0 ", "٠٠", "+0", "0000"] {
        assert_eq!(decode::<1>(text), None, "{text:?}");
    }
}

#[test]
fn every_byte_survives() {
    let all: [u8; 256] = std::array::from_fn(|byte| u8::try_from(byte).unwrap());
    assert_eq!(decode::<256>(&encode(&all)), Some(all));
    assert_eq!(encode(&[0x00, 0x9f, 0xf0]), "009ff0");
}
