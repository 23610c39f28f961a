//! Which programs may run, and which agents may start.

use policy::{AgentFacts, AllowedProgram, Policy, decide_agent};
use proptest::prelude::*;
use schema::{RefusalCode, Token};

const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn parse(session: &str) -> Result<Policy, String> {
    let text = format!("version = 1\nprofile = \"p\"\n[session]\npurpose_required = false\n{session}");
    Policy::parse("p.toml", &text).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn listed(programs: &str) -> Result<Policy, String> {
    parse(&format!("[session.programs]\nrule = \"listed\"\n{programs}"))
}

#[test]
fn a_program_that_is_described_wrongly_is_refused_with_what_to_write() {
    let short = DIGEST.trim_start_matches('b');
    let upper = DIGEST.to_uppercase();
    for (table, advice) in [
        (String::new(), "write a path"),
        ("path = \"/a\"\ntree = \"/b\"".to_owned(), "write a path"),
        (format!("tree = \"/b\"\nsha256 = \"{DIGEST}\""), "write a path"),
        (format!("path = \"/a\"\nsha256 = \"{short}\""), "64 hexadecimal digits"),
        (format!("sha256 = \"{upper}\""), "64 hexadecimal digits"),
        (format!("sha256 = \"{DIGEST}0\""), "64 hexadecimal digits"),
        ("path = \"bin/git\"".to_owned(), "an absolute path"),
    ] {
        let errors = listed(&format!("[[session.programs.allowed]]\n{table}\n")).expect_err(&table);
        assert!(errors.contains(advice), "{table}: {errors}");
    }
    let twice = "[[session.programs.allowed]]\npath = \"/a\"\n".repeat(2);
    assert!(listed(&twice).is_err_and(|errors| errors.contains("twice")));
}

#[test]
fn a_list_that_binds_nothing_is_refused() {
    let list = "[[session.programs.allowed]]\npath = \"/usr/bin/git\"\n";
    for rule in ["", "[session.programs]\nrule = \"any\"\n"] {
        assert!(parse(&format!("{rule}{list}")).is_err_and(|errors| errors.contains("write rule = \"listed\"")), "{rule}");
        // What is wrong in it is told all the same.
        assert!(parse(&format!("{rule}{list}sha256 = \"x\"\n")).is_err_and(|errors| errors.contains("64 hexadecimal digits")), "{rule}");
    }
    // Nothing listed is not the same as no list: no program runs at all.
    assert_eq!(listed("").expect("right").session().programs.listed, Some(Vec::new()));
    assert_eq!(parse("").expect("right").session().programs.listed, None);
}

#[test]
fn programs_are_read_as_they_were_written() {
    let tables = format!(
        "[[session.programs.allowed]]\npath = \"/a\"\n[[session.programs.allowed]]\npath = \"/b\"\nsha256 = \"{DIGEST}\"\n\
         [[session.programs.allowed]]\ntree = \"/c\"\n[[session.programs.allowed]]\nsha256 = \"{DIGEST}\"\n"
    );
    let digest = Token::parse(DIGEST).expect("a name");
    let expected = [
        AllowedProgram::Path("/a".into(), None),
        AllowedProgram::Path("/b".into(), Some(digest.clone())),
        AllowedProgram::Tree("/c".into()),
        AllowedProgram::Digest(digest),
    ];
    let policy = listed(&tables).expect("right");
    assert_eq!(policy.session().programs.listed.as_deref(), Some(&expected[..]));
}

#[test]
fn an_agent_that_every_agent_fits_is_no_pin() {
    assert!(parse("[[session.agents]]\n").is_err_and(|errors| errors.contains("at least one of name, sha256 and version")));
    assert!(parse("[[session.agents]]\nsha256 = \"abc\"\n").is_err_and(|errors| errors.contains("64 hexadecimal digits")));
}

/// A pin's three keys, and an agent's three facts, by numbers that stand for values; 0 is none.
fn three() -> impl Strategy<Value = [usize; 3]> {
    proptest::array::uniform3(0..3_usize)
}

fn digest(number: usize) -> String {
    DIGEST.replace('a', &number.to_string())
}

proptest! {
    #[test]
    fn an_agent_starts_only_if_one_pin_describes_all_of_it(pins in proptest::collection::vec(three(), 0..4), facts in three()) {
        let pins: Vec<[usize; 3]> = pins.into_iter().filter(|pin| pin.iter().any(|value| *value > 0)).collect();
        // A digest tells pins apart: two with the same one are refused.
        let mut digests: Vec<usize> = pins.iter().map(|[_, digest, _]| *digest).filter(|digest| *digest > 0).collect();
        digests.sort_unstable();
        prop_assume!(digests.windows(2).all(|pair| pair[0] != pair[1]));
        let mut text = String::new();
        for [name, sha256, version] in &pins {
            text += "[[session.agents]]\n";
            text.extend((*name > 0).then(|| format!("name = \"agent-{name}\"\n")));
            text.extend((*sha256 > 0).then(|| format!("sha256 = \"{}\"\n", digest(*sha256))));
            text.extend((*version > 0).then(|| format!("version = \"{version}.0\"\n")));
        }
        let policy = parse(&text).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
        let [name, sha256, version] = facts;
        let (name_here, version_here) = (Token::lossy(&format!("agent-{name}")), Token::lossy(&format!("{version}.0")));
        // A file that could not be read fits no digest.
        let sha256_here = (sha256 > 0).then(|| Token::lossy(&digest(sha256)));
        let decided = decide_agent(&policy, &AgentFacts { name: &name_here, sha256: sha256_here.as_ref(), version: &version_here });
        let fits = |pin: &[usize; 3]| pin.iter().zip(facts).all(|(pinned, found)| *pinned == 0 || *pinned == found);
        prop_assert_eq!(decided.is_ok(), pins.is_empty() || pins.iter().any(fits), "{}", text);
        if let Err(refusal) = decided {
            prop_assert_eq!(refusal.code, RefusalCode::ProgramDenied);
            prop_assert!(!refusal.rules.is_empty());
        }
    }
}
