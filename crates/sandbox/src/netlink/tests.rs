use super::*;

fn answer(kind: u16, code: i32) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(20_u32.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend([0; 10]);
    bytes.extend(code.to_ne_bytes());
    bytes
}

#[test]
fn a_refusal_is_an_error() {
    let error = read_answers(&answer(ERROR, -libc::EPERM)).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EPERM));
}

#[test]
fn a_broken_answer_is_an_error() {
    assert!(read_answers(&[1, 2, 3]).is_err());
    let mut lying = answer(ERROR, 0);
    lying[0] = 200;
    assert!(read_answers(&lying).is_err());
    lying[0] = 4;
    assert!(read_answers(&lying).is_err());
}

#[test]
fn acknowledgements_are_counted() {
    let mut both = answer(ERROR, 0);
    both.extend(answer(3, 0));
    both.extend(answer(ERROR, 0));
    assert_eq!(read_answers(&both).unwrap(), 2);
}

#[test]
fn attributes_are_padded() {
    let inner = Attributes::new().text(1, "ab").be32(2, 7);
    assert_eq!(inner.0.len(), 16);
    let mut batch = Batch::default();
    batch.message(5, REQUEST, &[0; 4], &Attributes::new().nest(3, &inner));
    assert_eq!(batch.bytes().len(), 16 + 4 + 20);
    assert_eq!(batch.bytes()[..4], 40_u32.to_ne_bytes());
}
