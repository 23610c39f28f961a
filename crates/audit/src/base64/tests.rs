use super::{decode, encode};

#[test]
fn other_spellings_are_refused() {
    for text in ["", "A", "AA", "AAA", "AA==A", "AB==", "AAB=", "A===", "====", "AA-_", "AA\n=", "QQ=Q", "QUJD=", "QUJDQQ"] {
        assert_eq!(decode(text), None, "{text:?}");
    }
}

#[test]
fn the_vectors_of_rfc_4648_and_every_length_survive() {
    for (bytes, text) in
        [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")]
    {
        assert_eq!((encode(bytes.as_bytes()).as_str(), decode(text).unwrap().as_slice()), (text, bytes.as_bytes()));
    }
    let all: Vec<u8> = (0..=255).rev().collect();
    for length in 1..all.len() {
        assert_eq!(decode(&encode(&all[..length])).unwrap(), all[..length]);
    }
}
