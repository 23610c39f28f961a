use super::pair;
use crate::limit::Limit;
use crate::supervise::Cause;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

fn is_readable(bell: &super::Bell) -> bool {
    poll(&mut [PollFd::new(bell, PollFlags::IN)], Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() > 0
}

#[test]
fn the_first_cause_counts_and_stays() {
    let (alarm, bell) = pair().unwrap();
    assert!(!is_readable(&bell) && bell.rung().is_none());
    alarm.clone().raise(Cause::Limit(Limit::Memory));
    alarm.raise(Cause::Limit(Limit::Output));
    for _ in 0..2 {
        assert!(is_readable(&bell));
        assert_eq!(bell.rung(), Some(Cause::Limit(Limit::Memory)));
    }
}

#[test]
fn whoever_raises_it_over_and_over_is_never_held_up() {
    let (alarm, bell) = pair().unwrap();
    // More than any socket holds; a blocking one would hold this thread for ever.
    for _ in 0..1_000_000 {
        alarm.raise(Cause::SupervisionFailed);
    }
    assert_eq!(bell.rung(), Some(Cause::SupervisionFailed));
}

#[test]
fn a_bell_that_nobody_can_ring_any_more_is_heard() {
    let (alarm, bell) = pair().unwrap();
    let other = alarm.clone();
    drop(alarm);
    assert!(!is_readable(&bell));
    drop(other);
    assert!(is_readable(&bell) && bell.rung().is_none());
}
