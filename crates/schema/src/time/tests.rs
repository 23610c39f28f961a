use super::Timestamp;
use proptest::prelude::*;

#[test]
fn days_and_times_are_read() {
    let cases = [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:00.001Z", 1),
        ("2000-02-29", 951_782_400_000),
        ("2026-01-17T12:00:00Z", 1_768_651_200_000),
        ("2026-01-17T12:00:00.5Z", 1_768_651_200_500),
    ];
    for (text, unix_ms) in cases {
        assert_eq!(Timestamp::parse(text), Some(Timestamp { unix_ms }), "{text}");
    }
}

#[test]
fn what_is_no_time_is_not_read() {
    let cases = [
        "",
        "2026",
        "2026-1-17",
        "2026-02-29",
        "2026-02-30",
        "2100-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "1969-12-31",
        "2026-01-17T24:00:00Z",
        "2026-01-17T12:60:00Z",
        "2026-01-17T12:00:60Z",
        "2026-01-17T12:00:00",
        "2026-01-17T12:00:00+01:00",
        "2026-01-17T12:00:00.Z",
        "2026-01-17T12:00:00.0000Z",
        "2026-01-17T12:00Z",
        "2026-01-17-01",
        "+026-01-17",
        "2026-01-17T",
        "\u{0662}026-01-17",
    ];
    for text in cases {
        assert_eq!(Timestamp::parse(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn every_time_that_is_written_is_read_back(unix_ms in 0_u64..253_402_300_800_000) {
        let time = Timestamp { unix_ms };
        prop_assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
    }
}
