use super::{ARM, FOREIGN, I386, NATIVE, Number, X32};
use crate::plan::Calls;
use crate::seccomp::Table;

#[test]
fn no_call_of_another_numbering_is_taken_for_one_of_the_machines() {
    let table = Table::new(&Calls::default()).unwrap();
    for number in (0..512).chain([u32::MAX, u32::MAX ^ X32, i32::MIN.cast_unsigned()]) {
        for (architecture, number) in [(I386, number), (ARM, number), (0, number), (NATIVE, number | X32)] {
            let foreign = Number::of(architecture, number);
            assert_eq!(foreign.if_native(), FOREIGN, "{foreign:?}");
            assert!(foreign.name().contains(':'), "{foreign:?}");
        }
    }
    assert!(table.rule(FOREIGN).is_none());
    assert_eq!(table.refusal(FOREIGN, &[0; 6]), libc::ENOSYS);
}

#[test]
fn names_tell_the_numbering() {
    assert_eq!(Number::of(I386, 20).name(), "i386:20");
    assert_eq!(Number::of(NATIVE, X32 | 0x27).name(), "x32:39");
    assert_eq!(Number::of(0x1234, 5).name(), "arch1234:5");
    assert_eq!(Number::native(1900).name(), "call_1900");
}
