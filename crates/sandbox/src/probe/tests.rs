use super::*;
use std::collections::BTreeSet;

fn round(occasion: Occasion) -> Round {
    let kinds = [Outcome::Refused, Outcome::Succeeded, Outcome::Unsure, Outcome::Unused];
    Round::new(occasion, kinds.into_iter().cycle().take(registry::COUNT).collect())
}

#[test]
fn a_round_that_is_too_short_too_long_or_of_other_letters_is_none() {
    let good = round(Occasion::Start).encode();
    assert!(Round::decode(&good).is_ok());
    for bad in [&good[..good.len() - 1], &[&good[..], b"r"].concat(), b"", b"Xr", &[b"Sx", &good[2..]].concat(), &good[1..]] {
        assert!(Round::decode(bad).is_err(), "{}", String::from_utf8_lossy(bad));
    }
}

#[test]
fn a_round_comes_back_as_it_was_sent() {
    for occasion in [Occasion::Start, Occasion::Periodic] {
        let sent = round(occasion);
        let back = Round::decode(&sent.encode()).unwrap();
        assert_eq!(back, sent);
        assert_eq!(back.made(), back.refused() + back.failed().len());
    }
}

#[test]
fn a_lost_runner_is_one_failed_probe() {
    let lost = Round::decode(&Round::lost().encode()).unwrap();
    assert_eq!((lost.made(), lost.refused(), lost.failed()), (1, 0, vec!["probe_runner"]));
}

#[test]
fn every_probe_has_a_name_of_its_own_that_fits_an_event() {
    const { assert!(registry::COUNT >= 42) };
    let names: BTreeSet<&str> = all().map(|probe| probe.name).collect();
    assert_eq!(names.len(), registry::COUNT);
    for name in names {
        assert!(schema::Token::parse(name).is_ok(), "{name}");
    }
}

#[test]
fn every_required_wall_has_a_probe() {
    for wall in Wall::ALL {
        assert!(all().any(|probe| probe.wall == *wall), "{wall}");
    }
}

#[test]
fn what_makes_a_right_good_is_proved_by_probes_that_there_are() {
    for right in crate::rules::RIGHTS {
        assert!(!right.probes.is_empty());
        assert!(all().any(|probe| probe.wall == right.substitute && right.probes.contains(&probe.name)), "{}", right.name);
        for name in right.probes {
            assert!(all().any(|probe| probe.name == *name), "{name}");
        }
    }
}
