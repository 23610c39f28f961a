use super::PublicKey;
use schema::{Seal, Token};

/// RFC 8032 section 7.1, test 2.
const KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

fn seal(signature: &str) -> Seal {
    Seal { key_id: Token::parse("k").unwrap(), ed25519: Token::parse(signature).unwrap() }
}

#[test]
fn what_is_no_key_is_refused() {
    let weak = format!("01{}", "0".repeat(62));
    for text in ["", "3d", &KEY.to_uppercase(), &format!("{KEY}00"), &weak] {
        assert!(PublicKey::parse(text).is_err(), "{text}");
    }
}

#[test]
fn another_input_signature_or_spelling_is_refused() {
    let key = PublicKey::parse(KEY).unwrap();
    assert!(!key.verifies("s", &seal(SIGNATURE)));
    assert!(!key.verifies("r", &seal(&SIGNATURE.to_uppercase())));
    assert!(!key.verifies("r", &seal(&SIGNATURE.replacen('9', "8", 1))));
    assert!(!key.verifies("r", &seal("00")));
}

#[test]
fn the_vector_of_rfc_8032_verifies() {
    let key = PublicKey::parse(&format!("{KEY}\n")).unwrap();
    assert!(key.verifies("r", &seal(SIGNATURE)));
    assert_eq!((key.to_hex().as_str(), key.id().len()), (KEY, 16));
}
