use super::{Characters, token_bytes};
use proptest::prelude::*;

/// The table as its source writes it (GPT-2, `bytes_to_unicode`).
fn table() -> Vec<char> {
    let mut fresh = 0;
    let written = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let mut character = |byte: u8| {
        if written(byte) {
            return char::from(byte);
        }
        fresh += 1;
        char::from_u32(0x100 + fresh - 1).unwrap()
    };
    (0..=255).map(&mut character).collect()
}

#[test]
fn every_byte_has_its_character() {
    for (byte, character) in table().into_iter().enumerate() {
        assert_eq!(token_bytes(&character.to_string()), [u8::try_from(byte).unwrap()], "byte {byte}");
    }
}

#[test]
fn a_character_outside_the_table_stands_for_itself() {
    assert_eq!(token_bytes("€"), "€".as_bytes());
}

#[test]
fn a_character_is_never_cut() {
    let mut characters = Characters::default();
    let bytes = "aé€😀".as_bytes();
    let pieces: Vec<String> = bytes.iter().map(|byte| characters.push(&[*byte])).collect();
    assert_eq!(pieces, ["a", "", "é", "", "", "€", "", "", "", "😀"]);
    assert_eq!(characters.finish(), "");
}

#[test]
fn a_start_that_stays_one_is_replaced_at_the_end() {
    let mut characters = Characters::default();
    assert_eq!(characters.push(b"a\xf0\x9f"), "a");
    assert_eq!(characters.finish(), "\u{fffd}");
    assert_eq!(characters.finish(), "");
}

#[test]
fn what_cannot_become_a_character_is_replaced_at_once() {
    assert_eq!(Characters::default().push(b"\xe2\x82b\xff"), "\u{fffd}b\u{fffd}");
}

proptest! {
    #[test]
    fn cuts_change_nothing(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..5), 0..12)) {
        let mut characters = Characters::default();
        let mut text: String = pieces.iter().map(|piece| characters.push(piece)).collect();
        prop_assert!(characters.held.len() < 4);
        text.push_str(&characters.finish());
        let expected = String::from_utf8_lossy(&pieces.concat()).into_owned();
        prop_assert_eq!(text, expected);
    }
}
