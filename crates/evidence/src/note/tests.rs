use super::{Checkpoint, NoteSignature, key_id, verifier_key};
use crate::Keys;
use data_encoding::BASE64;
use schema::{SignError, SignatureAlgorithm, Signer};

/// The public key of the example in C2SP signed-note.
struct Published(Vec<u8>);

impl Signer for Published {
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Ed25519
    }
    fn public_key(&self) -> &[u8] {
        &self.0
    }
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Err(SignError::Unavailable)
    }
}

#[test]
fn a_key_is_named_as_in_the_published_example() {
    let key = BASE64.decode(b"AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").unwrap();
    let published = Published(key[1..].to_vec());
    assert_eq!(verifier_key("example.com/foo", &published), "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint { origin: "bailiwick/log/test".into(), size, root: [7; 32] }
}

#[test]
fn a_signed_checkpoint_is_read_back_and_its_signature_holds() {
    for algorithm in [SignatureAlgorithm::Ed25519, SignatureAlgorithm::EcdsaP256] {
        let place = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_create_with(&place.path().join("keys"), algorithm).unwrap();
        let note = checkpoint(5).sign(keys.signer()).unwrap();
        let (read, signatures) = Checkpoint::parse(&note).unwrap();
        assert_eq!(read, checkpoint(5));
        assert!(keys.verifies(&read, &signatures[0]), "{algorithm:?}");
        assert!(!keys.verifies(&checkpoint(6), &signatures[0]), "{algorithm:?}");
        assert_eq!(signatures[0].key_id, key_id("bailiwick/log/test", keys.signer()));
    }
}

#[test]
fn a_checkpoint_in_any_other_form_is_not_read() {
    let place = tempfile::tempdir().unwrap();
    let keys = Keys::load_or_create(&place.path().join("keys")).unwrap();
    let note = checkpoint(5).sign(keys.signer()).unwrap();
    let root = BASE64.encode(&[7; 32]);
    let altered = [
        note.replacen("\n5\n", "\n05\n", 1),
        note.replacen("\n5\n", "\n+5\n", 1),
        note.replacen(&root, root.trim_end_matches('='), 1),
        note.replacen("\n\n", "\nan extension\n\n", 1),
        note.replacen("\n\n", "\n", 1),
        note.replacen("bailiwick/log/test\n", "\n", 1),
        note.trim_end().to_owned(),
        note.clone() + "\n",
        note.replacen('\u{2014}', "-", 1),
    ];
    for altered in altered {
        assert!(altered != note && Checkpoint::parse(&altered).is_none(), "{altered:?}");
    }
    assert_eq!(NoteSignature::parse("\u{2014} name AAA="), None);
}
