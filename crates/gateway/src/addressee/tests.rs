use super::*;
use http::Request;

fn checked(target: &str, hosts: &[&str], version: Version, own: Own) -> Result<(), RefusalCode> {
    let mut request = Request::builder().method("POST").uri(target).version(version);
    for host in hosts {
        request = request.header(header::HOST, *host);
    }
    check(&request.body(()).unwrap().into_parts().0, own)
}

#[test]
fn requests_for_others_are_refused() {
    for target in [
        "http://api.example.com/v1/messages",
        "http://127.0.0.1:4181/v1/messages",
        "http://127.0.0.1/v1/messages",
        "https://127.0.0.1:4180/v1/messages",
        "http://user:words@127.0.0.1:4180/v1/messages",
        "http://10.0.0.1:4180/v1/messages",
        "http://localhost.example.com:4180/v1/messages",
        "http://2130706433:4180/v1/messages",
        "http://127.1:4180/v1/messages",
        "api.example.com:443",
    ] {
        assert_eq!(
            checked(target, &["127.0.0.1:4180"], Version::HTTP_11, Own::Port(4180)),
            Err(RefusalCode::DestinationDenied),
            "{target}"
        );
    }
    assert!(checked("http://127.0.0.1/v1/messages", &["x"], Version::HTTP_11, Own::Unix).is_err());
}

#[test]
fn no_host_or_several_are_refused() {
    for hosts in [&[][..], &["a", "a"], &["a", "b"]] {
        assert_eq!(checked("/v1/messages", hosts, Version::HTTP_11, Own::Port(1)), Err(RefusalCode::Malformed), "{hosts:?}");
    }
    assert_eq!(checked("/v1/messages", &["a", "b"], Version::HTTP_10, Own::Port(1)), Err(RefusalCode::Malformed));
}

#[test]
fn the_gateways_own_names_are_served() {
    for target in ["http://127.0.0.1:4180/v1/messages", "http://[::1]:4180/", "http://LOCALHOST:4180/", "http://127.0.0.9:4180/"] {
        // The host header does not count beside an absolute form.
        assert_eq!(checked(target, &["other"], Version::HTTP_11, Own::Port(4180)), Ok(()), "{target}");
    }
    assert_eq!(checked("http://localhost/v1/models", &[], Version::HTTP_11, Own::Unix), Ok(()));
    assert_eq!(checked("http://127.0.0.1/", &[], Version::HTTP_11, Own::Port(80)), Ok(()));
    assert_eq!(checked("/", &["anything"], Version::HTTP_11, Own::Port(4180)), Ok(()));
    assert_eq!(checked("/", &[], Version::HTTP_10, Own::Unix), Ok(()));
}
