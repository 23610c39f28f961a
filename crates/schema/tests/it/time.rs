use proptest::prelude::*;
use schema::Timestamp;

fn text(unix_ms: u64) -> String {
    Timestamp { unix_ms }.to_string()
}

#[test]
fn days_that_calendars_get_wrong() {
    // Each by `date -u -d @SECONDS`.
    for (seconds, date) in [
        (0, "1970-01-01T00:00:00"),
        (68_169_600, "1972-02-29T00:00:00"),
        (951_782_400, "2000-02-29T00:00:00"),
        (951_868_800, "2000-03-01T00:00:00"),
        (1_768_651_200, "2026-01-17T12:00:00"),
        (1_835_395_199, "2028-02-28T23:59:59"),
        (4_107_542_399, "2100-02-28T23:59:59"),
        (4_107_542_400, "2100-03-01T00:00:00"),
        (253_402_300_799, "9999-12-31T23:59:59"),
    ] {
        assert_eq!(text(seconds * 1000), format!("{date}.000Z"));
        assert_eq!(text(seconds * 1000 + 999), format!("{date}.999Z"));
    }
}

proptest! {
    /// Reports sort by the text.
    #[test]
    fn later_is_greater_as_text_too(one in 0..253_402_300_800_000_u64, other in 0..253_402_300_800_000_u64) {
        prop_assert_eq!(text(one).cmp(&text(other)), one.cmp(&other));
    }

    #[test]
    fn any_number_is_written(unix_ms in any::<u64>()) {
        prop_assert!(text(unix_ms).ends_with('Z'));
    }
}
