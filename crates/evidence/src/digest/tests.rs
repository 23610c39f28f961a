use super::DigestKey;

#[test]
fn the_key_never_shows_in_debug_output() {
    let key = DigestKey::from_bytes([0x41; 32]);
    let shown = format!("{key:?} {:?}", key.hasher("prompt"));
    assert!(!shown.contains("AAAA") && !shown.contains("4141") && !shown.contains("65, 65"), "{shown}");
}

#[test]
fn other_domains_and_other_keys_give_other_digests() {
    let key = DigestKey::from_bytes([1; 32]);
    let other = DigestKey::from_bytes([2; 32]);
    assert_ne!(key.digest("a", b"bc"), key.digest("ab", b"c"));
    assert_ne!(key.digest("a", b"bc").hmac_sha256, other.digest("a", b"bc").hmac_sha256);
    assert_ne!(key.id(), other.id());
}

#[test]
fn pieces_give_the_digest_of_the_whole() {
    let key = DigestKey::from_bytes([7; 32]);
    let mut hasher = key.hasher("answer");
    hasher.update(b"one ");
    hasher.update(b"two");
    assert_eq!(hasher.finish(), key.digest("answer", b"one two"));
}

#[test]
fn a_key_survives_the_way_to_another_process() {
    let key = DigestKey::from_bytes([9; 32]);
    let there = DigestKey::from_bytes(*key.to_bytes());
    assert_eq!(key.digest("x", b"y"), there.digest("x", b"y"));
}
