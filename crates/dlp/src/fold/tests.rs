use super::*;
use proptest::prelude::*;

fn one(text: &str) -> Folded {
    let mut parts = Folded::parts(text);
    assert_eq!(parts.len(), 1, "{text}");
    parts.remove(0)
}

#[test]
fn only_the_neighbourhood_is_searched_again_and_nothing_is_cut() {
    let far = "far-away ".repeat(1000);
    let text = format!("{far}4\u{200b}1 near {far}\u{a0}{far}");
    let parts = Folded::parts(&text);
    assert_eq!(parts.len(), 2);
    for part in &parts {
        assert!(part.text.len() < 4 * REACH, "{}", part.text.len());
        assert!(part.text.split_ascii_whitespace().all(|word| ["far-away", "41", "near"].contains(&word)), "{}", part.text);
    }
    let (start, end) = parts[0].original(0, parts[0].text.len());
    assert!(text.get(start..end).is_some_and(|part| part.contains("4\u{200b}1 near")));
    // A run without blanks is cut at a bound.
    assert!(Folded::parts(&format!("{0}\u{a0}{0}", "x".repeat(10_000)))[0].text.len() <= 4 * REACH + 1);
}

#[test]
fn plain_text_is_not_folded() {
    for text in ["", "plain", "gr\u{fc}\u{df}e \u{65e5}\u{672c} \u{20ac}"] {
        assert!(Folded::parts(text).is_empty(), "{text}");
    }
}

#[test]
fn what_looks_alike_becomes_plain() {
    for (text, folded) in [
        ("４１１１　ａ＠ｂ．ｄｅ", "4111 a@b.de"),
        ("4\u{200b}1\u{ad}1\u{feff}1", "4111"),
        ("421\u{2011}79\u{2013}1418", "421-79-1418"),
        ("DE89\u{a0}3704\u{202f}0044", "DE89 3704 0044"),
        ("\u{664}\u{661} \u{6f4}\u{967} \u{1d7d2}\u{1d7e3}", "41 41 41"),
    ] {
        assert_eq!(one(text).text, folded);
    }
}

#[test]
fn ranges_lead_back_to_the_original() {
    let text = "x４\u{200b}１y";
    let folded = one(text);
    let (start, end) = folded.original(1, 3);
    assert_eq!(text.get(start..end), Some("４\u{200b}１"));
    assert_eq!(folded.original(0, folded.text.len()), (0, text.len()));
}

proptest! {
    #[test]
    fn every_range_is_on_character_boundaries(text in "[a4４\u{200b}\u{a0}é日\u{1d7ce}]{0,12}", cut in 0usize..24) {
        for folded in Folded::parts(&text) {
            let cut = folded.text.floor_char_boundary(cut.min(folded.text.len()));
            let (start, end) = folded.original(0, cut);
            prop_assert!(text.is_char_boundary(start) && text.is_char_boundary(end) && start <= end);
            let (start, end) = folded.original(cut, folded.text.len());
            prop_assert!(text.is_char_boundary(start) && text.is_char_boundary(end) && start <= end);
        }
    }
}
