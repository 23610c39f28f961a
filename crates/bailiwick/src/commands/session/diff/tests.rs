use super::printable;

#[test]
fn nothing_in_a_line_moves_hides_or_turns_what_a_reader_sees() {
    for code in [
        0x7, 0x8, 0xd, 0x1b, 0x7f, 0x9b, 0xad, 0x61c, 0x200b, 0x200f, 0x2028, 0x2029, 0x202e, 0x2062, 0x2069, 0x3164, 0xfe0f, 0xe0041,
        0xe0101,
    ] {
        let character = char::from_u32(code).unwrap();
        assert_eq!(printable(&format!("+a{character}b")), format!("+a\\u{{{code:x}}}b"));
    }
    let plain = "+\tÜber 漢字, ça – «ok» 🙂 \\";
    assert_eq!(printable(plain), plain);
}
