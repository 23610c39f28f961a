use super::Stops;
use proptest::prelude::*;

fn told(sequences: &[&str], pieces: &[&str]) -> (Vec<String>, bool) {
    let sequences: Vec<String> = sequences.iter().map(|sequence| (*sequence).to_owned()).collect();
    let mut stops = Stops::new(&sequences);
    let mut out = Vec::new();
    for piece in pieces {
        let released = stops.push(piece);
        out.push(released.text);
        if released.stopped {
            return (out, true);
        }
    }
    out.push(stops.finish());
    (out, false)
}

#[test]
fn the_first_sequence_ends_the_text() {
    assert_eq!(told(&["END", "\n"], &["one\ntwo END"]), (vec!["one".to_owned()], true));
}

#[test]
fn a_sequence_over_several_pieces_is_never_told() {
    assert_eq!(told(&["END"], &["one E", "N", "D two"]), (vec!["one ".to_owned(), String::new(), String::new()], true));
}

#[test]
fn what_only_began_like_one_is_told() {
    assert_eq!(told(&["END"], &["E", "NOUGH E"]), (vec![String::new(), "ENOUGH ".to_owned(), "E".to_owned()], false));
}

#[test]
fn without_sequences_nothing_is_held_back() {
    assert_eq!(told(&[], &["é", "b"]), (vec!["é".to_owned(), "b".to_owned(), String::new()], false));
}

proptest! {
    #[test]
    fn cuts_change_nothing(pieces in proptest::collection::vec("[abé]{0,4}", 0..8), sequences in proptest::collection::vec("[abé]{1,3}", 0..4)) {
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let sequences: Vec<&str> = sequences.iter().map(String::as_str).collect();
        let whole = pieces.concat();
        let end = sequences.iter().filter_map(|sequence| whole.find(sequence)).min();
        let (out, stopped) = told(&sequences, &pieces);
        prop_assert_eq!(stopped, end.is_some());
        // Cut into pieces, a longer sequence may lose to a shorter one that ends earlier, but never lets anything behind through.
        let text = out.concat();
        prop_assert!(whole.starts_with(&text));
        match end {
            None => prop_assert_eq!(text, whole),
            Some(end) => prop_assert!(text.len() >= end && sequences.iter().all(|sequence| !text.contains(sequence))),
        }
    }
}
