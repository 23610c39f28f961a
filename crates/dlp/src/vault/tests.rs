use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

const IBAN: &str = "DE89 3704 0044 0532 0130 00";
const MAIL: &str = "erika.mustermann@firma.example";

fn vault() -> Vault {
    Vault::new([7; 32])
}

fn masked(vault: &mut Vault, text: &str) -> String {
    vault.mask(text, &Detectors::standard(), &mut MaskReport::default()).unwrap().into_owned()
}

#[test]
fn a_full_vault_refuses() {
    let mut vault = vault();
    vault.bytes = bounds::VAULT_BYTES_MAX;
    assert_eq!(vault.mask(IBAN, &Detectors::standard(), &mut MaskReport::default()), Err(Error::VaultFull));
}

#[test]
fn a_vault_that_crashed_while_changing_refuses() {
    let mut vault = vault();
    vault.changing = true;
    assert_eq!(vault.mask("nothing", &Detectors::standard(), &mut MaskReport::default()), Err(Error::Crashed));
}

#[test]
fn same_value_same_placeholder_other_surface_other_placeholder() {
    let mut vault = vault();
    let text = masked(&mut vault, &format!("{IBAN} {MAIL} DE89370400440532013000 {IBAN}"));
    let words: Vec<_> = text.split(' ').collect();
    assert_eq!(words.len(), 4, "{text}");
    assert_eq!(words[0], words[3]);
    assert_ne!(words[0], words[2]);
    assert!(words[0].starts_with("BW_IBAN_1_") && words[1].starts_with("BW_EMAIL_1_") && words[2].starts_with("BW_IBAN_2_"));
    assert!(text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_' || byte == b' '));
}

#[test]
fn placeholders_are_keyed() {
    let (mut one, mut other) = (vault(), Vault::new([8; 32]));
    assert_ne!(masked(&mut one, IBAN), masked(&mut other, IBAN));
    assert_eq!(one.restore(&masked(&mut other, IBAN)).1, 0);
}

#[test]
fn values_replaced_before_are_masked_even_inside_of_words() {
    let mut vault = vault();
    let placeholder = masked(&mut vault, IBAN);
    assert_eq!(masked(&mut vault, &format!("x{IBAN}x")), format!("x{placeholder}x"));
}

#[test]
fn own_placeholders_pass_and_count_as_masked_personal_data() {
    let mut vault = vault();
    let placeholder = masked(&mut vault, IBAN);
    let mut report = MaskReport::default();
    let text = format!("transfer to {placeholder}");
    assert!(matches!(vault.mask(&text, &Detectors::standard(), &mut report), Ok(Cow::Borrowed(_))));
    assert_eq!((report.values_masked, report.classes_after), (1, Kind::Iban.after_masking()));
}

#[test]
fn foreign_placeholders_stay() {
    let mut vault = vault();
    masked(&mut vault, IBAN);
    let foreign = "BW_IBAN_1_AAAAAAAA BW_IBAN_1_ BW_ B BW_NONE_1_AAAAAAAA";
    assert_eq!(masked(&mut vault, foreign), foreign);
    assert_eq!(vault.restore(foreign), (Cow::Borrowed(foreign), 0));
}

#[test]
fn json_restoring_escapes_once() {
    let mut vault = vault();
    let (placeholder, _) = vault.placeholder("a\"b\\c\nd\u{1}é", Kind::Secret).unwrap();
    let json = format!("{{\"x\":\"{placeholder}\"}}");
    let (text, count) = vault.restore_with(&json, Escape::Json);
    assert_eq!(count, 1);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["x"], "a\"b\\c\nd\u{1}é");
}

#[test]
fn nothing_is_held_back_that_cannot_become_a_placeholder() {
    let mut restorer = vault().stream(Escape::None);
    assert_eq!(restorer.push("plain B plain BWx BW_IBAN_1_K7F"), "plain B plain BWx ");
    assert_eq!(restorer.push("-"), "BW_IBAN_1_K7F-");
    assert_eq!(restorer.finish(), "");
}

fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(IBAN.to_owned()),
        Just(MAIL.to_owned()),
        Just("4539148803436467".to_owned()),
        Just("password = \"hunter2-Xk9\" ".to_owned()),
        Just("BW_".to_owned()),
        Just("BW_IBAN_1_".to_owned()),
        Just("BW_EMAIL_1_ABCDEF".to_owned()),
        Just(" ".to_owned()),
        "\\PC{0,6}",
        "[BW_A-Z0-9]{0,5}",
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// Cuts `text` at character boundaries near the given places.
fn chunks<'t>(text: &'t str, cuts: &[usize]) -> Vec<&'t str> {
    let mut places: Vec<_> = cuts.iter().map(|cut| text.floor_char_boundary(cut % (text.len() + 1))).collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| text.get(pair[0]..pair[1]).unwrap()).collect()
}

proptest! {
    #[test]
    fn mask_chunk_restore_is_the_identity(text in texts(), cuts in prop::collection::vec(any::<usize>(), 0..40)) {
        let mut vault = vault();
        let masked = masked(&mut vault, &text);
        prop_assert_eq!(&vault.restore(&masked).0, &text);
        let mut restorer = vault.stream(Escape::None);
        let mut restored: String = chunks(&masked, &cuts).into_iter().map(|chunk| restorer.push(chunk)).collect();
        restored.push_str(&restorer.finish());
        prop_assert_eq!(&restored, &text);
        let masked_again = self::masked(&mut vault, &text);
        prop_assert_eq!(&vault.restore(&masked_again).0, &text);
    }
}

#[test]
fn a_value_in_json_in_strings_is_escaped_for_each_level() {
    let key = ["-----BEGIN EC PRIVATE KEY-----", "MHcCAQEEIAsynthetic", "-----END EC PRIVATE KEY-----"].join("\n");
    let mut vault = vault();
    let placeholder = masked(&mut vault, &key);
    let once = key.replace('\n', "\\n");
    let (twice, thrice) = (key.replace('\n', "\\\\n"), key.replace('\n', "\\\\\\\\n"));
    for (escape, before, value, after) in [
        // A text, a shell's assignment and a list are no members: as often as the text as such.
        (Escape::None, "key: ", &key, ""),
        (Escape::None, "KEY=\"", &key, "\""),
        (Escape::Json, "{\"file\":\"KEY=\\\"", &once, "\\\"\"}"),
        (Escape::Json, "{\"text\":\"", &once, "\"}"),
        (Escape::Json, "{\"odd\\\\\":\\\\\"", &once, "\"}"),
        // Members of JSON, in the text itself and in strings of it.
        (Escape::None, "{\"key\": \"", &once, "\"}"),
        (Escape::Json, "{\"file\":\"{\\\"key\\\":  \\\"", &twice, "\\\"}\"}"),
        (Escape::Json, "{\"a\":\"{\\\"b\\\":\\\"{\\\\\\\"c\\\\\\\":\\\\\\\"", &thrice, "\\\\\\\"}\\\"}\"}"),
    ] {
        let text = format!("{before}{placeholder}{after}");
        let restored = format!("{before}{value}{after}");
        assert_eq!(vault.restore_with(&text, escape).0, restored, "{before}");
        // In pieces of any size it comes out the same.
        for size in [1, 2, 5, 60] {
            let mut stream = vault.stream(escape);
            let pieces = text.as_bytes().chunks(size).map(|piece| stream.push(std::str::from_utf8(piece).unwrap())).collect::<Vec<_>>();
            assert_eq!(pieces.concat() + &stream.finish(), restored, "{before} {size}");
        }
    }
}
