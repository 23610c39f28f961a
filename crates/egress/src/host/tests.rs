use super::{Destination, Host, HostError};
use proptest::prelude::*;

fn address(text: &str) -> String {
    match Host::parse(text.as_bytes()) {
        Ok(Host::Address(address)) => address.to_string(),
        Ok(Host::Name(name)) => format!("name {}", name.as_str()),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn refuses_hosts_with_no_reading_or_more_than_one() {
    for (hostile, error) in [
        (&b""[..], HostError::Empty),
        (b".", HostError::Empty),
        (b"..", HostError::Empty),
        (b"example..com", HostError::Empty),
        (b".example.com", HostError::Empty),
        (b"example.com..", HostError::Empty),
        (b"example.com\0.evil.net", HostError::Alphabet),
        (b"example.com%00.evil.net", HostError::Alphabet),
        (b"example%2ecom", HostError::Alphabet),
        (b"user@example.com", HostError::Alphabet),
        (b"user:word@example.com", HostError::Alphabet),
        (b"example.com/", HostError::Alphabet),
        (b"example.com\\", HostError::Alphabet),
        (b"example.com#", HostError::Alphabet),
        (b"example.com?", HostError::Alphabet),
        (b" example.com", HostError::Alphabet),
        (b"example.com\r\nX: y", HostError::Alphabet),
        (b"\xff\xfe", HostError::Alphabet),
        ("exämple.com".as_bytes(), HostError::Alphabet),
        ("example。com".as_bytes(), HostError::Alphabet),
        ("①②⑦.0.0.1".as_bytes(), HostError::Alphabet),
        (b"-example.com", HostError::Alphabet),
        (b"example-.com", HostError::Alphabet),
        (b"::1", HostError::Alphabet),
        (b"[::1", HostError::Address),
        (b"[]", HostError::Address),
        (b"[::1%eth0]", HostError::Address),
        (b"[fe80::1%25lo]", HostError::Address),
        (b"[127.0.0.1]", HostError::Address),
        (b"[::1]]", HostError::Address),
        (b"256.1.1.1", HostError::Address),
        (b"1.2.3.4.5", HostError::Address),
        (b"1.2.3.256", HostError::Address),
        (b"4294967296", HostError::Address),
        (b"0x100000000", HostError::Address),
        (b"08.0.0.1", HostError::Address),
        (b"example.1", HostError::Address),
        (b"example.0x7f", HostError::Address),
        (b"1.16777216", HostError::Address),
    ] {
        let found = Host::parse(hostile).map(|host| host.told().to_string());
        assert_eq!(found, Err(error), "{}", String::from_utf8_lossy(hostile));
    }
    assert_eq!(Host::parse(format!("{}.com", "a".repeat(64)).as_bytes()).err(), Some(HostError::TooLong));
    assert_eq!(Host::parse("a.".repeat(127).as_bytes()).err(), None);
    assert_eq!(Host::parse("a.".repeat(128).as_bytes()).err(), Some(HostError::TooLong));
}

#[test]
fn gives_every_spelling_of_an_address_one_form() {
    for spelling in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0X7F000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0x000001",
        "[::ffff:127.0.0.1]",
        "[::FFFF:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]",
    ] {
        assert_eq!(address(spelling), "127.0.0.1", "{spelling}");
    }
    for spelling in ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[::ffff:a9fe:a9fe]"] {
        assert_eq!(address(spelling), "169.254.169.254", "{spelling}");
    }
    assert_eq!(address("0x"), "0.0.0.0");
    assert_eq!(address("[2001:DB8::0:1]"), "2001:db8::1");
}

#[test]
fn gives_every_spelling_of_a_name_one_form() {
    for spelling in ["example.com", "EXAMPLE.com", "Example.COM."] {
        assert_eq!(address(spelling), "name example.com");
    }
    assert_eq!(address("xn--exmple-cua.com"), "name xn--exmple-cua.com");
    assert_eq!(address("_dmarc.1e100.net"), "name _dmarc.1e100.net");
    assert_eq!(address("0xg.com"), "name 0xg.com");
}

#[test]
fn refuses_ports_that_are_none() {
    for hostile in [":", ":0", ":65536", ":+80", ":-1", ":080808", ": 80", ":80 ", ":8o", ":%38", ""] {
        let found = Destination::parse(format!("example.com{hostile}").as_bytes(), None).map(|found| found.port);
        assert_eq!(found, Err(HostError::Port), "{hostile}");
    }
    for hostile in ["::1:80", "[::1]80", "[::1]:80]:80", "a@b:80", "a:80@b:81", "[::1]x:80"] {
        assert!(Destination::parse(hostile.as_bytes(), Some(80)).is_err(), "{hostile}");
    }
}

#[test]
fn reads_hosts_with_ports() {
    let parse =
        |text: &str, default| Destination::parse(text.as_bytes(), default).map(|found| format!("{} {}", found.host.told(), found.port));
    assert_eq!(parse("example.com:443", None), Ok("example.com 443".to_owned()));
    assert_eq!(parse("example.com", Some(80)), Ok("example.com 80".to_owned()));
    assert_eq!(parse("[2001:db8::5]:8443", None), Ok("2001:db8::5 8443".to_owned()));
    assert_eq!(parse("[::ffff:10.0.0.1]", Some(80)), Ok("10.0.0.1 80".to_owned()));
}

#[test]
fn tells_little_of_long_names() {
    let told = |text: &str| Host::parse(text.as_bytes()).map(|host| host.told().to_string());
    assert_eq!(told("a.b.example.com"), Ok("b.example.com".to_owned()));
    let secret = "c2VjcmV0IGRhdGEgaW4gYSBsYWJlbA";
    assert_eq!(told(&format!("{secret}.evil.net")), Ok("~.evil.net".to_owned()));
    assert_eq!(told(&format!("{secret}.{secret}")), Ok("~.~".to_owned()));
}

proptest! {
    #[test]
    fn never_panics_and_never_tells_what_is_no_token(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(found) = Destination::parse(&bytes, Some(80)) {
            prop_assert!(schema::Token::parse(found.host.told().as_str()).is_ok());
        }
    }

    #[test]
    fn canonical_form_is_a_fixed_point(text in "[a-zA-Z0-9._\\-\\[\\]:]{0,40}") {
        let again = |host: &Host| match host {
            Host::Name(name) => Host::parse(name.as_str().as_bytes()).ok(),
            Host::Address(std::net::IpAddr::V4(address)) => Host::parse(address.to_string().as_bytes()).ok(),
            Host::Address(std::net::IpAddr::V6(address)) => Host::parse(format!("[{address}]").as_bytes()).ok(),
        };
        if let Ok(host) = Host::parse(text.as_bytes()) {
            prop_assert!(again(&host).is_some_and(|same| same == host));
        }
    }

    #[test]
    fn every_number_is_its_address(number in any::<u32>()) {
        let dotted = std::net::Ipv4Addr::from(number).to_string();
        prop_assert_eq!(address(&number.to_string()), dotted.clone());
        prop_assert_eq!(address(&format!("{number:#x}")), dotted.clone());
        prop_assert_eq!(address(&format!("0{number:o}")), dotted);
    }
}
