use super::{PublicKey, WitnessKey};
use crate::{base64, hex};

/// RFC 8032 section 7.1, test 2.
const KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

fn verifier_key(name: &str, kind: u8) -> String {
    let key = PublicKey::parse(KEY).unwrap();
    let id = hex::encode(&super::note_id(name, kind, &key.key));
    format!("{name}+{id}+{}", base64::encode(&[&[kind], key.key.as_bytes().as_slice()].concat()))
}

#[test]
fn what_is_no_key_is_refused() {
    let weak = format!("01{}", "0".repeat(62));
    let good = verifier_key("a/log", 1);
    let id = good.split('+').nth(1).unwrap();
    let other_id = good.replace(id, "00000000");
    let long = format!("{good}AAAA");
    for text in ["", "3d", &KEY.to_uppercase(), &format!("{KEY}00"), &weak, &other_id, &long, &good.replace("a/log", "b/log")] {
        assert!(PublicKey::parse(text).is_err(), "{text}");
    }
    assert!(PublicKey::parse(&verifier_key("a/log", 4)).is_err(), "a witness's key is not a log's");
    assert!(PublicKey::parse(&verifier_key("a/log", 2)).is_err(), "another algorithm");
    assert!(WitnessKey::parse(&good).is_err(), "a log's key is not a witness's");
}

#[test]
fn another_input_signature_or_length_is_refused() {
    let key = PublicKey::parse(KEY).unwrap();
    let signature: [u8; 64] = hex::decode(SIGNATURE).unwrap();
    let mut other = signature;
    other[0] ^= 1;
    assert!(!key.verifies("s", &signature));
    assert!(!key.verifies("r", &other));
    assert!(!key.verifies("r", &signature[..63]));
}

#[test]
fn the_vector_of_rfc_8032_verifies_by_either_form_of_the_key() {
    let signature: [u8; 64] = hex::decode(SIGNATURE).unwrap();
    for text in [format!("{KEY}\n"), format!("{}\n", verifier_key("a/log", 1))] {
        let key = PublicKey::parse(&text).unwrap();
        assert!(key.verifies("r", &signature));
        assert_eq!(key.to_hex(), KEY);
    }
    assert_eq!(PublicKey::parse(&verifier_key("a/log", 1)).unwrap().origin(), Some("a/log"));
    assert_eq!(WitnessKey::parse(&verifier_key("w.example/1", 4)).unwrap().name(), "w.example/1");
}
