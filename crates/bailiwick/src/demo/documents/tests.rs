use super::*;

/// What stands in the papers and must not reach a model: each value as the papers have it.
const PLANTED: [(&str, &str); 7] = [
    ("e-mail", "johanna.beispiel@example.com"),
    ("phone", "+49 89 23456789"),
    ("IBAN", "DE89 3704 0044 0532 0130 00"),
    ("card", "4111 1111 1111 1111"),
    ("tax id", "86 095 742 719"),
    ("API key", "AKIAQYLPMN5HFIQR7XYA"),
    ("password", "Kd93-xPq7-Lm20"),
];

#[test]
fn every_planted_value_is_found_and_the_others_are_not_claimed() {
    let text = format!("{KYC}{NOTE}");
    let mut found = Vec::new();
    dlp::Detectors::standard().find(&text, &mut found).unwrap();
    for (name, value) in PLANTED {
        let start = text.find(value).unwrap();
        let covered = found.iter().any(|finding| finding.start <= start && finding.end >= start + value.len());
        assert!(covered, "{name}");
    }
    for value in ["Johanna Beispiel", "C01X00T47", "14 March 1968"] {
        let start = text.find(value).unwrap();
        assert!(!found.iter().any(|finding| finding.start <= start && finding.end > start), "{value} is found now: say so in the report");
    }
}
