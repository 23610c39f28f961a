use super::{check, environment};
use crate::Error;

#[test]
fn more_threads_than_allowed_are_refused() {
    assert!(matches!(check(0), Err(Error::Threads { found: 1.., allowed: 0 })));
}

#[test]
fn as_many_threads_as_there_are_pass() {
    check(usize::MAX).unwrap();
}

#[test]
fn the_environment_names_the_number_for_every_pool() {
    assert_eq!(environment(2), [("RAYON_NUM_THREADS", "2".to_owned()), ("CANDLE_NUM_THREADS", "2".to_owned())]);
}
