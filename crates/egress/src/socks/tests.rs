use super::{Greeting, MESSAGE_BYTES_MAX, Reading, SocksError, parse_request};
use crate::host::HostError;
use proptest::prelude::*;

fn request(kind: u8, address: &[u8]) -> Vec<u8> {
    [&[5, 1, 0, kind], address, &[1, 187]].concat()
}

fn named(name: &[u8]) -> Vec<u8> {
    request(3, &[&[u8::try_from(name.len()).unwrap()], name].concat())
}

fn told(message: &[u8]) -> Result<String, SocksError> {
    parse_request(message).map(|reading| match reading {
        Reading::Partial => "partial".to_owned(),
        Reading::Done(found) => format!("{} {}", found.host.told(), found.port),
    })
}

#[test]
fn refuses_greetings_that_are_none() {
    for hostile in [&[4][..], &[4, 1], &[0], &[22, 3, 1], b"GET ", &[5, 0], &[5, 0, 0], &[5, 1, 0, 0], &[5, 1, 0, 5, 1, 0, 1]] {
        assert_eq!(Greeting::parse(hostile), Err(SocksError::Malformed), "{hostile:?}");
    }
}

#[test]
fn refuses_requests_that_are_none() {
    for hostile in [&[4, 1][..], &[5, 0], &[5, 4], &[5, 1, 1], &[5, 1, 0, 0], &[5, 1, 0, 2], &[5, 1, 0, 5]] {
        assert_eq!(told(hostile), Err(SocksError::Malformed), "{hostile:?}");
    }
    assert_eq!(told(&[request(1, &[127, 0, 0, 1]), vec![0]].concat()), Err(SocksError::Malformed));
    assert_eq!(told(&[5, 1, 0, 1, 127, 0, 0, 1, 0, 0]), Err(SocksError::Host(HostError::Port)));
}

#[test]
fn refuses_names_with_no_reading_or_more_than_one() {
    for (name, error) in [
        (&b""[..], HostError::Empty),
        (b"example.com\0.evil.net", HostError::Alphabet),
        (b"example.com%00", HostError::Alphabet),
        (b"user@example.com", HostError::Alphabet),
        (b"::1", HostError::Alphabet),
        ("exämple.com".as_bytes(), HostError::Alphabet),
        (&[b'a'; 255], HostError::TooLong),
    ] {
        assert_eq!(told(&named(name)), Err(SocksError::Host(error)));
    }
}

#[test]
fn reads_greetings_and_requests_byte_by_byte() {
    assert_eq!(Greeting::parse(&[5, 2, 2, 0]), Ok(Reading::Done(Greeting { offers_none: true })));
    assert_eq!(Greeting::parse(&[5, 1, 2]), Ok(Reading::Done(Greeting { offers_none: false })));
    for (message, expected) in [
        (request(1, &[169, 254, 169, 254]), "169.254.169.254 443"),
        (request(4, &"::ffff:127.0.0.1".parse::<std::net::Ipv6Addr>().unwrap().octets()), "127.0.0.1 443"),
        (request(4, &"2001:db8::5".parse::<std::net::Ipv6Addr>().unwrap().octets()), "2001:db8::5 443"),
        (named(b"Example.COM."), "example.com 443"),
        (named(b"0x7f.1"), "127.0.0.1 443"),
    ] {
        for cut in 0..message.len() {
            assert_eq!(told(&message[..cut]), Ok("partial".to_owned()), "{expected} cut at {cut}");
        }
        assert_eq!(told(&message), Ok(expected.to_owned()));
    }
}

proptest! {
    #[test]
    fn never_panics_and_needs_no_more_than_the_bound(bytes in proptest::collection::vec(any::<u8>(), MESSAGE_BYTES_MAX..400)) {
        prop_assert_ne!(Greeting::parse(&bytes), Ok(Reading::Partial));
        prop_assert_ne!(told(&bytes), Ok("partial".to_owned()));
        for start in [&[5, 1, 0, 3][..], &[5, 1, 0, 1], &[5, 255]] {
            let message = [start, bytes.as_slice()].concat();
            prop_assert_ne!(Greeting::parse(&message), Ok(Reading::Partial));
            prop_assert_ne!(told(&message), Ok("partial".to_owned()));
        }
    }
}
