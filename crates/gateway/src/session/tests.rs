use super::*;
use http::HeaderValue;
use schema::{SessionId, Token, Trust};

const KEY: [u8; 32] = [7; 32];
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn subject(name: &str) -> Subject {
    Subject {
        session_id: SessionId::parse(&format!("ses-{name}")).unwrap(),
        user_id: Token::lossy("user"),
        agent_id: Token::lossy(name),
        purpose: None,
        trust: Trust::SelfKept,
        agent_version: None,
        runtime_digest: None,
    }
}

fn door() -> Door {
    let one = Client::new(TOKEN, subject("one")).unwrap();
    let two = Client::new(&TOKEN.replace('0', "x"), subject("two")).unwrap();
    Door::of_clients(vec![one, two], &KEY).unwrap()
}

fn headers(name: &'static str, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, HeaderValue::from_str(value).unwrap());
    headers
}

#[test]
fn nobody_enters_without_a_registered_token() {
    let door = door();
    assert!(matches!(door.identify(&HeaderMap::new()), Err(RefusalCode::Unauthenticated)));
    let almost = TOKEN.split_at(31).0;
    for value in ["", "Bearer", "Bearer ", almost, &format!("Basic {TOKEN}"), &format!("Bearer {almost}"), &format!("Bearer  {TOKEN}")] {
        assert!(door.identify(&headers("authorization", value)).is_err(), "{value}");
    }
    assert!(door.identify(&headers("x-api-key", almost)).is_err());
    assert!(door.identify(&headers("x-user-id", TOKEN)).is_err());
}

#[test]
fn short_or_shared_tokens_and_empty_registers_are_refused() {
    assert!(matches!(Client::new("short", subject("one")), Err(Error::Client { .. })));
    let client = Client::new(TOKEN, subject("one")).unwrap();
    assert!(matches!(Door::of_clients(vec![client.clone(), client], &KEY), Err(Error::Client { .. })));
    assert!(matches!(Door::of_clients(Vec::new(), &KEY), Err(Error::NoClients)));
}

#[test]
fn a_token_opens_its_own_session_in_both_dialects() {
    let door = door();
    for headers in [headers("authorization", &format!("Bearer {TOKEN}")), headers("x-api-key", TOKEN)] {
        assert_eq!(door.identify(&headers).ok().unwrap().session.subject.agent_id.as_str(), "one");
    }
    let other = headers("x-api-key", &TOKEN.replace('0', "x"));
    assert_eq!(door.identify(&other).ok().unwrap().session.subject.agent_id.as_str(), "two");
}

#[test]
fn a_listeners_session_looks_at_no_header() {
    let door = Door::of_session(subject("agent"), &KEY);
    let caller = door.identify(&headers("authorization", "Bearer other")).ok().unwrap();
    assert_eq!(caller.session.subject, subject("agent"));
}

#[test]
fn a_crash_while_the_vault_is_held_loses_the_session() {
    let door = Arc::new(Door::of_session(subject("agent"), &KEY));
    let session = Arc::clone(door.sessions()[0]);
    let held = Arc::clone(&session);
    let crashed = std::thread::spawn(move || {
        let _vault = held.vault();
        panic!("deliberate");
    });
    assert!(crashed.join().is_err());
    assert!(matches!(session.vault(), Err(RefusalCode::SessionLost)));
}
