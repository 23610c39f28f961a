use crate::calls::{content, decided, pilot, regulated, route, subject};
use policy::{ConnectionDecision, ConnectionFacts, Decision, Policy, Upstream, decide_connection, decide_session};
use schema::DataClass::{Cardholder, Credential, Financial, Health, Opaque, Personal};
use schema::{RefusalCode, SessionId, Token, Trust, Verdict};

const THIRD: &str = "openai=https://models.example/v1";
const OWN: &str = "on_prem:openai=http://127.0.0.1:8080/v1";

#[test]
fn nothing_goes_without_an_upstream_or_to_one_of_another_dialect() {
    assert_eq!(route(&pilot(&[]), content(&[], 0)), "policy.no_route");
    assert_eq!(route(&pilot(&["anthropic=https://models.example"]), content(&[], 0)), "policy.no_route");
}

#[test]
fn pilot_keeps_what_is_unmasked_on_the_organisations_machines() {
    for class in [Personal, Health, Cardholder, Financial, Opaque] {
        assert_eq!(route(&pilot(&[THIRD]), content(&[class], 0)), "policy.no_route", "{class:?}");
        assert_eq!(route(&pilot(&[THIRD, OWN]), content(&[class], 0)), "user-2", "{class:?}");
    }
    assert_eq!(route(&pilot(&[OWN]), content(&[Credential], 0)), "policy.denied");
}

#[test]
fn pilot_lets_pseudonymised_personal_data_go_but_nothing_else_with_it() {
    assert_eq!(route(&pilot(&[THIRD]), content(&[Personal, Opaque], 3)), "policy.no_route");
    assert_eq!(route(&pilot(&[THIRD]), content(&[Personal, Health], 3)), "policy.no_route");
    assert_eq!(route(&pilot(&[THIRD]), content(&[Personal], 3)), "user");
}

#[test]
fn the_verdict_says_whether_values_were_masked() {
    let policy = pilot(&[THIRD]);
    let caller = subject(Trust::SelfKept, None);
    let Decision::Allow(allowed) = decided(&policy, &caller, content(&[], 0)) else { panic!("general data goes") };
    assert_eq!(allowed.verdict(), Verdict::Allow);
    assert_eq!(allowed.rules(), [Token::lossy("pilot/classes.general")]);
    let Decision::Redact(redacted) = decided(&policy, &caller, content(&[Personal], 1)) else { panic!("masked data goes") };
    assert_eq!(redacted.verdict(), Verdict::Redact);
    assert!(redacted.rules().contains(&Token::lossy("pilot/upstream.user.accepts_pseudonymised")));
}

#[test]
fn the_users_upstreams_are_tried_before_the_policys_in_the_order_given() {
    let own = "\n[[upstream]]\nname = \"own\"\nkind = \"echo\"\nboundary = \"on_prem\"\n";
    let text = format!("{}{own}", policy::builtin("pilot").expect("built in"));
    let policy = Policy::parse("t", &text).expect("right");
    let add = |policy: Policy, argument| policy.with_user_upstream(Upstream::parse_argument(argument).expect("right")).expect("taken");
    let policy = add(add(policy, THIRD), OWN);
    let names: Vec<_> = policy.upstreams().iter().map(|upstream| upstream.name().as_str()).collect();
    assert_eq!(names, ["user", "user-2", "own"]);
    assert!(
        policy
            .digest_input()
            .ends_with("# --upstream third_party:openai=https://models.example/v1\n# --upstream on_prem:openai=http://127.0.0.1:8080/v1\n")
    );
}

#[test]
fn regulated_refuses_the_users_own_record_a_missing_purpose_and_an_unknown_one() {
    let policy = regulated();
    let known = Token::lossy("document-synthesis");
    let rule = |trust, purpose| decide_session(&policy, trust, purpose).expect_err("refused").rules;
    assert_eq!(rule(Trust::SelfKept, Some(&known)), [Token::lossy("regulated/session.trust_minimum")]);
    assert_eq!(rule(Trust::Endpoint, None), [Token::lossy("regulated/session.purpose_required")]);
    assert_eq!(rule(Trust::Endpoint, Some(&Token::lossy("other"))), [Token::lossy("regulated/purpose")]);
    decide_session(&policy, Trust::Endpoint, Some(&known)).expect("registered");
    assert!(matches!(decided(&policy, &subject(Trust::SelfKept, None), content(&[], 0)), Decision::Deny(_)), "a call is refused as well");
}

#[test]
fn regulated_takes_no_upstream_of_the_user_and_routes_to_the_local_model() {
    let refused = regulated().with_user_upstream(Upstream::parse_argument(OWN).expect("right")).expect_err("refused");
    assert_eq!((refused.code, refused.rules), (RefusalCode::Denied, vec![Token::lossy("regulated/user_upstreams.accepted")]));
    assert_eq!(route(&regulated(), content(&[Credential], 0)), "policy.denied");
    assert_eq!(route(&regulated(), content(&[Personal, Financial], 0)), "local");
}

#[test]
fn regions_hold_for_pseudonymised_data_too_and_cover_their_parts() {
    let with = |region: &str| {
        let upstream = "\n[[upstream]]\nname = \"cloud\"\nkind = \"openai\"\nurl = \"https://m.example\"\nboundary = \"sovereign\"\naccepts_pseudonymised = true\n";
        let text = policy::builtin("regulated").expect("built in").replace("kind = \"local\"", "kind = \"anthropic\"");
        Policy::parse("t", &format!("{text}{upstream}{region}\n")).expect("right")
    };
    for region in ["", "region = \"us\"", "region = \"eux\""] {
        assert_eq!(route(&with(region), content(&[Personal], 1)), "policy.no_route", "{region}");
    }
    assert_eq!(route(&with("region = \"eu-de\""), content(&[Personal], 1)), "cloud");
}

#[test]
fn a_class_on_hold_waits_for_a_person() {
    let text = policy::builtin("pilot").expect("built in").replace("[classes.health]", "[classes.health]\nhold = true");
    let policy = Policy::parse("t", &text).expect("right");
    let policy = policy.with_user_upstream(Upstream::parse_argument(OWN).expect("right")).expect("taken");
    let Decision::Hold(refusal) = decided(&policy, &subject(Trust::SelfKept, None), content(&[Health], 0)) else { panic!("held") };
    assert_eq!((refusal.code, refusal.rules), (RefusalCode::Held, vec![Token::lossy("pilot/classes.health.hold")]));
}

#[test]
fn every_connection_past_the_gateway_is_denied_by_a_rule() {
    let (protocol, host) = (Token::lossy("tcp"), Token::lossy("192.0.2.1"));
    let facts = ConnectionFacts { session_id: &SessionId::from_random([2; 16]), protocol: &protocol, host: &host, port: 443 };
    let ConnectionDecision::Deny(refusal) = decide_connection(&pilot(&[]), &facts);
    assert_eq!((refusal.code, refusal.rules), (RefusalCode::DestinationDenied, vec![Token::lossy("pilot/connections.default")]));
}
