use policy::{Address, AddressError, ArgumentError, Upstream};
use schema::{Boundary, BoundarySource};

#[test]
fn wrong_arguments_are_refused_by_cause() {
    let cases = [
        ("", ArgumentError::Kind),
        ("gemini=https://m.example", ArgumentError::Kind),
        ("here:openai=https://m.example", ArgumentError::Boundary),
        ("on_prem@:openai=https://m.example", ArgumentError::Region),
        ("on_prem@e u:openai=https://m.example", ArgumentError::Region),
        ("openai", AddressError::Missing.into()),
        ("echo=https://m.example", AddressError::Needless.into()),
        ("openai=m.example", AddressError::Scheme.into()),
        ("openai=http://m.example", AddressError::Plaintext.into()),
        ("openai=http://127.0.0.1.example", AddressError::Plaintext.into()),
        ("openai=http://localhost.example", AddressError::Plaintext.into()),
        ("openai=https://me:secret@m.example", AddressError::Secret.into()),
        ("openai=https://m.example/v1?key=1", AddressError::Query.into()),
        ("openai=https://m.example?key=1", AddressError::Query.into()),
        ("openai=https://*.example", AddressError::Host.into()),
        ("openai=https://2130706433", AddressError::Host.into()),
        ("openai=https://0x7f.1", AddressError::Host.into()),
        ("openai=https://m.example.", AddressError::Host.into()),
        ("openai=https://m.example:0", AddressError::Port.into()),
        ("openai=https://m.example:+443", AddressError::Port.into()),
        ("openai=https://m.example:65536", AddressError::Port.into()),
        ("openai=https://m.example/v1/../admin", AddressError::Path.into()),
        ("openai=https://m.example/%2e%2e", AddressError::Path.into()),
        ("openai=unix:relative", AddressError::Path.into()),
        ("openai=file:/model.gguf", AddressError::KindMismatch.into()),
        ("local=https://m.example", AddressError::KindMismatch.into()),
    ];
    for (argument, wrong) in cases {
        assert_eq!(Upstream::parse_argument(argument), Err(wrong), "{argument}");
        assert!(!wrong.to_string().contains("secret@"), "the url is never repeated");
    }
}

#[test]
fn a_boundary_is_the_users_claim_and_third_party_without_one() {
    let read = |argument: &str| Upstream::parse_argument(argument).expect("right");
    let plain = read("openai=https://M.example/v1/");
    assert_eq!((plain.boundary(), plain.boundary_source(), plain.region()), (Boundary::ThirdParty, BoundarySource::User, None));
    let address = Address::Http { plaintext: false, host: "m.example".to_owned(), port: 443, path: "/v1".to_owned() };
    assert_eq!(plain.address(), &address);
    let placed = read("sovereign@eu-de:anthropic=https://m.example:8443");
    assert_eq!((placed.boundary(), placed.region().map(schema::Token::as_str)), (Boundary::Sovereign, Some("eu-de")));
    assert_eq!(read("local=file:/srv/model.gguf").boundary(), Boundary::OnPrem);
    assert_eq!(read("echo").boundary(), Boundary::ThirdParty);
    for loopback in ["openai=http://[::1]:8080/v1", "openai=http://localhost", "openai=http://127.3.2.1:1", "openai=unix:/run/m.sock"] {
        assert!(read(loopback).address().is_loopback(), "{loopback}");
    }
}
