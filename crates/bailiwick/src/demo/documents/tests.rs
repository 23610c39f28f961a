use super::*;

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
