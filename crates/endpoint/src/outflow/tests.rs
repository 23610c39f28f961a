use super::*;

#[test]
fn more_than_a_second_brings_is_waited_for() {
    let start = Instant::now();
    let mut pace = Pace { bytes_per_second_max: 1000, credit_bytes: 1000, since: start };
    assert_eq!(pace.pause(1000, start), Duration::ZERO);
    assert_eq!(pace.pause(500, start), Duration::from_millis(500));
    // The pause itself paid what was owed, and nothing is saved for more than a second.
    let later = start + Duration::from_millis(500);
    assert_eq!(pace.pause(0, later), Duration::ZERO);
    assert_eq!(pace.pause(600, later), Duration::from_millis(600));
    assert_eq!(pace.pause(2000, later + Duration::from_mins(1)), Duration::from_secs(1));
}
